import { expect, test } from 'vitest';
import { type Login, tokenOfLogins } from './mail-login.ts';
import { summary } from './mailbox.test-support.ts';

test.each<[readonly Login[], string]>([
  [['accepted', 'accepted'], 'active'],
  [['refused', 'accepted'], 'active'],
  [['untold', 'accepted'], 'active'],
  [['refused', 'refused'], 'inactive_unspecified'],
  [['refused', 'untold'], '?no_answer'],
  [['untold', 'untold'], '?no_answer'],
  [[], '?no_answer'],
])('credentials that were %j are %s', (logins, token) => {
  expect(summary([tokenOfLogins(logins)])).toEqual({ token });
});

test('why nobody told can be said', () => {
  expect(tokenOfLogins(['untold'], 'timeout')).toEqual({ fact: 'token', unknown: 'timeout' });
});
