import { expect, test } from 'vitest';
import { askGate, type CaseChange, type ConditionChange, lost } from '../dispatch-case.test-support.ts';
import { replyOrDuplicateRiskGate } from './reply-or-duplicate-risk.ts';

const ask = (change: CaseChange) => askGate(replyOrDuplicateRiskGate, change);

test.each<[string, CaseChange['recipient'] & object, string]>([
  ['somebody who answered', { conversation: 'replied' }, 'replied'],
  ['somebody who is away', { conversation: 'out_of_office' }, 'out_of_office'],
  ['somebody a colleague writes to', { conversation: 'touched_by_colleague' }, 'touched_by_colleague'],
  ['a conversation that nobody can see', { conversation: 'unknown' }, 'unknown'],
  ['a message of which nobody knows whether it left', { unresolvedOutcome: true }, 'unresolved_outcome'],
  ['the same step again', { duplicate: true, unresolvedOutcome: true, conversation: 'replied' }, 'duplicate'],
  ['somebody written to before', { touches: 2 }, 'clear'],
])('%s [G8]', (_, recipient, outcome) => {
  expect(ask({ recipient }).outcome).toBe(outcome);
});

test('a later step needs a mailbox that would have seen the answer; a first one does not [G8]', () => {
  const replies = (value: ConditionChange['facts'] & object, step: number) =>
    ask({ action: { step }, layers: { mailbox: { facts: value } } }).outcome;
  expect(replies({ canReadReplies: false }, 1)).toBe('clear');
  expect(replies({ canReadReplies: true }, 2)).toBe('clear');
  expect(replies({ canReadReplies: false }, 2)).toBe('unknown');
  expect(replies({ canReadReplies: null }, 2)).toBe('unknown');
  expect(replies({ canReadReplies: lost('expired') }, 2)).toBe('unknown');
  expect(ask({ action: { step: 2 }, fresh: false }).outcome).toBe('stale');
});

test('somebody who waits for this message may get it, if this mailbox can know that they do [G8]', () => {
  for (const conversation of ['reply_owed', 'commitment_due'] as const) {
    const thread = { conversation, touches: 1, lastMailbox: 'anna' } as const;
    const outcome = (canReadReplies: boolean) =>
      ask({ recipient: thread, layers: { mailbox: { facts: { canReadReplies } } } }).outcome;
    expect(outcome(true)).toBe('clear');
    expect(outcome(false)).toBe('unknown');
    expect(ask({ recipient: thread, fresh: false }).outcome).toBe('stale');
    // Whoever wrote to them last was another mailbox, or nobody: that they wait for this one is only said.
    for (const lastMailbox of ['ben', null]) {
      expect(ask({ recipient: { ...thread, lastMailbox } }).outcome).toBe('unknown');
    }
  }
});
