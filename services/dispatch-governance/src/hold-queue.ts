import type { Trigger } from './decision-record.ts';
import type { HoldTurns } from './hold-turns.ts';

/** One tenant's holds that are to be decided again, with what made it necessary; each waits for the tenant's turn. */
export class HoldQueue {
  readonly #turns: HoldTurns;
  readonly #itsTurn: () => void;
  readonly #due = new Map<string, Trigger>();
  #hasTurn = false;
  #asked: Promise<void> | null = null;

  /** Calls back when the turn came that was waited for. */
  constructor(turns: HoldTurns, itsTurn: () => void) {
    this.#turns = turns;
    this.#itsTurn = itsTurn;
  }

  get length(): number {
    return this.#due.size;
  }

  /** Resolves when the turn comes that was asked for; null when none was. */
  get turn(): Promise<void> | null {
    return this.#asked;
  }

  add(dispatchId: string, trigger: Trigger): void {
    this.#due.set(dispatchId, trigger);
  }

  /** The next one, when it may be decided now; `decided` is to be called after it. */
  shift(): { readonly dispatchId: string; readonly trigger: Trigger } | undefined {
    const [next] = this.#due;
    if (!next || !this.#takeTurn()) return undefined;
    const [dispatchId, trigger] = next;
    this.#due.delete(dispatchId);
    this.#hasTurn = false;
    return { dispatchId, trigger };
  }

  decided(): void {
    this.#turns.done();
  }

  /** Gives a turn back that is not used. */
  passTurnOn(): void {
    if (this.#hasTurn) this.#turns.done();
    this.#hasTurn = false;
  }

  #takeTurn(): boolean {
    if (this.#hasTurn || this.#asked !== null) return this.#hasTurn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hasTurn = this.#turns.ask(() => {
      this.#asked = null;
      this.#hasTurn = true;
      this.#itsTurn();
      resolve();
    });
    if (!this.#hasTurn) this.#asked = promise;
    return this.#hasTurn;
  }
}
