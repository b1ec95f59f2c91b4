import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamName } from '@orchestrate/contracts';
import { PublishConflict, PublishUncertain, type Stored } from './ack-publisher.ts';
import type { Broker } from './connect.ts';
import { crashPoint } from './crash-point.ts';
import { readLast } from './stream-lookup.ts';

/** A state, and what a reader of the heads alone learns of it. */
export interface Produced {
  readonly data: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Gives the newest state of a subject at the moment it can be written; null when there is nothing to write. */
export type Produce = () => Uint8Array | Produced | null;

/** Where the sequence of the last message of a subject is kept. */
export interface Head {
  seq: number;
}

interface Slot {
  readonly subject: string;
  readonly head: Head;
  /** The caller keeps the head, so nothing needs to be kept here while nothing is written. */
  readonly isTransient: boolean;
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
    this.#slot(subject).head.seq = seq;
  }

  lastSeq(subject: string): number {
    return this.#slots.get(subject)?.head.seq ?? 0;
  }

  /** Whoever has very many subjects keeps their heads, and gives the one of this subject each time. */
  set(subject: string, produce: Produce, head?: Head): void {
    if (this.#closed) return;
    const slot = this.#slot(subject, head);
    slot.produce = produce;
    slot.forgotten = false;
    slot.wanted++;
    if (!slot.busy) void this.#drain(slot);
  }

  /** Whether nothing that was set for this subject waits or flies. */
  isIdle(subject: string): boolean {
    const slot = this.#slots.get(subject);
    return slot === undefined || (!slot.busy && slot.produce === null);
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

  #slot(subject: string, head?: Head): Slot {
    return this.#slots.getOrInsertComputed(subject, () => ({
      subject,
      head: head ?? { seq: 0 },
      isTransient: head !== undefined,
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
        const produced = produce();
        if (produced) crashPoint('handled_before_publish');
        if (produced) slot.head.seq = (await this.#store(slot, produced)).seq;
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
      if (slot.forgotten || slot.isTransient) this.#slots.delete(slot.subject);
    }
  }

  async #store(slot: Slot, produced: Uint8Array | Produced): Promise<Stored> {
    const message = produced instanceof Uint8Array ? { data: produced } : produced;
    return storeUntilCertain(
      this.#broker,
      this.#stream,
      { ...message, subject: slot.subject, lastSeq: slot.head.seq },
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
  message: {
    readonly subject: string;
    readonly data: Uint8Array;
    readonly lastSeq: number;
    readonly fence?: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
  abandoned: () => boolean,
): Promise<Stored> {
  const { subject, data, lastSeq, fence, headers } = message;
  const expect = fence ? { lastSeq, subject: fence } : { lastSeq };
  let uncertain = false;
  for (let backoffMs = 20; ; backoffMs = Math.min(backoffMs * 2, 1_000)) {
    if (abandoned()) throw new PublishAbandoned('closed while publishing');
    try {
      return await broker.publisher.publish(subject, data, headers ? { expect, headers } : { expect });
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
