import type { KV, KvEntry } from '@nats-io/kv';
import type { Broker } from './connect.ts';

export const PRESENCE_BUCKET = 'PRESENCE';
const TTL_SEC = 3;
const RENEW_MS = 1_000;
/** Said after its life by an instance that hands everything on and wants nothing any more. */
const LEAVING = ' leaving';

/**
 * Which instances of a service are alive, by keys that expire when nobody renews them. It steers who prefers which
 * partition and proves nothing: what keeps two owners apart is the compare-and-set of every write.
 */
export class Presence {
  readonly #broker: Broker;
  readonly #service: string;
  readonly #instance: string;
  readonly #life: string;
  #isLeaving = false;
  readonly #members = new Map<string, { readonly life: string; readonly isLeaving: boolean }>();
  readonly #changed: () => void;
  #renewal: NodeJS.Timeout | undefined;
  #watch: { stop(): void } | undefined;
  #closed = false;

  private constructor(
    broker: Broker,
    self: { service: string; instance: string; life: string },
    changed: () => void,
  ) {
    this.#broker = broker;
    this.#service = self.service;
    this.#instance = self.instance;
    this.#life = self.life;
    this.#changed = changed;
  }

  /** Announces this instance and resolves when the others that are alive are known. */
  static async join(
    broker: Broker,
    self: { service: string; instance: string; life: string },
    changed: () => void,
  ): Promise<Presence> {
    const presence = new Presence(broker, self, changed);
    await presence.#renew();
    const kv = await broker.kvm.open(PRESENCE_BUCKET);
    await presence.#follow(kv);
    presence.#renewal = setInterval(() => void presence.#renew().catch(() => {}), RENEW_MS);
    return presence;
  }

  /** Those that are alive and stay. */
  members(): readonly string[] {
    const staying = [...this.#members]
      .filter(([, member]) => !member.isLeaving)
      .map(([instance]) => instance);
    return [...new Set([...staying, this.#instance])].sort();
  }

  /** Whether somebody is there who stays. */
  hasOthers(): boolean {
    return this.members().some((instance) => instance !== this.#instance);
  }

  /** Whether this life of an instance is known to be alive, staying or leaving. */
  isAlive(instance: string, life: string): boolean {
    return this.#members.get(instance)?.life === life;
  }

  /** Tells the others before anything is handed on, so that they come for it while it is. */
  async announceLeaving(): Promise<void> {
    this.#isLeaving = true;
    await this.#renew().catch(() => {});
  }

  async leave(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#renewal);
    this.#watch?.stop();
    const kv = await this.#broker.kvm.open(PRESENCE_BUCKET);
    await kv.delete(this.#key()).catch(() => {});
  }

  #key(): string {
    return `${this.#service}.${this.#instance}`;
  }

  /** The KV client renews no TTL, so the key is published as what it is: a message with a TTL. */
  async #renew(): Promise<void> {
    if (this.#closed) return;
    await this.#broker.js.publish(
      `$KV.${PRESENCE_BUCKET}.${this.#key()}`,
      this.#life + (this.#isLeaving ? LEAVING : ''),
      {
        ttl: `${TTL_SEC}s`,
      },
    );
  }

  async #follow(kv: KV): Promise<void> {
    const others = `${this.#service}.*`;
    for await (const key of await kv.keys(others)) {
      const entry = await kv.get(key);
      if (entry) this.#apply(entry);
    }
    const entries = await kv.watch({ key: others });
    this.#watch = entries;
    void (async () => {
      for await (const entry of entries) this.#apply(entry);
    })();
  }

  #apply(entry: KvEntry): void {
    const instance = entry.key.slice(this.#service.length + 1);
    const before = this.#members.get(instance);
    if (entry.operation === 'PUT') {
      const said = entry.string();
      const isLeaving = said.endsWith(LEAVING);
      this.#members.set(instance, { life: isLeaving ? said.slice(0, -LEAVING.length) : said, isLeaving });
    } else this.#members.delete(instance);
    const after = this.#members.get(instance);
    if (after?.life !== before?.life || after?.isLeaving !== before?.isLeaving) this.#changed();
  }
}
