import type { FactValue, Policy } from '@orchestrate/canon';

const COUNTED = ['sent', 'delivered', 'hardBounces', 'complaints', 'unsubs', 'unresolved'] as const;
type Counted = (typeof COUNTED)[number];

/** What leaves a mailbox and what comes back, by UTC day, and the figures that a counting source makes of it. */
export class MailboxCounters {
  readonly #days = new Map<number, Record<Counted, number>>();
  readonly #policy: Policy;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  count(what: Counted, day: number, times = 1): void {
    const counts = this.#days.getOrInsertComputed(day, () => ({
      sent: 0,
      delivered: 0,
      hardBounces: 0,
      complaints: 0,
      unsubs: 0,
      unresolved: 0,
    }));
    counts[what] += times;
  }

  /** Counted here: what was sent, and what came back by bounces. */
  ownFacts(day: number): Readonly<Record<string, FactValue>> {
    const { windowDays } = this.#policy.pacing;
    return {
      sentToday: this.#sum('sent', day, 1),
      delivered30d: this.#sum('delivered', day, windowDays),
      deliveredTotal: this.#sum('delivered', day, Number.POSITIVE_INFINITY),
      hardBounces30d: this.#sum('hardBounces', day, windowDays),
      hardBouncesTotal: this.#sum('hardBounces', day, Number.POSITIVE_INFINITY),
      unsubs30d: this.#sum('unsubs', day, windowDays),
      unresolvedOutcomes: this.#sum('unresolved', day, 1),
      volumeRatio: this.#volumeRatio(day),
    };
  }

  /** Told by the mailbox providers, where they tell it. */
  feedbackFacts(day: number): Readonly<Record<string, FactValue>> {
    return {
      complaints7d: this.#sum('complaints', day, 7),
      complaints30d: this.#sum('complaints', day, this.#policy.pacing.windowDays),
      complaintsTotal: this.#sum('complaints', day, Number.POSITIVE_INFINITY),
    };
  }

  /** Today against the best of the 30 days before; what the exploration budget allows is never a jump. */
  #volumeRatio(day: number): number {
    const before = [...this.#days].filter(
      ([other]) => other < day && other >= day - this.#policy.pacing.windowDays,
    );
    const best = Math.max(
      this.#policy.dispatch.explorationPerMailboxDay,
      ...before.map(([, counts]) => counts.sent),
    );
    return this.#sum('sent', day, 1) / best;
  }

  #sum(what: Counted, day: number, days: number): number {
    let sum = 0;
    for (const [other, counts] of this.#days) if (other <= day && other > day - days) sum += counts[what];
    return sum;
  }
}
