import { ProbeSchedule } from './probe-schedule.ts';

/** A longer wait is taken in steps: timers know neither more than 24 days nor a clock that is set. */
const WAIT_MS_MAX = 10_000;

/** Calls back with each key when it is due, with one timer for all of them. */
export class DueTimer {
  readonly #schedule = new ProbeSchedule();
  readonly #due: (key: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #wakesAtMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(due: (key: string) => void) {
    this.#due = due;
  }

  get size(): number {
    return this.#schedule.size;
  }

  set(key: string, dueAtMs: number): void {
    this.#schedule.set(key, dueAtMs);
    this.#arm();
  }

  remove(key: string): void {
    this.#schedule.remove(key);
  }

  pullForward(dueAtMs: number): void {
    this.#schedule.pullForward(dueAtMs);
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const nextMs = this.#schedule.nextDueMs();
    if (this.#closed || nextMs === null || nextMs >= this.#wakesAtMs) return;
    clearTimeout(this.#timer);
    const nowMs = Date.now();
    const waitMs = Math.min(WAIT_MS_MAX, Math.max(0, nextMs - nowMs));
    this.#wakesAtMs = nowMs + waitMs;
    this.#timer = setTimeout(() => this.#wake(), waitMs);
  }

  #wake(): void {
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
    for (const key of this.#schedule.takeDue(Date.now())) this.#due(key);
    this.#arm();
  }
}
