import TinyQueue from 'tinyqueue';

interface Entry {
  readonly key: string;
  readonly atMs: number;
}

/** When which key is due next. Setting a key again replaces its time; an old entry is skipped when it surfaces. */
export class DeadlineHeap {
  readonly #heap = new TinyQueue<Entry>([], (a, b) => a.atMs - b.atMs);
  readonly #current = new Map<string, number>();

  set(key: string, atMs: number | null): void {
    if (atMs === null) {
      this.#current.delete(key);
      return;
    }
    if (this.#current.get(key) === atMs) return;
    this.#current.set(key, atMs);
    this.#heap.push({ key, atMs });
  }

  /** Takes out what is due at this time, earliest first. */
  *due(nowMs: number): Generator<string> {
    for (let next = this.#heap.peek(); next && next.atMs <= nowMs; next = this.#heap.peek()) {
      this.#heap.pop();
      if (this.#current.get(next.key) !== next.atMs) continue;
      this.#current.delete(next.key);
      yield next.key;
    }
  }
}
