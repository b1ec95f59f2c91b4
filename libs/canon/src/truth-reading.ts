import type { Reason } from './condition.ts';
import { ruleOf } from './rules/index.ts';
import type { Found, StandingCase } from './standing.ts';
import type { CanonicalRuntimeTruth, TruthLayer, TruthSource } from './truth.ts';
import { type IndexedSource, type ReadFact, TruthIndex, unanswered, whyNever } from './truth-index.ts';
import { type CanonicalBlockerLayer, type ManagedExecutionState, stateToBucket } from './words.ts';

export type { ReadFact } from './truth-index.ts';

/** States that a machine keeps when a fact of its layer expires: something else than that fact made them. */
const OUTLIVES_EXPIRY: ReadonlySet<ManagedExecutionState> = new Set([
  'operator_review',
  'internal_fault',
  'cooling_down',
  'unknown',
  'verifying',
  'provisioning',
]);

/** Reads a truth at a moment. Only the named sources of a layer are ever consulted. */
export class TruthReading {
  readonly truth: CanonicalRuntimeTruth | null;
  readonly fresh: boolean;
  readonly nowMs: number;
  readonly #index: TruthIndex | null;
  #found: Found | null = null;
  #foundFor: Pick<StandingCase, 'policy' | 'action'> | null = null;

  constructor(truth: CanonicalRuntimeTruth | null, fresh: boolean, nowMs: number) {
    this.truth = truth;
    this.fresh = fresh && truth !== null;
    this.nowMs = nowMs;
    this.#index = truth && TruthIndex.of(truth);
  }

  source(layer: CanonicalBlockerLayer, source: string): TruthSource | undefined {
    return this.#indexed(layer, source)?.source;
  }

  #indexed(layer: CanonicalBlockerLayer, source: string): IndexedSource | undefined {
    return this.#index?.source(layer, source);
  }

  /** What a layer shows now: past its validity, or in a truth that is stale, it reads unknown. */
  layer(layer: CanonicalBlockerLayer): Omit<TruthLayer, 'sources' | 'validUntilMs'> {
    const unknown = (reason: Reason) =>
      ({ state: 'unknown', bucket: stateToBucket('unknown'), owner: 'orchestrate', reason }) as const;
    if (!this.truth || !this.fresh) return unknown('truth_stale');
    const { state, bucket, owner, reason, validUntilMs } = this.truth.layers[layer];
    const expired = validUntilMs !== null && validUntilMs <= this.nowMs;
    return expired && !OUTLIVES_EXPIRY.has(state) ? unknown('expired') : { state, bucket, owner, reason };
  }

  fact(layer: CanonicalBlockerLayer, source: string, fact: string): ReadFact {
    if (!this.fresh) return unanswered(layer, source, fact, 'truth_stale', true);
    const indexed = this.#indexed(layer, source);
    const found = indexed?.fact(fact);
    if (!found) {
      const never = unanswered(layer, source, fact, whyNever(layer, fact), false);
      // What was never declared nobody can find out: whoever declares such a source has to.
      return indexed ? never : { ...never, owner: ruleOf(layer).owner };
    }
    return found.expiresAtMs <= this.nowMs ? unanswered(layer, source, fact, 'expired', true) : found.read;
  }

  /** Every required fact of a source, read at this moment; one unknown when the source does not exist. */
  required(layer: CanonicalBlockerLayer, source: string): readonly ReadFact[] {
    const found = this.fresh ? this.#indexed(layer, source) : undefined;
    return (found?.required ?? ['source']).map((fact) => this.fact(layer, source, fact));
  }

  /** What was found of this truth before, as far as it still stands now. */
  standing({ policy, action }: Pick<StandingCase, 'policy' | 'action'>): Found {
    if (this.#found && this.#foundFor?.policy === policy && this.#foundFor.action === action)
      return this.#found;
    this.#found = this.#index?.findings.at(this, policy, action) ?? new Map();
    this.#foundFor = { policy, action };
    return this.#found;
  }

  /** Whether a hard failure of this fact runs inside its grace now. */
  inGrace(layer: CanonicalBlockerLayer, source: string, fact: string): boolean {
    const grace = this.source(layer, source)?.causes.graces[fact];
    return grace !== undefined && !grace.spent && grace.untilMs > this.nowMs;
  }

  holds(layer: CanonicalBlockerLayer, source: string): readonly string[] {
    return Object.keys(this.source(layer, source)?.causes.holds ?? {});
  }
}
