import { setTimeout as sleep } from 'node:timers/promises';

const AT_ONCE = 32;
const PER_TURN = 256;
/** Between two turns whatever arrived meanwhile goes first. */
const REST_MS = 2;

/**
 * Whose hold is decided again next, over all tenants of a process. A tenant asks for one hold at a time and stands at
 * the end again after it; a new request asks nobody, so it is never behind more holds than are being decided.
 */
export class HoldTurns {
  readonly #asking: (() => void)[] = [];
  #deciding = 0;
  #left = PER_TURN;
  #resting = false;

  /** True when the caller may go on at once; else it is called when its turn comes. It calls `done` after it. */
  ask(granted: () => void): boolean {
    if (this.#asking.length === 0 && this.#isFree()) {
      this.#take();
      return true;
    }
    this.#asking.push(granted);
    this.#grant();
    return false;
  }

  done(): void {
    this.#deciding--;
    this.#grant();
  }

  #isFree(): boolean {
    return this.#left > 0 && this.#deciding < AT_ONCE;
  }

  #take(): void {
    this.#left--;
    this.#deciding++;
  }

  #grant(): void {
    while (this.#asking.length > 0 && this.#isFree()) {
      this.#take();
      this.#asking.shift()!();
    }
    if (this.#left > 0 || this.#resting) return;
    this.#resting = true;
    void sleep(REST_MS).then(() => {
      this.#resting = false;
      this.#left = PER_TURN;
      this.#grant();
    });
  }
}
