import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { type KV, type KvEntry, KvWatchInclude } from '@nats-io/kv';
import { z } from 'zod';
import type { Broker } from './connect.ts';

/** The inputs that one of was being handled when an owner's process died. */
export interface Suspect {
  readonly stream: string;
  readonly fromSeq: number;
  readonly toSeq: number;
}

const recordSchema = z.object({
  instance: z.string(),
  life: z.string(),
  state: z.enum(['held', 'released']),
  /** False while the holder still reads what it needs; what knows nothing of that writes nothing. */
  works: z.boolean().default(true),
  /** Processes that died at the suspect; without one: whether the last owner died at all. */
  deaths: z.number().int(),
  /** Whether this holder came as far as the suspect, or only heard of it from the one before. */
  reached: z.boolean(),
  suspect: z.object({ stream: z.string(), fromSeq: z.number(), toSeq: z.number() }).nullable(),
});
export type OwnerRecord = z.infer<typeof recordSchema>;

export const OWNERS_BUCKET = 'OWNERS';

const LOOK_AGAIN_MS = 250;

/** Another write to the same record came first, or is under way. */
const OVERTAKEN: ReadonlySet<number> = new Set([
  JetStreamApiCodes.StreamWrongLastSequence,
  JetStreamApiCodes.StreamWrongLastSequenceUnknown,
]);

function recordIn(entry: KvEntry | null): OwnerRecord | null {
  if (entry?.operation !== 'PUT') return null;
  const parsed = recordSchema.safeParse(entry.json());
  return parsed.success ? parsed.data : null;
}

/** Who holds a partition, and where it was when its holder died: one key per service and partition. */
export class OwnerRecords {
  readonly #kv: KV;
  readonly #service: string;
  readonly #waiting = new Map<string, Set<(record: OwnerRecord | null) => void>>();
  #watch: { stop(): void } | undefined;

  private constructor(kv: KV, service: string) {
    this.#kv = kv;
    this.#service = service;
  }

  static async open(broker: Broker, service: string): Promise<OwnerRecords> {
    const records = new OwnerRecords(await broker.kvm.open(OWNERS_BUCKET), service);
    await records.#follow();
    return records;
  }

  async read(p: number): Promise<OwnerRecord | null> {
    return (await this.readRevision(p)).record;
  }

  /** With the revision that a claim rests on, 0 before the first. */
  async readRevision(p: number): Promise<{ readonly record: OwnerRecord | null; readonly revision: number }> {
    const entry = await this.#kv.get(this.#key(p));
    return { record: recordIn(entry), revision: entry?.revision ?? 0 };
  }

  /** Writes over what was read; false when another wrote it since. */
  async claim(p: number, record: OwnerRecord, revision: number): Promise<boolean> {
    try {
      await this.#kv.put(this.#key(p), JSON.stringify(record), { previousSeq: revision });
      return true;
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || !OVERTAKEN.has(error.code)) throw error;
      return false;
    }
  }

  async write(p: number, record: OwnerRecord): Promise<void> {
    await this.#kv.put(this.#key(p), JSON.stringify(record));
  }

  /** Looks at a record each time it changes, until it is as wanted (true) or the time is over (false). */
  async until(
    p: number,
    isWanted: (record: OwnerRecord | null) => boolean,
    isOver: () => boolean,
  ): Promise<boolean> {
    // Before it is read: what changes meanwhile is not missed.
    let changed = this.#changed(p);
    let record = await this.read(p);
    while (!isWanted(record)) {
      if (isOver()) return false;
      const heard = await changed;
      changed = this.#changed(p);
      record = heard === undefined ? await this.read(p) : heard;
    }
    return true;
  }

  close(): void {
    this.#watch?.stop();
    for (const waiting of this.#waiting.values()) for (const wake of [...waiting]) wake(null);
  }

  /** What was written next, or undefined after a moment: a watch may break. */
  #changed(p: number): Promise<OwnerRecord | null | undefined> {
    const { promise, resolve } = Promise.withResolvers<OwnerRecord | null | undefined>();
    const waiting = this.#waiting.getOrInsertComputed(this.#key(p), () => new Set());
    const wake = (record: OwnerRecord | null | undefined) => {
      clearTimeout(timer);
      waiting.delete(wake);
      resolve(record);
    };
    const timer = setTimeout(() => wake(undefined), LOOK_AGAIN_MS);
    waiting.add(wake);
    return promise;
  }

  async #follow(): Promise<void> {
    const entries = await this.#kv.watch({
      key: `${this.#service}.*`,
      include: KvWatchInclude.UpdatesOnly,
    });
    this.#watch = entries;
    void (async () => {
      for await (const entry of entries) {
        for (const wake of [...(this.#waiting.get(entry.key) ?? [])]) wake(recordIn(entry));
      }
    })();
  }

  #key(p: number): string {
    return `${this.#service}.${p}`;
  }
}
