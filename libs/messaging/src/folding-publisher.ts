import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamName } from '@orchestrate/contracts';
import { PublishConflict, PublishUncertain, type Stored } from './ack-publisher.ts';
import type { Broker } from './connect.ts';
import { crashPoint } from './crash-point.ts';
import { readLast } from './stream-reader.ts';

/** Gives the newest state of a subject at the moment it can be written; null when there is nothing to write. */
export type Produce = () => Uint8Array | null;

interface Slot {
  readonly subject: string;
  seq: number;
  produce: Produce | null;
  busy: boolean;
  /** Dropped as soon as nothing flies any more. */
  forgotten: boolean;
  /** Counts what was set; a barrier waits for the count that stood when it was asked. */
  wanted: number;
  durable: number;
  waiters: { readonly upTo: number; readonly resolve: () => void; readonly reject: (error: Error) => void }[];
}

/**
 * The newest state per subject, written by compare-and-set, one write in flight per subject. While it flies, newer
 * states replace each other, so a noisy subject costs no queue. A conflict means that somebody else writes what
 * we own: `lost` is called once, and nothing more is written.
 */
export class FoldingPublisher {
  readonly #broker: Broker;
  readonly #stream: StreamName;
  readonly #lost: (error: Error) => void;
  readonly #slots = new Map<string, Slot>();
  #closed = false;

  constructor(broker: Broker, stream: StreamName, lost: (error: Error) => void) {
    this.#broker = broker;
    this.#stream = stream;
    this.#lost = lost;
  }

  /** The sequence of the last message that is known to stand on a subject. */
  seed(subject: string, seq: number): void {
    this.#slot(subject).seq = seq;
  }

  lastSeq(subject: string): number {
    return this.#slots.get(subject)?.seq ?? 0;
  }

  set(subject: string, produce: Produce): void {
    if (this.#closed) return;
    const slot = this.#slot(subject);
    slot.produce = produce;
    slot.forgotten = false;
    slot.wanted++;
    if (!slot.busy) void this.#drain(slot);
  }

  /**
   * Nothing that waits is written to subjects that begin so, and what stands on them is not remembered: they are to be
   * purged, and then their sequence is 0 again. What flies already lands, and `flushed` waits for it.
   */
  forget(prefix: string): void {
    for (const [subject, slot] of this.#slots) {
      if (!subject.startsWith(prefix)) continue;
      if (slot.produce) slot.produce = () => null;
      slot.forgotten = true;
      if (!slot.busy) this.#slots.delete(subject);
    }
  }

  /** Resolves when everything that was set before now is durable; rejects when it was closed or lost before. */
  async flushed(): Promise<void> {
    const open = [...this.#slots.values()].filter((slot) => slot.durable < slot.wanted);
    await Promise.all(
      open.map((slot) => {
        if (this.#closed) throw new PublishAbandoned('closed before everything was durable');
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        slot.waiters.push({ upTo: slot.wanted, resolve, reject });
        return promise;
      }),
    );
  }

  close(): void {
    this.#closed = true;
    for (const slot of this.#slots.values()) {
      for (const { reject } of slot.waiters.splice(0)) {
        reject(new PublishAbandoned('closed before everything was durable'));
      }
    }
  }

  #slot(subject: string): Slot {
    return this.#slots.getOrInsertComputed(subject, () => ({
      subject,
      seq: 0,
      produce: null,
      busy: false,
      forgotten: false,
      wanted: 0,
      durable: 0,
      waiters: [],
    }));
  }

  async #drain(slot: Slot): Promise<void> {
    slot.busy = true;
    try {
      while (slot.produce && !this.#closed) {
        const { produce, wanted } = slot;
        slot.produce = null;
        const data = produce();
        if (data) crashPoint('handled_before_publish');
        if (data) slot.seq = (await this.#store(slot, data)).seq;
        slot.durable = wanted;
        const [reached, open] = partition(slot.waiters, (waiter) => waiter.upTo <= wanted);
        slot.waiters = open;
        for (const waiter of reached) waiter.resolve();
      }
    } catch (error) {
      if (!this.#closed) {
        this.close();
        this.#lost(error as Error);
      }
    } finally {
      slot.busy = false;
      if (slot.forgotten) this.#slots.delete(slot.subject);
    }
  }

  async #store(slot: Slot, data: Uint8Array): Promise<Stored> {
    return storeUntilCertain(
      this.#broker,
      this.#stream,
      { subject: slot.subject, data, lastSeq: slot.seq },
      () => this.#closed,
    );
  }
}

/** The caller was closed while it waited for an answer. */
export class PublishAbandoned extends Error {}

/**
 * Publishes until the server has said yes or no: an uncertain answer is asked again with the same expectation, and
 * when that meets a conflict the stored bytes tell whether they are ours. Throws PublishConflict when they are not.
 */
export async function storeUntilCertain(
  broker: Broker,
  stream: StreamName,
  message: { subject: string; data: Uint8Array; lastSeq: number; fence?: string },
  abandoned: () => boolean,
): Promise<Stored> {
  const { subject, data, lastSeq, fence } = message;
  const expect = fence ? { lastSeq, subject: fence } : { lastSeq };
  let uncertain = false;
  for (let backoffMs = 20; ; backoffMs = Math.min(backoffMs * 2, 1_000)) {
    if (abandoned()) throw new PublishAbandoned('closed while publishing');
    try {
      return await broker.publisher.publish(subject, data, { expect });
    } catch (error) {
      if (error instanceof PublishConflict && uncertain) {
        const found = await readLast(broker, stream, fence ?? subject).catch(() => null);
        if (found && found.subject === subject && Buffer.compare(found.data, data) === 0) {
          return { seq: found.seq, duplicate: true };
        }
      }
      if (!(error instanceof PublishUncertain)) throw error;
      uncertain = true;
      await sleep(backoffMs);
    }
  }
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}
