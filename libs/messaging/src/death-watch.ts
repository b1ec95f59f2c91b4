import type { OwnerRecord, OwnerRecords, Suspect } from './owner-record.ts';
import type { StoredMessage } from './stored-message.ts';

/** An input at which this many processes died is skipped. */
const DEATHS_MAX = 3;
/** After an unclean end the backlog is worked off in at most this many noted steps per input stream. */
const STEPS_MAX = 64;

/** How an input is handled, as far as it matters here. */
export interface Work {
  /** Begins the input; what it runs into later is waited for by `workedOff`. */
  readonly start: () => void;
  readonly workedOff: () => Promise<void>;
}

type Said = Pick<OwnerRecord, 'deaths' | 'suspect' | 'reached'> & Partial<OwnerRecord>;

export interface Taking {
  readonly isAlive: (holder: OwnerRecord) => boolean;
  readonly turn: Turn;
  readonly byForce: boolean;
}

/**
 * Finds an input that kills the process which handles it. After an owner died without releasing its partition, the
 * next one notes where it is before each step; the death that follows points to the step or the single input, and
 * the third one that may have been at a single input skips it. A death before the suspect was reached, or at
 * another input, says nothing about the suspect: processes are also killed by accident. For the same reason, once a
 * second process died in a row, the partitions work off their backlogs in turn: the death that one of them causes would
 * else count against whatever the others were doing. After one death, which mostly is an accident, they do not wait
 * for each other. In ordinary running nothing is noted and nothing is paid.
 */
export class DeathWatch {
  readonly #records: OwnerRecords;
  readonly #p: number;
  readonly #self: { readonly instance: string; readonly life: string };
  readonly #deaths: number;
  readonly #suspect: Suspect | null;
  /** Streams whose backlog at take-over is not worked off yet, with what is left of it. */
  readonly #cautious = new Map<string, { left: number; step: number; noted: Suspect | null }>();
  /** One input begins at a time, over all streams: the note must be about the input that runs. */
  #beginning: Promise<unknown> = Promise.resolve();
  readonly #turn: Turn;
  #passOn: (() => void) | undefined;
  #ended = false;

  private constructor(
    records: OwnerRecords,
    p: number,
    self: { instance: string; life: string },
    known: Pick<OwnerRecord, 'deaths' | 'suspect'>,
    turn: Turn,
  ) {
    this.#records = records;
    this.#p = p;
    this.#self = self;
    this.#turn = turn;
    this.#suspect = known.suspect;
    this.#deaths = known.deaths;
  }

  /**
   * Takes the partition's record over, of two that come for it one. Null when another who is alive has it, or was
   * faster; by force it is taken also from one who is alive, which is a hand-over that was not finished and no death.
   */
  static async take(
    records: OwnerRecords,
    p: number,
    self: { instance: string; life: string },
    { isAlive, turn, byForce }: Taking,
  ): Promise<DeathWatch | null> {
    const { record: before, revision } = await records.readRevision(p);
    const held = before?.state === 'held' ? before : null;
    const isOwn = held?.life === self.life;
    const isDead = held !== null && !isOwn && !isAlive(held);
    if (held && !isOwn && !isDead && !byForce) return null;
    // What it took before and could not open it knows as much of as then.
    const known = isDead ? withDeath(held) : isOwn ? held : { deaths: 0, suspect: null };
    const watch = new DeathWatch(records, p, self, known, turn);
    const record = watch.#record({ ...watch.#heard(), works: false });
    return (await records.claim(p, record, revision)) ? watch : null;
  }

  /** Whether more than one died here in a row, so that the backlog has to wait for its turn. */
  isSuspicious(): boolean {
    return this.#deaths > 1;
  }

