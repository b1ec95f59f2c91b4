import { randomBytes } from 'node:crypto';
import type { KV } from '@nats-io/kv';
import {
  type Content,
  contentSchema,
  type Lead,
  leadSchema,
  type Mailbox,
  mailboxSchema,
  RECIPIENTS_BUCKET,
  recipientsKey,
} from '@orchestrate/contracts';
import type { AckPublisher, Broker } from '@orchestrate/messaging';

const SECRET_OCTETS = 32;

/** Addresses, content and the tenant's secret: what senders may read and nobody else needs. */
export class RecipientsStore {
  readonly #kv: KV;
  readonly #publisher: AckPublisher;
  readonly #tenantId: string;

  private constructor(kv: KV, publisher: AckPublisher, tenantId: string) {
    this.#kv = kv;
    this.#publisher = publisher;
    this.#tenantId = tenantId;
  }

  static async open(broker: Broker, tenantId: string): Promise<RecipientsStore> {
    return new RecipientsStore(await broker.kvm.open(RECIPIENTS_BUCKET), broker.publisher, tenantId);
  }

  /** The same entry that the bucket would make, at a rate for lists of a million. Throws what a publisher throws. */
  async putLead(lead: Lead, timeoutMs: number): Promise<void> {
    const key = recipientsKey.lead(this.#tenantId, lead.recipientKey);
    const data = Buffer.from(JSON.stringify(leadSchema.parse(lead)));
    await this.#publisher.publish(`$KV.${RECIPIENTS_BUCKET}.${key}`, data, { timeoutMs });
  }

  async putMailbox(mailbox: Mailbox): Promise<void> {
    const key = recipientsKey.mailbox(this.#tenantId, mailbox.mailbox);
    await this.#kv.put(key, JSON.stringify(mailboxSchema.parse(mailbox)));
  }

  async putContent(content: Content): Promise<void> {
    const key = recipientsKey.content(this.#tenantId, content.digest);
    await this.#kv.put(key, JSON.stringify(contentSchema.parse(content)));
  }

  /** The secret that turns addresses into recipient keys, or null where the tenant has none (any more). */
  async secret(): Promise<Buffer | null> {
    const entry = await this.#kv.get(recipientsKey.hmacKey(this.#tenantId));
    return entry?.operation === 'PUT' ? Buffer.from(entry.string(), 'base64') : null;
  }

  /** Makes the secret once: another one would make strangers of all known recipients. */
  async ensureSecret(): Promise<void> {
    if (await this.secret()) return;
    const secret = randomBytes(SECRET_OCTETS).toString('base64');
    try {
      await this.#kv.create(recipientsKey.hmacKey(this.#tenantId), secret);
    } catch (error) {
      // somebody else made one in between: theirs stands
      if (!(await this.secret())) throw error;
    }
  }
}
