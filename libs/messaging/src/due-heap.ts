import TinyQueue from 'tinyqueue';

/** Something whose time comes; it keeps its own times, so that a heap of very many costs little. */
export interface Due {
  /** When it is due next; null when no time changes anything. Set it through the heap. */
  dueMs: number | null;
  /** Until when the heap sleeps on its account; the heap's own. */
  queuedMs: number | null;
}

interface Entry<T> {
  readonly one: T;
  readonly atMs: number;
}

/**
 * What is due next, of very many. A time that moves back and forth costs no further entry: the entry that stands wakes
 * too early at most, and is put back.
 */
export class DueHeap<T extends Due> {
  readonly #heap = new TinyQueue<Entry<T>>([], (a, b) => a.atMs - b.atMs);

  set(one: T, atMs: number | null): void {
    one.dueMs = atMs;
    if (atMs === null || (one.queuedMs !== null && one.queuedMs <= atMs)) return;
    one.queuedMs = atMs;
    this.#heap.push({ one, atMs });
  }

  /** Takes out what is due at this time, earliest first; each is due no more until it is set anew. */
  *due(nowMs: number): Generator<T> {
    for (let next = this.#heap.peek(); next && next.atMs <= nowMs; next = this.#heap.peek()) {
      this.#heap.pop();
      const { one, atMs } = next;
      // An earlier time was set meanwhile, and has an entry of its own.
      if (one.queuedMs !== atMs) continue;
      one.queuedMs = null;
      const { dueMs } = one;
      if (dueMs === null) continue;
      if (dueMs > nowMs) {
        this.set(one, dueMs);
        continue;
      }
      one.dueMs = null;
      yield one;
    }
  }
}
