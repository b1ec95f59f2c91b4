import type { Causes, Reason } from '../condition.ts';
import type { FactName, FactValue } from '../facts.ts';
import type { Policy } from '../policy.ts';
import type { CanonicalBlockerLayer, CheckVerdict, Owner, RiskName } from '../words.ts';

/** What a fact's value means for its layer. A soft failure degrades, a hard one stops or spends grace. */
export interface Judgement {
  readonly verdict: CheckVerdict;
  readonly severity: 'none' | 'soft' | 'hard';
  readonly reason: Reason;
  /** Default: the layer's owner. */
  readonly owner?: Owner;
  /** Of an unknown: work on its way that takes back no passing answer (a second import). */
  readonly background?: true;
  /** When the grace clock does not start with the observation but is told by the fact (past due since). */
  readonly graceUntilMs?: number;
}

export const PASS: Judgement = { verdict: 'pass', severity: 'none', reason: 'ok' };
export const soft = (reason: Reason): Judgement => ({ verdict: 'fail', severity: 'soft', reason });
export const hard = (reason: Reason, owner?: Owner): Judgement => ({
  verdict: 'fail',
  severity: 'hard',
  reason,
  ...(owner ? { owner } : {}),
});
export const unknown = (reason: Reason): Judgement => ({ verdict: 'unknown', severity: 'none', reason });

/** Something beside pass and fail that the present facts call for; the machine keys it by its cause. */
export type CauseWanted =
  | { readonly kind: 'hold'; readonly cause: Reason }
  | { readonly kind: 'cooldown'; readonly cause: Reason; readonly untilMs: number }
  | { readonly kind: 'closure'; readonly cause: Reason; readonly untilMs: number | null }
  | { readonly kind: 'setup'; readonly cause: Reason; readonly untilMs: number }
  | { readonly kind: 'lease'; readonly cause: Reason; readonly untilMs: number };

/** The fresh answers of one source, by fact; a fact without a fresh answer is absent. */
export type KnownFacts<L extends CanonicalBlockerLayer = CanonicalBlockerLayer> = {
  readonly [F in FactName<L>]?: FactValue;
};

export interface RuleContext {
  readonly policy: Policy;
  /** The time of the event that is being folded, ms since the epoch. */
  readonly atMs: number;
  /** Whether every hard failure runs inside its grace at this moment. */
  readonly graceRunning?: boolean;
  /** The last stop that was served, of a layer that counts what came after it. */
  readonly servedStop?: Causes['servedStop'];
  /** Of a report while a stop lasts: what every fact was last known to be before it. */
  readonly stoppedAt?: Readonly<Record<string, FactValue | undefined>>;
}

export interface LayerRule<L extends CanonicalBlockerLayer = CanonicalBlockerLayer> {
  readonly layer: L;
  readonly owner: Owner;
  /** Whether a hard failure of a fact that passed before runs inside a dated deadline first. */
  readonly graceMs?: (fact: FactName<L>, policy: Policy) => number | null;
  /** A fact whose failure, once left, owes probation before the layer counts as recovered. */
  readonly requalifies?: FactName<L>;
  /**
   * What probation takes: so much more on a counter, or so many reports in which every required fact passes.
   * Every layer that can be in probation says it, for there must be a way out.
   */
  readonly requalification?: {
    readonly counter?: FactName<L>;
    readonly needed: (policy: Policy) => number;
  };
  /** Lifetime counters whose standing at the end of a stop is remembered. */
  readonly counters?: readonly FactName<L>[];
  /** Moments at which the same answers mean something else (a due date), ms since the epoch. */
  readonly deadlines?: (known: KnownFacts<L>) => readonly number[];
  /** Closings and set-ups that come and go with the facts; any other is told, and ends by its own event or time. */
  readonly follows?: readonly Reason[];
  /** Facts that we compute from the others (a band from counts). */
  readonly derive?: (known: KnownFacts<L>, context: RuleContext) => KnownFacts<L>;
  readonly judge: (fact: FactName<L>, known: KnownFacts<L>, context: RuleContext) => Judgement;
  readonly causes?: (known: KnownFacts<L>, context: RuleContext) => readonly CauseWanted[];
  readonly risks?: (known: KnownFacts<L>, context: RuleContext) => readonly RiskName[];
}

const DAY_MS = 86_400_000;
export const days = (count: number): number => count * DAY_MS;
export const number = (value: FactValue | undefined, otherwise = 0): number =>
  typeof value === 'number' ? value : otherwise;
