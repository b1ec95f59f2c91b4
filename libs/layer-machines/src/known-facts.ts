import type { FactReading, FactValue, KnownFacts, Reason } from '@orchestrate/canon';
import type { LayerContext } from './layer-context.ts';

/** The answers that stand now; a value that is history is absent, not guessed. */
export function knownFacts(context: LayerContext): KnownFacts {
  const known: Record<string, FactValue> = {};
  for (const name in context.facts) {
    const fact = context.facts[name]!;
    if (isKnown(fact)) known[name] = fact.value!;
  }
  return known as KnownFacts;
}

/** Whether there is an answer that stands, be it one that cannot be judged. */
export function isKnown({ value, isHistory }: Pick<FactReading, 'value' | 'isHistory'>): boolean {
  return value !== undefined && !isHistory;
}

/** Unknowns that somebody saw, as against those that nobody could look at: they take the earlier answer back. */
export const SEEN_UNJUDGEABLE: ReadonlySet<Reason> = new Set(['unobservable', 'unrecognised_value']);
