import type { RecipientStanding } from '@orchestrate/canon';
import { suppressionListed } from '@orchestrate/contracts';
import { type Broker, decodeLenient, readLastOfEach, type StoredMessage } from '@orchestrate/messaging';

type Suppression = RecipientStanding['suppression'];

/** Subjects that the server is asked for at once; it would take 1,024. */
const AT_ONCE = 256;
const ASKING_MAX = 4;

/**
 * Who is not to be written to, asked at the server at the moment of the request; no answer is unknown, never clear.
 * Who asks while others are on their way is asked for together with everybody else who does.
 */
export class SuppressionList {
  readonly #broker: Broker;
  #waiting = new Map<string, ((found: Suppression) => void)[]>();
  #asking = 0;
  #begun = false;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  of(at: { readonly p: number; readonly tenantId: string; readonly recipientKey: string }) {
    const { promise, resolve } = Promise.withResolvers<Suppression>();
    this.#waiting.getOrInsertComputed(suppressionListed.subject(at), () => []).push(resolve);
    this.#begin();
    return promise;
  }

  /** After whatever else arrived with it. */
  #begin(): void {
    if (this.#begun || this.#asking >= ASKING_MAX) return;
    this.#begun = true;
    setImmediate(() => {
      this.#begun = false;
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    const batch = new Map(this.#waiting.entries().take(AT_ONCE));
    if (batch.size === 0) return;
    for (const subject of batch.keys()) this.#waiting.delete(subject);
    this.#asking++;
    try {
      const listed = await readLastOfEach(this.#broker, 'SUPPRESSIONS', [...batch.keys()]);
      const bySubject = new Map(listed.map((stored) => [stored.subject, stored]));
      for (const [subject, asking] of batch) {
        const found = verdictOf(bySubject.get(subject));
        for (const answer of asking) answer(found);
      }
    } catch {
      for (const asking of batch.values()) for (const answer of asking) answer('unknown');
    } finally {
      this.#asking--;
      if (this.#waiting.size > 0) this.#begin();
    }
  }
}

function verdictOf(stored: StoredMessage | undefined): Suppression {
  if (!stored) return 'clear';
  try {
    return decodeLenient(suppressionListed, stored.data).state === 'suppressed' ? 'suppressed' : 'clear';
  } catch {
    return 'unknown';
  }
}
