import { expect, test } from 'vitest';
import { askGate, type CaseChange } from '../dispatch-case.test-support.ts';
import { recipientSuppressedGate } from './recipient-suppressed.ts';

const sync = (value: number | null): CaseChange => ({
  layers: { data: { facts: { suppressionSyncAgeSec: value } } },
});

test.each<[string, CaseChange, string]>([
  ['a suppressed recipient', { recipient: { suppression: 'suppressed' } }, 'suppressed'],
  ['one of whom nobody knows', { recipient: { suppression: 'unknown' } }, 'unknown'],
  ['a list that may miss the very entry that matters', sync(301), 'unknown'],
  ['a list that is five minutes old', sync(300), 'clear'],
  ['a tenant that has no list to synchronise', sync(null), 'clear'],
  ['a stale truth', { fresh: false }, 'unknown'],
])('%s [G2]', (_, change, outcome) => {
  expect(askGate(recipientSuppressedGate, change).outcome).toBe(outcome);
});

test('suppressed stays suppressed when the list is old as well [G2]', () => {
  const change = { ...sync(9999), recipient: { suppression: 'suppressed' } } as const;
  expect(askGate(recipientSuppressedGate, change)).toMatchObject({
    decision: 'BLOCK',
    reasons: ['recipient_suppressed'],
  });
});
