import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EvidenceObserved, evidenceHeartbeat, evidenceObserved, VERSION } from '@orchestrate/contracts';
import { type Broker, encode, PublishUncertain } from '@orchestrate/messaging';
import type { Logger } from '@orchestrate/service-kit';

export type ObservedFact = EvidenceObserved['facts'][number];
export type Observation = Pick<
  EvidenceObserved,
  'tenantId' | 'layer' | 'source' | 'observer' | 'causedBy'
> & { readonly facts: ObservedFact[] };

const TRIES = 5;
const AGAIN_MS = 100;

/** Puts evidence into the stream, with patience; answers whether it is there. Never rejects. */
export class EvidencePublisher {
  readonly #broker: Broker;
  readonly #log: Logger;
  #trouble: string | null = null;
  #waiting = 0;
  #stored = 0;
  #failed = 0;

  constructor(broker: Broker, log: Logger) {
    this.#broker = broker;
    this.#log = log;
  }

  /** Why the last one was not stored, null when it was. */
  get trouble(): string | null {
    return this.#trouble;
  }

  status() {
    return { waiting: this.#waiting, stored: this.#stored, failed: this.#failed };
  }

  async observed({ tenantId, layer, source, observer, causedBy, facts }: Observation): Promise<boolean> {
    const id = randomUUID();
    const message = { v: VERSION, id, tenantId, causedBy, layer, source, observer, facts };
    const subject = evidenceObserved.subject({ tenantId, layer, source });
    return this.#store(subject, id, { tenantId, layer, source }, () => encode(evidenceObserved, message));
  }

  /** Says of a partition that its windows are watched. */
  async heartbeat(p: number): Promise<boolean> {
    const id = randomUUID();
    const message = { v: VERSION, id, p, layer: 'continuity_window' as const, atMs: Date.now() };
    return this.#store(evidenceHeartbeat.subject(p), id, { p }, () => encode(evidenceHeartbeat, message));
  }

  async #store(subject: string, messageId: string, about: object, bytes: () => Uint8Array): Promise<boolean> {
    this.#waiting++;
    try {
      const data = bytes();
      await this.#publish(subject, data, messageId);
      this.#stored++;
      this.#trouble = null;
      return true;
    } catch (error) {
      this.#failed++;
      this.#trouble = (error as Error).message;
      this.#log.warn({ err: error, ...about }, 'evidence is not stored, trying again later');
      return false;
    } finally {
      this.#waiting--;
    }
  }

  /** The message id makes one of two that both arrived. An edge that is full refuses: asking on would not help. */
  async #publish(subject: string, data: Uint8Array, messageId: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#broker.publisher.publish(subject, data, { messageId });
        return;
      } catch (error) {
        if (!(error instanceof PublishUncertain) || tries === TRIES || this.#broker.nc.isClosed())
          throw error;
        await sleep(AGAIN_MS * 2 ** tries);
      }
    }
  }
}
