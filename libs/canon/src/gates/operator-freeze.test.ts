import { expect, test } from 'vitest';
import { askGate, lost, NOW_MS } from '../dispatch-case.test-support.ts';
import { operatorFreezeGate } from './operator-freeze.ts';

const freeze = (value: unknown) =>
  askGate(operatorFreezeGate, { layers: { governance: { facts: { freeze: value as boolean } } } });

test('a freeze stops every message for good, and losing sight of it frees none', () => {
  expect(freeze(true)).toMatchObject({ outcome: 'frozen', decision: 'BLOCK' });
  expect(freeze(lost('handler_fault'))).toMatchObject({
    outcome: 'unknown',
    decision: 'HOLD_FOR_HUMAN_REVIEW',
  });
  expect(freeze({ value: true, ...lost('handler_fault') })).toMatchObject({ outcome: 'unknown' });
  expect(freeze(null)).toMatchObject({ outcome: 'unknown', reasons: ['never_observed'] });
});

test('an answer that only grew old is nobody’s work', () => {
  expect(freeze({ expiresAtMs: NOW_MS })).toMatchObject({ outcome: 'stale', decision: 'HOLD_FOR_CONTEXT' });
  expect(askGate(operatorFreezeGate, { fresh: false })).toMatchObject({
    outcome: 'stale',
    reasons: ['truth_stale'],
  });
});

test('while everything is frozen, a tenant that is not frozen itself is blocked as well', () => {
  const causes = { holds: { freeze_all: { sinceMs: NOW_MS } } };
  const found = askGate(operatorFreezeGate, { layers: { governance: { facts: { freeze: false }, causes } } });
  expect(found).toMatchObject({ outcome: 'frozen', decision: 'BLOCK' });
});
