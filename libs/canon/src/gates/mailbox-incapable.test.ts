import { expect, test } from 'vitest';
import {
  askGate,
  type ConditionChange,
  HOUR_MS,
  lost,
  NOW_MS,
  POLICY,
} from '../dispatch-case.test-support.ts';
import { mailboxIncapableGate } from './mailbox-incapable.ts';

const ask = (mailbox: ConditionChange) => askGate(mailboxIncapableGate, { layers: { mailbox } });
const throttled = { cooldowns: { provider_throttles: { untilMs: NOW_MS + HOUR_MS, ordinal: 1 } } };

test.each<[string, ConditionChange, string]>([
  ['bounces that nobody would see', { facts: { canSeeBounces: false } }, 'limited'],
  ['a token server that does not answer', { facts: { token: lost('unreachable') } }, 'unknown'],
  ['a grant that was taken back', { facts: { token: 'invalid_grant' } }, 'incapable'],
  ['a mailbox that may not send', { facts: { canSend: false } }, 'incapable'],
  ['a full quota', { causes: { closures: { quota_full: { untilMs: null } } } }, 'quota_full'],
  ['a provider that throttles the account', { causes: throttled }, 'quota_full'],
  [
    'a mailbox on probation',
    { causes: { requalifications: { provider_throttles: { ordinal: 1, from: null, count: 0 } } } },
    'limited',
  ],
  ['an unscoped application', { causes: { holds: { identity_unscoped: { sinceMs: 0 } } } }, 'incapable'],
  ['a mailbox that was switched off', { enabled: false }, 'incapable'],
  ['another mailbox', { source: 'ben' }, 'unknown'],
  [
    'a full quota beside a refused token',
    { facts: { token: 'invalid_grant' }, causes: throttled },
    'incapable',
  ],
])('%s [G6]', (_, mailbox, outcome) => {
  expect(ask(mailbox).outcome).toBe(outcome);
});

test('a stop with a known end says when it ends [G6 G25]', () => {
  expect(ask({ causes: throttled }).releaseAtMs).toBe(NOW_MS + HOUR_MS);
  expect(ask({ causes: { closures: { quota_full: { untilMs: null } } } }).releaseAtMs ?? null).toBeNull();
});

test('a limited mailbox goes out under its constraints [G6 G23]', () => {
  expect(ask({ facts: { canReadReplies: false } }).constraints).toEqual([
    POLICY.degradations.mailbox_limited,
  ]);
});

test('a stop waits for the last of its ends, and one that is no matter of time for none [G6]', () => {
  const cooldowns = {
    provider_throttles: { untilMs: NOW_MS + HOUR_MS, ordinal: 1 },
    overloaded: { untilMs: NOW_MS + 1, ordinal: 1 },
  };
  expect(ask({ causes: { cooldowns } }).releaseAtMs).toBe(NOW_MS + HOUR_MS);
  expect(ask({ facts: { canSend: false }, causes: { cooldowns } }).releaseAtMs).toBeUndefined();
});

test('a capable mailbox goes out as it is [G6]', () => {
  expect(ask({}).constraints).toBeUndefined();
});
