import {
  type CanonicalBlockerLayer,
  type FactReading,
  type FactValue,
  factSpec,
  requiredFacts,
  ruleOf,
  type UnknownReason,
} from '@orchestrate/canon';

/** What a source reports of one fact: an answer, or honestly none. */
export interface Observation {
  readonly fact: string;
  readonly observedAtMs: number;
  readonly outcome: { readonly value: FactValue } | { readonly unknown: UnknownReason };
}

/** A report may name a fact twice: its newest answer counts, and the newest try without one. */
export function newestOfEach(observations: readonly Observation[]): readonly Observation[] {
  const newest = new Map<string, Observation>();
  for (const seen of observations) {
    const key = `${'value' in seen.outcome} ${seen.fact}`;
    const other = newest.get(key);
    if (!other || other.observedAtMs <= seen.observedAtMs) newest.set(key, seen);
  }
  return [...newest.values()];
}

/** The required facts of a layer while nobody has observed anything. */
export function unobserved(layer: CanonicalBlockerLayer): readonly FactReading[] {
  return requiredFacts(layer).map((fact) => ({
    fact,
    verdict: 'unknown',
    severity: 'none',
    reason: factSpec(layer, fact)?.missing ?? 'never_observed',
    owner: ruleOf(layer).owner,
    required: true,
    observedAtMs: null,
    expiresAtMs: null,
    everPassed: false,
    passingSinceMs: null,
  }));
}
