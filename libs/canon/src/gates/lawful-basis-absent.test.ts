import { expect, test } from 'vitest';
import { askGate, type ConditionChange, lost, NOW_MS } from '../dispatch-case.test-support.ts';
import { lawfulBasisAbsentGate } from './lawful-basis-absent.ts';

test.each<[string, ConditionChange['facts'] & object, string]>([
  ['legitimate interest is a basis', { lawfulBasis: 'legitimate_interest' }, 'lawful'],
  ['none is none', { lawfulBasis: 'none' }, 'absent'],
  ['nobody said which', { lawfulBasis: 'unknown' }, 'unknown'],
  ['nobody said where', { jurisdiction: 'undeclared' }, 'unknown'],
  ['neither observed', { lawfulBasis: null }, 'unknown'],
  ['declared, but long ago', { jurisdiction: { expiresAtMs: NOW_MS } }, 'stale'],
  ['none, and the place expired', { lawfulBasis: 'none', jurisdiction: { expiresAtMs: NOW_MS } }, 'absent'],
  [
    'the client asked for a recheck: BLOCK becomes a hold',
    { lawfulBasis: { value: 'none', ...lost('recheck_requested') } },
    'unknown',
  ],
  ['an expired none condemns nobody', { lawfulBasis: { value: 'none', ...lost('expired') } }, 'stale'],
])('%s [G3]', (_, facts, outcome) => {
  expect(askGate(lawfulBasisAbsentGate, { layers: { governance: { facts } } }).outcome).toBe(outcome);
});
