import type { StoredMessage } from './stored-message.ts';

/** Inputs of one key that are kept here; what is beyond stays in the stream until these are worked off. */
const KEPT_OF_KEY_MAX = 256;
/** Inputs of all keys together that are kept here. */
const KEPT_MAX = 2_048;
/** So many inputs are handled before the reader may go on reading. */
const AT_A_TIME = 16;

interface Line {
  readonly key: string;
  readonly waiting: StoredMessage[];
  /** What was left in the stream: from the first to the newest that was seen. */
  leftOut: { fromSeq: number; toSeq: number; readonly sinceMs: number } | null;
}

/** What stands at the front: nothing before it is unhandled. */
export interface Oldest {
  readonly seq: number;
  readonly storedAtMs: number;
}

export interface TurnsOptions {
  readonly handle: (input: StoredMessage) => Promise<void>;
  /** The next inputs of a key from a sequence on, in order; those that are there now. */
  readonly readNext: (key: string, fromSeq: number, max: number) => Promise<readonly StoredMessage[]>;
  readonly failed: (error: Error) => void;
}

/**
 * Inputs whose keys take turns, each key in its order: who sends very much waits for itself and for nobody else.
 * Memory is bounded: of a key some inputs are kept, and the rest is read again when its turn comes.
 */
export class InputTurns {
  readonly #options: TurnsOptions;
  /** In the order of their turns. */
  readonly #lines = new Map<string, Line>();
  #kept = 0;
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** Inputs that are here; of those that were left out nobody knows how many they are. */
  get waiting(): number {
    let waiting = this.#kept;
    for (const { leftOut } of this.#lines.values()) if (leftOut) waiting++;
    return waiting;
  }

  /** The oldest input that is not handled, or null. */
  oldest(): Oldest | null {
    let oldest: Oldest | null = null;
    const consider = (seq: number, storedAtMs: number) => {
      if (oldest === null || seq < oldest.seq) oldest = { seq, storedAtMs };
    };
    for (const { waiting, leftOut } of this.#lines.values()) {
      const [first] = waiting;
      if (first) consider(first.seq, first.storedAtMs);
      else if (leftOut) consider(leftOut.fromSeq, leftOut.sinceMs);
    }
    return oldest;
  }

  add(key: string, input: StoredMessage): void {
    const line = this.#lines.getOrInsertComputed(key, () => ({ key, waiting: [], leftOut: null }));
    const { seq, storedAtMs } = input;
    if (line.leftOut) line.leftOut.toSeq = seq;
    else if (line.waiting.length < KEPT_OF_KEY_MAX && this.#kept < KEPT_MAX) {
      line.waiting.push(input);
      this.#kept++;
    } else line.leftOut = { fromSeq: seq, toSeq: seq, sinceMs: storedAtMs };
    // Once closed a run would end before it is kept, and whoever waits for it would wait for ever.
    if (!this.#closed) this.#running ??= this.#run();
  }

  /** Resolves when nothing waits. */
  async workedOff(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** Begins nothing more, and resolves when what is being handled is through. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      for (let handled = 1; !this.#closed; handled++) {
        const line = this.#next();
        if (!line) return;
        if (line.waiting.length === 0) await this.#takeLeftOut(line);
        const [input] = line.waiting;
        // It stays in its place until it is handled: it is the oldest until then.
        if (input) {
          await this.#options.handle(input);
          line.waiting.shift();
          this.#kept--;
        }
        this.#passOn(line);
        if (handled % AT_A_TIME === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#closed = true;
      this.#options.failed(error as Error);
    } finally {
      // In the same turn that saw the lines empty: what is added next starts anew.
      this.#running = null;
    }
  }

  #next(): Line | undefined {
    for (const line of this.#lines.values()) return line;
    return undefined;
  }

  /** To the end of the line, or away when nothing of it waits. */
  #passOn(line: Line): void {
    this.#lines.delete(line.key);
    if (line.waiting.length > 0 || line.leftOut) this.#lines.set(line.key, line);
  }

  async #takeLeftOut(line: Line): Promise<void> {
    if (!line.leftOut) return;
    const found = await this.#options.readNext(line.key, line.leftOut.fromSeq, KEPT_OF_KEY_MAX);
    // More may have been left out meanwhile; what the reader has not seen yet it will bring itself.
    const { toSeq } = line.leftOut;
    const seen = found.filter(({ seq }) => seq <= toSeq);
    line.waiting.push(...seen);
    this.#kept += seen.length;
    const last = seen.at(-1);
    // Nothing where something was seen: it was purged, or is too old to be kept.
    if (!last || last.seq >= toSeq) line.leftOut = null;
    else line.leftOut = { fromSeq: last.seq + 1, toSeq, sinceMs: last.storedAtMs };
  }
}
