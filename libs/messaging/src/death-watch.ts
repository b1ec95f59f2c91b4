import type { OwnerRecord, OwnerRecords, Suspect } from './owner-record.ts';
import type { StoredMessage } from './stored-message.ts';

/** An input at which this many processes died is skipped. */
const DEATHS_MAX = 3;
/** After an unclean end the backlog is worked off in at most this many noted steps per input stream. */
const STEPS_MAX = 500;

/**
 * Finds an input that kills the process which handles it. After an owner died without releasing its partition, the
 * next one notes where it is before each step; the death that follows points to the step, the next one to the
 * single input, and the third death there skips it. In ordinary running nothing is noted and nothing is paid.
 */
export class DeathWatch {
  readonly #records: OwnerRecords;
  readonly #p: number;
  readonly #self: { readonly instance: string; readonly life: string };
  readonly #deaths: number;
  readonly #suspect: Suspect | null;
  /** Streams whose backlog at take-over is not worked off yet. */
  readonly #cautious = new Map<string, { step: number; noted: Suspect | null }>();

  private constructor(
    records: OwnerRecords,
    p: number,
    self: { instance: string; life: string },
    before: OwnerRecord | null,
    ownerAlive: boolean,
  ) {
    const unclean = before?.state === 'held' && !ownerAlive;
    this.#records = records;
    this.#p = p;
    this.#self = self;
    this.#deaths = unclean ? before.deaths + 1 : 0;
    this.#suspect = unclean ? before.suspect : null;
  }

  /** Takes the partition's record over. `ownerAlive` tells a hand-over that was not finished from a death. */
  static async take(
    records: OwnerRecords,
    p: number,
    self: { instance: string; life: string },
    ownerAlive: (record: OwnerRecord) => boolean,
  ): Promise<DeathWatch> {
    const before = await records.read(p);
    const watch = new DeathWatch(records, p, self, before, before !== null && ownerAlive(before));
    await watch.#note(watch.#suspect);
    return watch;
  }

  /** Tells how much of a stream waits at take-over. */
  backlog(stream: string, pending: number): void {
    if (this.#deaths === 0 || pending === 0) return;
    this.#cautious.set(stream, { step: Math.ceil(pending / STEPS_MAX), noted: null });
  }

  /** Before an input is handled; true when it must be skipped instead. */
  async isDeadly(input: StoredMessage): Promise<boolean> {
    const caution = this.#cautious.get(input.stream);
    if (!caution) return false;
    const suspect = this.#suspect;
    const single = { stream: input.stream, fromSeq: input.seq, toSeq: input.seq };
    if (suspect && suspect.stream === input.stream && within(suspect, input.seq)) {
      if (suspect.fromSeq === suspect.toSeq && this.#deaths >= DEATHS_MAX) return true;
      await this.#note(single);
      caution.noted = single;
    } else if (!caution.noted || !within(caution.noted, input.seq)) {
      caution.noted = { ...single, toSeq: input.seq + caution.step - 1 };
      await this.#note(caution.noted);
    }
    return false;
  }

  /** After an input: when the backlog is worked off the deaths are forgotten. */
  async handled(input: StoredMessage): Promise<void> {
    if (!this.#cautious.has(input.stream) || input.pending > 0) return;
    this.#cautious.delete(input.stream);
    if (this.#cautious.size === 0) await this.forget();
  }

  async forget(): Promise<void> {
    await this.#records.write(this.#p, { ...this.#self, state: 'held', deaths: 0, suspect: null });
  }

  async release(): Promise<void> {
    await this.#records.write(this.#p, { ...this.#self, state: 'released', deaths: 0, suspect: null });
  }

  async #note(suspect: Suspect | null): Promise<void> {
    await this.#records.write(this.#p, { ...this.#self, state: 'held', deaths: this.#deaths, suspect });
  }
}

function within(suspect: Suspect, seq: number): boolean {
  return suspect.fromSeq <= seq && seq <= suspect.toSeq;
}
