import { describe, expect, test } from 'vitest';
import { evidenceHeartbeat, evidenceObserved } from './evidence.ts';
import { AT_MS, DIGEST, envelope } from './message.test-support.ts';

const observed = (layer: string, ...facts: object[]) => ({
  ...envelope(),
  layer,
  source: 'main',
  observer: 'probe',
  facts: facts.map((fact) => ({ observedAtMs: AT_MS, ...fact })),
});
const problems = (message: unknown) =>
  evidenceObserved.strict
    .safeParse(message)
    .error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);

test('an answer and an honest lack of one both pass [A10]', () => {
  const message = observed(
    'sending_domain',
    { fact: 'spf', value: 'pass', evidenceDigest: DIGEST },
    { fact: 'dkim', unknown: 'servfail' },
    { fact: 'spfLookups', value: 3 },
  );
  expect(problems(message)).toBeUndefined();
});

describe('an observation that the catalogue does not know is refused by its place and name [A10]', () => {
  test('an unknown fact', () => {
    expect(
      problems(
        observed('billing', { fact: 'paymentMethod', value: 'valid' }, { fact: 'plan', value: 'gold' }),
      ),
    ).toEqual([
      expect.stringMatching(/^facts\.1\.fact: no fact of billing; its facts are subscriptionStatus, /),
    ]);
  });

  test('a fact of another layer, also when it has no answer', () => {
    expect(problems(observed('billing', { fact: 'spf', unknown: 'timeout' }))).toEqual([
      expect.stringMatching(/^facts\.0\.spf: `spf` is no fact of billing/),
    ]);
  });

  test('a value outside its words', () => {
    expect(problems(observed('sending_domain', { fact: 'dmarc', value: 'maybe' }))).toEqual([
      'facts.0.dmarc: `dmarc` takes one of present, none, multiple, invalid',
    ]);
  });

  test('every problem is reported, not only the first', () => {
    const message = observed('mailbox', { fact: 'canSend', value: 'yes' }, { fact: 'quotaUsed', value: -1 });
    expect(problems(message)?.map((problem) => problem.split(':')[0])).toEqual([
      'facts.0.canSend',
      'facts.1.quotaUsed',
    ]);
  });

  test('a reader inside refuses it as well: an older reader must not take a word that it does not know', () => {
    expect(
      evidenceObserved.lenient.safeParse(observed('billing', { fact: 'plan', value: 'gold' })).success,
    ).toBe(false);
  });
});

test('what is wrong is told without what was sent, which could be anything [A11]', () => {
  const sent = (fact: string, value: unknown) => problems(observed('billing', { fact, value })) ?? [];
  expect(sent('paymentMethod', 'sk_live_4f9b2c71')[0]).not.toContain('4f9b2c71');
  expect(sent('eyJh.eyJz.abc', true)[0]).not.toContain('eyJh');
  expect(sent('pastDueDays', -4711)[0]).not.toContain('4711');
  expect(sent('paymentMethod', 'ann@example.com')[0]).not.toContain('ann');
});

test('an observation says one thing: an answer or none, of at least one fact [A10]', () => {
  expect(
    problems(observed('sending_domain', { fact: 'spf', value: 'pass', unknown: 'timeout' })),
  ).toHaveLength(1);
  expect(problems(observed('sending_domain', { fact: 'spf', unknown: 'because' }))).toHaveLength(1);
  expect(problems(observed('sending_domain', { fact: 'spf' }))).toHaveLength(1);
  expect(problems(observed('sending_domain'))).toHaveLength(1);
  expect(problems(observed('deliverability', { fact: 'spf', value: 'pass' }))).toHaveLength(1);
});

test('a heartbeat is for a partition that exists [A10]', () => {
  const heartbeat = { v: '1.0', id: envelope().id, p: 63, layer: 'continuity_window', atMs: AT_MS };
  expect(evidenceHeartbeat.strict.safeParse(heartbeat).success).toBe(true);
  expect(evidenceHeartbeat.strict.safeParse({ ...heartbeat, p: 64 }).success).toBe(false);
});
