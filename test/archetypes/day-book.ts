import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  type CanonicalRuntimeTruth,
  DISPATCH_DECISIONS,
  type DispatchBlocker,
  type DispatchDecision,
  dispatches,
  type GovernanceMode,
  type LayerCondition,
  type ManagedExecutionState,
} from '@orchestrate/canon';
import type { DecisionRecorded } from '@orchestrate/contracts';

/** One decision, with what was so at the very moment beside it. */
export interface Decided {
  readonly atMs: number;
  readonly dispatchId: string;
  readonly recipientKey: string;
  readonly kind: DispatchDecision;
  readonly blocker: DispatchBlocker;
  readonly outcome: string;
  /** Blockers whose own outcome asks for something else than a dispatch. */
  readonly against: readonly DispatchBlocker[];
  readonly mode: GovernanceMode;
  readonly pacing: ManagedExecutionState;
  readonly approved: boolean;
  readonly underReview: boolean;
}

/** What became of the requests of a day, and how the tenant stood at noon. */
export interface Day {
  readonly day: number;
  /** Requests that were decided on this day or were still held at its end, by their last decision. */
  readonly kinds: Readonly<Record<DispatchDecision, number>>;
  /** Holds that waited for too long and ended on this day. */
  readonly expired: number;
  readonly sends: number;
  /** Why most of what was not sent was not: `blocker outcome`. */
  readonly mainCause: string | null;
  readonly states: Readonly<Record<CanonicalBlockerLayer, ManagedExecutionState>>;
  readonly mode: GovernanceMode;
}

/** Keeps what was decided, day by day. */
export class DayBook {
  readonly all: Decided[] = [];
  readonly days: Day[] = [];
  readonly #today = new Map<string, Decided>();
  #noon: Pick<Day, 'states' | 'mode'> | null = null;

  decided(record: DecisionRecorded, pacing: LayerCondition): void {
    const decided: Decided = {
      atMs: record.decidedAtMs,
      dispatchId: record.dispatchId,
      recipientKey: record.action.recipientKey,
      kind: record.kind,
      blocker: record.decidingBlocker,
      outcome: record.decidingOutcome,
      against: record.gates.flatMap(({ blocker, decision }) => (dispatches(decision) ? [] : [blocker])),
      mode: record.mode?.resolved ?? 'draft_only',
      pacing: pacing.state,
      approved: record.approvalId !== null,
      underReview: record.review !== null,
    };
    this.all.push(decided);
    this.#today.set(decided.dispatchId, decided);
  }

  noon({ layers, mode }: CanonicalRuntimeTruth): void {
    this.#noon = {
      states: Object.fromEntries(
        CANONICAL_BLOCKER_LAYERS.map((layer) => [layer, layers[layer].state]),
      ) as Day['states'],
      mode: mode.resolved,
    };
  }

  /** What is still held at the end of a day goes on to the next one. */
  endDay(day: number, isHeld: (dispatchId: string) => boolean): void {
    if (!this.#noon) throw new Error(`day ${day} had no noon`);
    const decided = [...this.#today.values()];
    const live = decided.filter(({ outcome }) => outcome !== 'hold_expired');
    const unsent = live.filter(({ kind }) => !dispatches(kind));
    const count = (kind: DispatchDecision) => live.filter((one) => one.kind === kind).length;
    this.days.push({
      day,
      kinds: Object.fromEntries(DISPATCH_DECISIONS.map((kind) => [kind, count(kind)])) as Day['kinds'],
      expired: decided.length - live.length,
      sends: live.length - unsent.length,
      mainCause: mostFrequent(unsent.map(({ blocker, outcome }) => `${blocker} ${outcome}`)),
      ...this.#noon,
    });
    for (const { dispatchId } of decided) if (!isHeld(dispatchId)) this.#today.delete(dispatchId);
  }
}

export function mostFrequent<T>(items: readonly T[]): T | null {
  const counts = [...Map.groupBy(items, (item) => item)].map(([item, all]) => ({ item, times: all.length }));
  return counts.toSorted((a, b) => b.times - a.times)[0]?.item ?? null;
}
