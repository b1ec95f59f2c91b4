import { expect, test } from 'vitest';
import {
  askGate,
  type ConditionChange,
  HOUR_MS,
  lost,
  NOW_MS,
  POLICY,
} from '../dispatch-case.test-support.ts';
import { notEntitledGate } from './not-entitled.ts';

const grace = (fact: string, untilMs: number) => ({ graces: { [fact]: { untilMs, spent: false } } });
const ask = (billing: ConditionChange) => askGate(notEntitledGate, { layers: { billing } });

test.each<[string, ConditionChange, string]>([
  ['a trial', { facts: { subscriptionStatus: 'trialing' } }, 'entitled'],
  ['a payment method about to expire', { facts: { paymentMethod: 'expiring_30d' } }, 'entitled'],
  [
    'past due, inside its grace',
    { facts: { subscriptionStatus: 'past_due' }, causes: grace('subscriptionStatus', NOW_MS + HOUR_MS) },
    'grace',
  ],
  [
    'past due, its grace over',
    { facts: { subscriptionStatus: 'past_due' }, causes: grace('subscriptionStatus', NOW_MS) },
    'not_entitled',
  ],
  [
    'the grace of another fact',
    { facts: { subscriptionStatus: 'unpaid' }, causes: grace('paymentMethod', NOW_MS + HOUR_MS) },
    'not_entitled',
  ],
  ['nothing left', { facts: { entitlementRemaining: 0 } }, 'not_entitled'],
  ['a status that nobody knows', { facts: { subscriptionStatus: lost('unrecognised_value') } }, 'unknown'],
  [
    'an unknown count beside an unpaid bill',
    { facts: { entitlementRemaining: null, subscriptionStatus: 'unpaid' } },
    'not_entitled',
  ],
])('%s [G4]', (_, billing, outcome) => {
  expect(ask(billing).outcome).toBe(outcome);
});

test('grace goes out under its constraints, everything else without [G4 G23]', () => {
  const inGrace = ask({
    facts: { subscriptionStatus: 'past_due' },
    causes: grace('subscriptionStatus', NOW_MS + 1),
  });
  expect(inGrace.constraints).toEqual([POLICY.degradations.not_entitled_grace]);
  expect(ask({}).constraints).toBeUndefined();
});
