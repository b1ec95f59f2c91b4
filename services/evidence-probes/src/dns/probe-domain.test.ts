import { generateKeyPairSync } from 'node:crypto';
import { startDnsServer } from '@orchestrate/sandbox';
import { expect, test } from 'vitest';
import { digestOf } from './answer.ts';
import { resolverFor, serving, summary, txt } from './dns.test-support.ts';
import { probeDomain } from './probe-domain.ts';
import type { TxtResolver } from './resolver.ts';

const KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .publicKey.export({ format: 'der', type: 'spki' })
  .toString('base64');
const HEALTHY = `
  acme               60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
  s1._domainkey.acme 60 IN ${txt(`v=DKIM1; p=${KEY}`)}
  _dmarc.acme        60 IN TXT "v=DMARC1; p=reject"
  xn--mnchen-3ya     60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
`;
const QUESTION = { domain: 'acme.test', egressIp: '192.0.2.1', dkimSelectors: ['s1'] };
const ALL_WELL = {
  spf: 'pass',
  spfLookups: 0,
  spfVoidLookups: 0,
  dkim: 'valid',
  dkimKeyBits: 2048,
  dmarc: 'present',
  dmarcPolicy: 'reject',
};

test('a healthy domain answers every fact, each with a digest', async () => {
  await using server = await startDnsServer(serving(HEALTHY));
  const answers = await probeDomain({ ...QUESTION, resolver: resolverFor(server) });
  expect(summary(answers)).toEqual(ALL_WELL);
  for (const answer of answers)
    expect(answer).toHaveProperty('digest', expect.stringMatching(/^[0-9a-f]{64}$/));
});

test('a name is asked for in lower case, without its root dot, in A-labels', async () => {
  await using server = await startDnsServer(serving(HEALTHY));
  expect(
    summary(await probeDomain({ ...QUESTION, domain: 'ACME.Test.', resolver: resolverFor(server) })),
  ).toEqual(ALL_WELL);
  const answers = await probeDomain({ ...QUESTION, domain: 'München.test', resolver: resolverFor(server) });
  expect(summary(answers)).toMatchObject({ spf: 'pass' });
});

test.each(['silent', 'servfail', 'refused'] as const)(
  'with DNS %s nothing at all is said about the domain',
  async (behaviour) => {
    await using server = await startDnsServer(serving(HEALTHY, { '.': behaviour }));
    const answers = await probeDomain({ ...QUESTION, resolver: resolverFor(server) });
    expect(answers).toHaveLength(7);
    expect(answers.every((answer) => 'unknown' in answer)).toBe(true);
  },
);

test('trouble at one name leaves the facts that do not rest on it', async () => {
  await using server = await startDnsServer(serving(HEALTHY, { '_domainkey.acme.test': 'servfail' }));
  expect(summary(await probeDomain({ ...QUESTION, resolver: resolverFor(server) }))).toEqual({
    ...ALL_WELL,
    dkim: '?servfail',
    dkimKeyBits: '?servfail',
  });
});

test('a lookup that throws takes its own facts with it and no others', async () => {
  await using server = await startDnsServer(serving(HEALTHY));
  const faulty: TxtResolver = {
    resolve: resolverFor(server).resolve,
    txt(name) {
      if (name.includes('_domainkey')) throw new Error('bug');
      return resolverFor(server).txt(name);
    },
  };
  expect(summary(await probeDomain({ ...QUESTION, resolver: faulty }))).toEqual({
    ...ALL_WELL,
    dkim: '?probe_fault',
    dkimKeyBits: '?probe_fault',
  });
});

test.each(['', '.', 'ü..test\u0000'])('the domain `%s` is a fault of the configuration', async (domain) => {
  await using server = await startDnsServer(serving(HEALTHY));
  const answers = summary(await probeDomain({ ...QUESTION, domain, resolver: resolverFor(server) }));
  expect(answers).toMatchObject({ spf: '?probe_fault', dkim: '?probe_fault', dmarc: '?probe_fault' });
  expect(server.queries).toBe(0);
});

test('a digest does not move with the order of records or questions', () => {
  const one = { name: 'acme.test', type: 'TXT', outcome: ['a', 'b'] };
  const two = { name: 'b.test', type: 'A', outcome: 'nxdomain' } as const;
  expect(digestOf([one, two])).toBe(digestOf([two, { ...one, outcome: ['b', 'a'] }]));
  expect(digestOf([one])).not.toBe(digestOf([{ ...one, outcome: ['ab'] }]));
  expect(digestOf([two])).not.toBe(digestOf([{ ...two, outcome: 'nodata' }]));
});
