import {
  type CanonicalBlockerLayer,
  type FactReading,
  type FactValue,
  factSpec,
  type Policy,
  requiredFacts,
  ruleOf,
  type UnknownReason,
} from '@orchestrate/canon';
import { SEEN_UNJUDGEABLE } from './known-facts.ts';

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
    const isAnswer = 'value' in seen.outcome || SEEN_UNJUDGEABLE.has(seen.outcome.unknown);
    const key = `${isAnswer} ${seen.fact}`;
    const other = newest.get(key);
    if (!other || other.observedAtMs <= seen.observedAtMs) newest.set(key, seen);
  }
  return [...newest.values()];
}

/** The required facts of a layer while nobody has observed anything. */
export function unobserved(layer: CanonicalBlockerLayer): readonly FactReading[] {
  return requiredFacts(layer).map((fact) => unobservedFact(layer, fact));
}

/** What the policy in force requires, required: a fact that nobody has told yet becomes an honest unknown. */
export function withRequired(
  facts: Readonly<Record<string, FactReading>>,
  layer: CanonicalBlockerLayer,
  policy: Policy,
): Readonly<Record<string, FactReading>> {
  const also = policy.alsoRequired[layer] ?? [];
  const isRequired = (fact: string) => factSpec(layer, fact)?.required === true || also.includes(fact);
  const changed = [
    ...Object.values(facts).filter((fact) => fact.required !== isRequired(fact.fact)),
    ...also.filter((fact) => !(fact in facts)).map((fact) => unobservedFact(layer, fact)),
  ];
  if (changed.length === 0) return facts;
  const anew = changed.map((fact) => [fact.fact, { ...fact, required: isRequired(fact.fact) }]);
  return { ...facts, ...Object.fromEntries(anew) };
}

function unobservedFact(layer: CanonicalBlockerLayer, fact: string): FactReading {
  return {
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
  };
}