  /** Resolves when no other partition of this process works off a suspicious backlog. */
  async itsTurn(): Promise<void> {
    const passOn = await this.#turn.take();
    if (this.#ended) passOn();
    else this.#passOn = passOn;
  }

  /** The partition was let go or lost: the next one may. */
  end(): void {
    this.#ended = true;
    this.#passOn?.();
  }

  /** Tells how much of a stream waits at take-over. */
  backlog(stream: string, pending: number): void {
    if (this.#deaths === 0 || pending === 0) return;
    this.#cautious.set(stream, { left: pending, step: Math.ceil(pending / STEPS_MAX), noted: null });
  }

  /** The owner works, and every backlog is known: without any there is nothing that could have killed. */
  async opened(): Promise<void> {
    if (this.#ended) return;
    if (this.#deaths > 0 && this.#cautious.size === 0) return this.#forget();
    // Reading has begun: a note of what runs says that we work, and must stand.
    if ([...this.#cautious.values()].some(({ noted }) => noted)) return;
    await this.#write(this.#heard());
  }

  #heard() {
    return { deaths: this.#deaths, suspect: this.#suspect, reached: false };
  }

  /** Whether inputs of this stream are noted before they begin. */
  isCautious(stream: string): boolean {
    return this.#cautious.has(stream);
  }

  /** Notes an input and lets it begin; true when it must be skipped instead. */
  begin(input: StoredMessage, work: Work): Promise<boolean> {
    const turn = this.#beginning.then(async () => {
      const deadly = await this.#isDeadly(input, work);
      if (!deadly) work.start();
      return deadly;
    });
    this.#beginning = turn.catch(() => {});
    return turn;
  }

  async #isDeadly(input: StoredMessage, work: Work): Promise<boolean> {
    const caution = this.#cautious.get(input.stream);
    if (!caution) return false;
    const { stream, seq } = input;
    const suspect = this.#suspect?.stream === stream && within(this.#suspect, seq) ? this.#suspect : null;
    const isSingle = suspect?.fromSeq === suspect?.toSeq;
    if (suspect && isSingle && this.#deaths >= DEATHS_MAX) return true;
    if (!suspect && caution.noted && within(caution.noted, seq)) return false;
    await work.workedOff();
    caution.noted = { stream, fromSeq: seq, toSeq: suspect ? seq : seq + caution.step - 1 };
    // A new suspect starts with the one death of which only the step is known, or not even that.
    await this.#write({
      deaths: suspect && isSingle ? this.#deaths : 1,
      suspect: caution.noted,
      reached: true,
    });
    return false;
  }

  /** After an input: when the backlog is worked off the deaths are forgotten. */
  async handled(input: StoredMessage, workedOff: () => Promise<void>): Promise<void> {
    const caution = this.#cautious.get(input.stream);
    // What came after the take-over is not counted: under load there is always more.
    if (!caution || (--caution.left > 0 && input.pending > 0)) return;
    await workedOff();
    this.#cautious.delete(input.stream);
    if (this.#cautious.size === 0) await this.#forget();
  }

  async release(): Promise<void> {
    await this.#write({ state: 'released', deaths: 0, suspect: null, reached: false });
  }

  async #forget(): Promise<void> {
    await this.#write({ deaths: 0, suspect: null, reached: false });
    this.#passOn?.();
  }

  async #write(said: Said): Promise<void> {
    await this.#records.write(this.#p, this.#record(said));
  }

  #record(said: Said): OwnerRecord {
    return { ...this.#self, state: 'held', works: true, ...said };
  }
}

function withDeath({ deaths, suspect, reached }: OwnerRecord): Pick<OwnerRecord, 'deaths' | 'suspect'> {
  return { deaths: Math.max(1, deaths + (suspect && reached ? 1 : 0)), suspect };
}

/** Taken by one after another; each passes it on. */
export class Turn {
  #last: Promise<void> = Promise.resolve();

  async take(): Promise<() => void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    return resolve;
  }
}

function within(suspect: Suspect, seq: number): boolean {
  return suspect.fromSeq <= seq && seq <= suspect.toSeq;
}
