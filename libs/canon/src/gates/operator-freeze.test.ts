import { expect, test } from 'vitest';
import { askGate, lost, NOW_MS } from '../dispatch-case.test-support.ts';
import { operatorFreezeGate } from './operator-freeze.ts';

const freeze = (value: unknown) =>
  askGate(operatorFreezeGate, { layers: { governance: { facts: { freeze: value as boolean } } } });

test('a freeze stops every message for good, and losing sight of it frees none [G1]', () => {
  expect(freeze(true)).toMatchObject({ outcome: 'frozen', decision: 'BLOCK', reasons: ['freeze'] });
  expect(freeze(lost('handler_fault'))).toMatchObject({
    outcome: 'unknown',
    decision: 'HOLD_FOR_HUMAN_REVIEW',
  });
  expect(freeze({ value: true, ...lost('handler_fault') })).toMatchObject({ outcome: 'unknown' });
  expect(freeze(null)).toMatchObject({ outcome: 'unknown', reasons: ['never_observed'] });
});

test('an answer that only grew old is nobody’s work [G1 G16]', () => {
  expect(freeze({ expiresAtMs: NOW_MS })).toMatchObject({ outcome: 'stale', decision: 'HOLD_FOR_CONTEXT' });
  expect(askGate(operatorFreezeGate, { fresh: false })).toMatchObject({
    outcome: 'stale',
    reasons: ['truth_stale'],
  });
});

test('while everything is frozen, a tenant that is not frozen itself is blocked as well [G1]', () => {
  const causes = { holds: { freeze_all: { sinceMs: NOW_MS } } };
  const found = askGate(operatorFreezeGate, { layers: { governance: { facts: { freeze: false }, causes } } });
  expect(found).toMatchObject({ outcome: 'frozen', decision: 'BLOCK', reasons: ['freeze_all'] });
});

test('a freeze on record stops everything, whatever the truth says or does not say [G1 G31]', () => {
  const onRecord = { freezes: ['freeze'] } as const;
  const unaware = askGate(operatorFreezeGate, {
    ...onRecord,
    layers: { governance: { facts: { freeze: false } } },
  });
  expect(unaware).toMatchObject({ outcome: 'frozen', decision: 'BLOCK', reasons: ['freeze'] });
  expect(askGate(operatorFreezeGate, { ...onRecord, fresh: false })).toMatchObject({ outcome: 'frozen' });
  const lostSight = { governance: { facts: { freeze: lost('handler_fault') } } };
  expect(askGate(operatorFreezeGate, { ...onRecord, layers: lostSight })).toMatchObject({
    outcome: 'frozen',
  });
  const both = askGate(operatorFreezeGate, { freezes: ['freeze', 'freeze_all'] });
  expect(both).toMatchObject({ outcome: 'frozen', reasons: ['freeze', 'freeze_all'] });
});

test('a freeze that was lifted on record lasts until the truth has heard of it [G1 G31]', () => {
  const found = askGate(operatorFreezeGate, {
    freezes: [],
    layers: { governance: { facts: { freeze: true } } },
  });
  expect(found).toMatchObject({ outcome: 'frozen', decision: 'BLOCK' });
});
