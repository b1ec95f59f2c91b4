import TinyQueue from 'tinyqueue';

interface Entry {
  readonly key: string;
  readonly dueAtMs: number;
}

/** Entries that are passed over may lie in the heap up to this many, and as many again as count. */
const SPARE = 1_000;

function heapOf(entries: Entry[]): TinyQueue<Entry> {
  return new TinyQueue(entries, (one, other) => one.dueAtMs - other.dueAtMs);
}

/** When each of many things is due, in one heap. An entry that was set anew or removed is passed over when it comes. */
export class ProbeSchedule {
  #heap = heapOf([]);
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  set(key: string, dueAtMs: number): void {
    const entry = { key, dueAtMs };
    this.#entries.set(key, entry);
    this.#heap.push(entry);
    if (this.#heap.length > 2 * this.#entries.size + SPARE) this.#heap = heapOf([...this.#entries.values()]);
  }

  remove(key: string): void {
    this.#entries.delete(key);
  }

  /** When the next one is due, null when there is none. */
  nextDueMs(): number | null {
    return this.#peek()?.dueAtMs ?? null;
  }

  /** Takes out everything that is due by now, earliest first. */
  takeDue(nowMs: number): string[] {
    const due: string[] = [];
    for (let entry = this.#peek(); entry && entry.dueAtMs <= nowMs; entry = this.#peek()) {
      this.#heap.pop();
      this.#entries.delete(entry.key);
      due.push(entry.key);
    }
    return due;
  }

  /** Nothing waits for longer than this. */
  pullForward(dueAtMs: number): void {
    for (const entry of [...this.#entries.values()]) {
      if (entry.dueAtMs > dueAtMs) this.set(entry.key, dueAtMs);
    }
  }

  #peek(): Entry | undefined {
    for (;;) {
      const entry = this.#heap.peek();
      if (!entry || this.#entries.get(entry.key) === entry) return entry;
      this.#heap.pop();
    }
  }
}
