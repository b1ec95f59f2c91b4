interface Waiting {
  readonly owner: object;
  readonly enter: (entered: boolean) => void;
}

/** How many desks a process keeps, for how long, and how many are being set up at once: its memory is bounded by it. */
export class DeskPool {
  #free: number;
  #waiting: Waiting[] = [];
  readonly #pressed = new Set<() => void>();
  #settingUp = 0;
  readonly #settingUpMax: number;
  readonly #desksMax: number;
  readonly #toSetUp: (() => void)[] = [];
  /** A desk at which nothing was to be done for so many seconds is let go; to set one up takes some ms. */
  readonly idleSecMax: number;

  constructor({ desksMax = 4_096, settingUpMax = 64, idleSecMax = 60 } = {}) {
    this.#free = desksMax;
    this.#desksMax = desksMax;
    this.#settingUpMax = settingUpMax;
    this.idleSecMax = idleSecMax;
  }

  /** Calls back when somebody waits for a place; the function it returns ends that. */
  onPressure(relieve: () => void): () => void {
    this.#pressed.add(relieve);
    return () => this.#pressed.delete(relieve);
  }

  /** Desks that are there now. */
  get desks(): number {
    return this.#desksMax - this.#free;
  }

  get isCrowded(): boolean {
    return this.#waiting.length > 0;
  }

  tryEnter(): boolean {
    if (this.#free === 0) return false;
    this.#free--;
    return true;
  }

  /** Resolves with true when there is a place, with false when its owner gave up waiting. */
  async enter(owner: object): Promise<boolean> {
    if (this.tryEnter()) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ owner, enter: resolve });
    for (const relieve of this.#pressed) relieve();
    return promise;
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next) next.enter(true);
    else this.#free++;
  }

  giveUp(owner: object): void {
    const [given, others] = [[] as Waiting[], [] as Waiting[]];
    for (const one of this.#waiting) (one.owner === owner ? given : others).push(one);
    this.#waiting = others;
    for (const one of given) one.enter(false);
  }

  async settingUp(work: () => Promise<void>): Promise<void> {
    if (this.#settingUp >= this.#settingUpMax)
      await new Promise<void>((resolve) => this.#toSetUp.push(resolve));
    else this.#settingUp++;
    try {
      await work();
    } finally {
      const next = this.#toSetUp.shift();
      if (next) next();
      else this.#settingUp--;
    }
  }
}
