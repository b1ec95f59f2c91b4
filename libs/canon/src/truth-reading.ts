import type { FactReading, Reason } from './condition.ts';
import { type FactValue, factSpec, requiredFacts } from './facts.ts';
import { ruleOf } from './rules/index.ts';
import type { CanonicalRuntimeTruth, TruthLayer, TruthSource } from './truth.ts';
import {
  type CanonicalBlockerLayer,
  type CheckVerdict,
  type ManagedExecutionState,
  type Owner,
  stateToBucket,
} from './words.ts';

/** One fact as a reader at a given time must take it: past its age, or from a stale truth, it is unknown. */
export interface ReadFact {
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  readonly fact: string;
  readonly value: FactValue | undefined;
  readonly verdict: CheckVerdict;
  readonly severity: FactReading['severity'];
  readonly reason: Reason;
  readonly owner: Owner;
  readonly observedAtMs: number | null;
  /** Nobody's fault and no person's work: the answer only has to arrive again. */
  readonly stale: boolean;
}

/** States that a machine keeps when a fact of its layer expires: something else than that fact made them. */
const OUTLIVES_EXPIRY: ReadonlySet<ManagedExecutionState> = new Set([
  'operator_review',
  'internal_fault',
  'cooling_down',
  'unknown',
  'verifying',
  'provisioning',
]);

/** An answer that is missing is ours to get; what an operator decides only an operator can say. */
function ownerOfUnknown(layer: CanonicalBlockerLayer): Owner {
  return ruleOf(layer).owner === 'operator' ? 'operator' : 'orchestrate';
}

/** Reads a truth at a moment. Only the named sources of a layer are ever consulted. */
export class TruthReading {
  readonly truth: CanonicalRuntimeTruth | null;
  readonly fresh: boolean;
  readonly nowMs: number;

  constructor(truth: CanonicalRuntimeTruth | null, fresh: boolean, nowMs: number) {
    this.truth = truth;
    this.fresh = fresh && truth !== null;
    this.nowMs = nowMs;
  }

  source(layer: CanonicalBlockerLayer, source: string): TruthSource | undefined {
    return this.truth?.layers[layer].sources.find((one) => one.source === source);
  }

  /** What a layer shows now: past its validity, or in a truth that is stale, it reads unknown. */
  layer(layer: CanonicalBlockerLayer): Omit<TruthLayer, 'sources' | 'validUntilMs'> {
    const unanswered = (reason: Reason) =>
      ({ state: 'unknown', bucket: stateToBucket('unknown'), owner: 'orchestrate', reason }) as const;
    if (!this.truth || !this.fresh) return unanswered('truth_stale');
    const { state, bucket, owner, reason, validUntilMs } = this.truth.layers[layer];
    const expired = validUntilMs !== null && validUntilMs <= this.nowMs;
    return expired && !OUTLIVES_EXPIRY.has(state) ? unanswered('expired') : { state, bucket, owner, reason };
  }

  fact(layer: CanonicalBlockerLayer, source: string, fact: string): ReadFact {
    const spec = factSpec(layer, fact);
    const base = { layer, source, fact, owner: ownerOfUnknown(layer) };
    const unanswered = (reason: Reason, stale: boolean): ReadFact => ({
      ...base,
      // An answer that only has to arrive again is work for nobody but us.
      owner: stale ? 'orchestrate' : base.owner,
      value: undefined,
      verdict: 'unknown',
      severity: 'none',
      reason,
      observedAtMs: null,
      stale,
    });
    if (!this.fresh) return unanswered('truth_stale', true);
    const found = this.source(layer, source)?.facts.find((one) => one.fact === fact);
    if (!found) return unanswered(spec?.missing ?? 'never_observed', false);
    if (found.expiresAtMs !== null && found.expiresAtMs <= this.nowMs) return unanswered('expired', true);
    const { verdict, severity, reason, owner, observedAtMs } = found;
    // The last value of an unknown is history: a gate that read it would take a guess for an answer.
    const value = verdict === 'unknown' ? undefined : found.value;
    const stale = reason === 'expired';
    const whose = verdict !== 'unknown' ? owner : stale ? 'orchestrate' : base.owner;
    return { ...base, value, verdict, severity, reason, owner: whose, observedAtMs, stale };
  }

  /** Every required fact of a source, read at this moment; one unknown when the source does not exist. */
  required(layer: CanonicalBlockerLayer, source: string): readonly ReadFact[] {
    const found = this.source(layer, source);
    if (!found || !this.fresh) return [this.fact(layer, source, 'source')];
    const named = found.facts.filter((fact) => fact.required).map((fact) => fact.fact);
    // What became required after this source last spoke has no answer yet, which is not the same as a good one.
    return [...new Set([...named, ...requiredFacts(layer)])].map((fact) => this.fact(layer, source, fact));
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
