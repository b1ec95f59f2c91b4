import type { FactName, FactValue, UnknownReason } from '@orchestrate/canon';
import { type Answer, unknownAnswers } from '../probe/answer.ts';
import type { ProviderLook } from './ask-provider.ts';
import { figuresOf, type ProviderWindow } from './provider-window.ts';

type ProviderFact = FactName<'provider_health'>;

export const PROVIDER_FACTS = [
  'reachable',
  'p95Ms',
  'errorRatio5m',
  'samples5m',
  'errorClass',
  'retryAfterSec',
] as const satisfies readonly ProviderFact[];

/**
 * The newest look and the window that it is part of, as facts. After a look without an answer nothing is known, the
 * window included: what it holds was told before by looks of their own age. `reachable` is true or unknown, for
 * nobody tells us that they cannot be reached.
 */
export function providerAnswers(look: ProviderLook, window: ProviderWindow, nowMs: number): Answer[] {
  if (look.kind === 'unknown') return unknownAnswers(PROVIDER_FACTS, look.reason);
  const { samples5m, p95Ms, errorRatio5m } = figuresOf(window, nowMs);
  return [
    { fact: 'reachable', value: true },
    told('p95Ms', p95Ms, 'too_few_samples'),
    told('errorRatio5m', errorRatio5m, 'too_few_samples'),
    { fact: 'samples5m', value: samples5m },
    { fact: 'errorClass', value: look.errorClass },
    // this reason takes back what an earlier look was told, which would otherwise prolong the next cooldown
    told('retryAfterSec', look.retryAfterSec, 'unrecognised_value'),
  ];
}

function told(fact: ProviderFact, value: FactValue | undefined, otherwise: UnknownReason): Answer {
  return value === undefined ? { fact, unknown: otherwise } : { fact, value };
}
