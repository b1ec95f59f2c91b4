import { describe, expect, test } from 'vitest';
import {
  askGate,
  type CaseChange,
  type ConditionChange,
  HOUR_MS,
  lost,
  NOW_MS,
  POLICY,
} from '../dispatch-case.test-support.ts';
import { reputationUnsafeGate } from './reputation-unsafe.ts';

const ask = (pacing: ConditionChange, change: CaseChange = {}) =>
  askGate(reputationUnsafeGate, { layers: { pacing }, ...change });
const cooldown = (untilMs: number) => ({ cooldowns: { band_quarantined: { untilMs, ordinal: 1 } } });
const sample = lost('insufficient_sample');

test.each<[string, ConditionChange, CaseChange, string]>([
  ['a band to watch', { facts: { band: 'watch' } }, {}, 'watch'],
  ['a throttled one', { facts: { band: 'throttled' } }, {}, 'watch'],
  ['a quarantined one', { facts: { band: 'quarantined' } }, {}, 'cooling'],
  ['a blocked one', { facts: { band: 'blocked' } }, {}, 'blocked'],
  [
    'a review of it that is still open',
    { causes: { holds: { band_blocked: { sinceMs: 0 } } } },
    {},
    'blocked',
  ],
  [
    'healthy again, but not requalified',
    { causes: { requalifications: { band: { ordinal: 1, from: null, count: 0 } } } },
    {},
    'probation',
  ],
  ['healthy again inside its cooldown', { causes: cooldown(NOW_MS + HOUR_MS) }, {}, 'cooling'],
  ['a sample too small to judge', { facts: { band: sample } }, {}, 'sample_unknown_budgeted'],
  [
    'the same, the budget spent',
    { facts: { band: sample } },
    { reservation: { budget: 'spent' } },
    'unknown',
  ],
  ['a count that expired, whatever the budget', { facts: { band: lost('expired') } }, {}, 'unknown'],
  ['a fault of ours, whatever the budget', { facts: { band: lost('handler_fault') } }, {}, 'unknown'],
  ['no slot left today', {}, { reservation: { slot: 'cap_reached' } }, 'cap_reached'],
  ['too soon after the last one', {}, { reservation: { slot: 'gap' } }, 'cap_reached'],
  [
    'a cap that was reached elsewhere',
    { causes: { closures: { cap_reached: { untilMs: null } } } },
    {},
    'cap_reached',
  ],
  ['a mailbox that nobody counts', { source: 'ben' }, {}, 'unknown'],
  ['a stale truth', {}, { fresh: false }, 'stale'],
  [
    'two high risks that wait for a person',
    { causes: { holds: { risks_compound: { sinceMs: NOW_MS } } } },
    {},
    'cooling',
  ],
])('%s [G7]', (_, pacing, change, outcome) => {
  expect(ask(pacing, change).outcome).toBe(outcome);
});

describe('what a degraded release is bound to [G23]', () => {
  test.each<[ConditionChange, keyof typeof POLICY.degradations]>([
    [{ facts: { band: 'watch' } }, 'reputation_watch'],
    [
      { causes: { requalifications: { band: { ordinal: 1, from: null, count: 0 } } } },
      'reputation_probation',
    ],
  ])('%j', (pacing, degradation) => {
    expect(ask(pacing).constraints).toEqual([POLICY.degradations[degradation]]);
  });

  test('exploring under an unknown names the budget that it spends', () => {
    const exploring = {
      ...POLICY.degradations.reputation_sample_unknown_budgeted,
      budgetIds: ['mailbox:anna', 'domain:acme-example'],
    };
    expect(ask({ facts: { band: sample } }).constraints).toEqual([exploring]);
    // A probation under a small sample is both: what the probation demands is not taken back.
    const requalifications = { band: { ordinal: 1, from: null, count: 0 } };
    expect(ask({ facts: { band: sample }, causes: { requalifications } }).constraints).toEqual([
      POLICY.degradations.reputation_probation,
      exploring,
    ]);
    expect(ask({}).constraints).toBeUndefined();
  });
});

test('a hold that time may end says when [G7 G25]', () => {
  const nextSlotAtMs = NOW_MS + HOUR_MS;
  expect(ask({ causes: cooldown(NOW_MS + 5) }).releaseAtMs).toBe(NOW_MS + 5);
  expect(ask({}, { reservation: { slot: 'gap', nextSlotAtMs } }).releaseAtMs).toBe(nextSlotAtMs);
  const spent = { reservation: { budget: 'spent', nextSlotAtMs } } as const;
  expect(ask({ facts: { band: sample } }, spent).releaseAtMs).toBe(nextSlotAtMs);
  expect(ask({ facts: { band: lost('expired') } }).releaseAtMs).toBeNull();
  // The next slot ends no unknown that has another cause.
  const later = { reservation: { nextSlotAtMs } };
  expect(ask({ facts: { band: lost('expired') } }, later).releaseAtMs).toBeNull();
  expect(ask({}, later).releaseAtMs).toBeNull();
});
