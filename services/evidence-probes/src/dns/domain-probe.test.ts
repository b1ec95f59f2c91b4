import { declarationOf, defaultPolicy } from '@orchestrate/test-kit';
import { expect, test } from 'vitest';
import type { Answer } from '../probe/answer.ts';
import { domainProbe } from './domain-probe.ts';

const resolver = { ask: async () => ({ kind: 'no_answer', reason: 'timeout' }) as const };
const wanted = { DNS_RETRY_SEC: 3_600, DNS_UNKNOWN_RETRY_SEC: 60 };
const probe = domainProbe(resolver, wanted);

test('only domains that are in use are looked at, each as it is declared', () => {
  const declared = declarationOf('acme');
  const [main] = declared.domains;
  const off = { ...main!, id: 'off', enabled: false };
  expect(probe.targets({ ...declared, domains: [main!, off] })).toEqual([{ source: 'main', params: main }]);
  expect(probe.targets({ ...declared, domains: [] })).toEqual([]);
});

test.each<[Answer, 'pass' | 'fail']>([
  [{ fact: 'spf', value: 'pass' }, 'pass'],
  [{ fact: 'spf', value: 'softfail' }, 'fail'],
  [{ fact: 'dkim', value: 'valid' }, 'pass'],
  [{ fact: 'dkim', value: 'missing' }, 'fail'],
  [{ fact: 'dmarc', value: 'present' }, 'pass'],
  [{ fact: 'dmarc', value: 'none' }, 'fail'],
  [{ fact: 'spfLookups', value: 0 }, 'pass'],
  [{ fact: 'dmarcPolicy', value: 'none' }, 'pass'],
])('what a client has to repair is looked at sooner, and figures are no trouble: %j', (answer, verdict) => {
  expect(probe.verdict?.(answer)).toBe(verdict);
});

test('a domain that is well is looked at twice before its answers are too old, or as it is set', () => {
  const policy = defaultPolicy();
  expect(probe.cadence(policy)).toEqual({
    intervalMs: policy.maxAgeSec.dns * 500,
    failingMs: 3_600_000,
    unknownMs: 60_000,
  });
  const often = domainProbe(resolver, { ...wanted, DNS_INTERVAL_SEC: 5 });
  expect(often.cadence(policy).intervalMs).toBe(5_000);
});

test('a look that nobody answers tells all its facts as unknown, and no time for which that holds', async () => {
  const [main] = declarationOf('acme').domains;
  const signal = new AbortController().signal;
  const looked = await probe.look({ params: main!, nowMs: 0, signal });
  expect(looked.ttlMs).toBeUndefined();
  expect(looked.answers.map(({ fact }) => fact).toSorted()).toEqual(probe.facts.toSorted());
  for (const answer of looked.answers) expect(answer).toMatchObject({ unknown: 'timeout' });
});
