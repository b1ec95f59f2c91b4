import type { FactReading, FactValue, KnownFacts, Reason } from '@orchestrate/canon';
import type { LayerContext } from './layer-context.ts';

/** The answers that stand now: what expired or could not be evaluated is absent, not guessed. */
export function knownFacts(context: LayerContext): KnownFacts {
  const known: Record<string, FactValue> = {};
  for (const name in context.facts) {
    const fact = context.facts[name]!;
    if (fact.value === undefined || isGone(fact.verdict, fact.reason)) continue;
    known[name] = fact.value;
  }
  return known as KnownFacts;
}

/** Unknowns that somebody saw, as against those that nobody could look at: they take the earlier answer back. */
export const SEEN_UNJUDGEABLE: ReadonlySet<Reason> = new Set(['unobservable', 'unrecognised_value']);

/** An unknown that was judged from a fresh answer (a sample too small) keeps its value; an expired one does not. */
function isGone(verdict: FactReading['verdict'], reason: Reason): boolean {
  return verdict === 'unknown' && GONE.has(reason);
}
const GONE = new Set<Reason>([
  'expired',
  'recheck_requested',
  'heartbeat_lost',
  'handler_fault',
  'run_lost',
  ...SEEN_UNJUDGEABLE,
]);
