interface Entry {
  readonly atMs: number;
  readonly run: () => void;
}

/** What will happen, in the order of its time; at the same time, in the order in which it was put down. */
export class Agenda {
  #nowMs: number;
  readonly #entries: Entry[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** What would have to happen in the past happens now. */
  at(atMs: number, run: () => void): void {
    const entry = { atMs: Math.max(atMs, this.#nowMs), run };
    const before = this.#entries.findLastIndex((other) => other.atMs <= entry.atMs);
    this.#entries.splice(before + 1, 0, entry);
  }

  every(periodMs: number, run: () => void): void {
    run();
    this.at(this.#nowMs + periodMs, () => this.every(periodMs, run));
  }

  /** Everything before this time happens, each thing by way of `step`. */
  runUntil(endMs: number, step: (run: () => void) => void): void {
    for (let next = this.#entries[0]; next && next.atMs < endMs; next = this.#entries[0]) {
      this.#entries.shift();
      this.#nowMs = next.atMs;
      step(next.run);
    }
    this.#nowMs = endMs;
  }
}
