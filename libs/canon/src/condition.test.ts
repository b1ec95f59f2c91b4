import { expect, test } from 'vitest';
import { isHonestUnknown, REASONS } from './condition.ts';
import { REQUEST_REASONS } from './gates/gate.ts';
import { REASON_SENTENCES } from './reason-sentences.ts';

test('a required fact without an answer is an honest unknown whatever the reason [L8]', () => {
  for (const reason of REASONS) {
    expect(isHonestUnknown({ verdict: 'unknown', required: true, reason })).toBe(true);
    expect(isHonestUnknown({ verdict: 'fail', required: true, reason })).toBe(false);
    expect(isHonestUnknown({ verdict: 'pass', required: true, reason })).toBe(false);
  }
});

test('an optional fact that nobody answered is no news; an answer that cannot be judged is [L8]', () => {
  const optional = { verdict: 'unknown', required: false } as const;
  for (const reason of ['never_observed', 'expired', 'timeout', 'heartbeat_lost'] as const) {
    expect(isHonestUnknown({ ...optional, reason })).toBe(false);
  }
  for (const reason of ['suppression_stale', 'clock_skew'] as const) {
    expect(isHonestUnknown({ ...optional, reason })).toBe(true);
  }
});

test('no reason is listed twice, so that a recorded one has one meaning [L6]', () => {
  const shared = new Set(['operator_freeze']);
  const all = [...REASONS, ...REQUEST_REASONS].filter((reason) => !shared.has(reason));
  expect(all.filter((reason, index) => all.indexOf(reason) !== index)).toEqual([]);
});

test('every reason has the sentence that says it to a person, and there is no sentence for another [L6]', () => {
  expect(new Set(Object.keys(REASON_SENTENCES))).toEqual(new Set([...REASONS, ...REQUEST_REASONS]));
});
