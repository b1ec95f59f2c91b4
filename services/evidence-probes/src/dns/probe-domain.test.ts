import { generateKeyPairSync } from 'node:crypto';
import { startDnsServer } from '@orchestrate/sandbox';
import { expect, test } from 'vitest';
import { digestOf } from './answer.ts';
import { patienceFor, resolverFor, serving, startRawServer, summary, txt } from './dns.test-support.ts';
import type { DnsResolver } from './dns-answer.ts';
import { probeDomain } from './probe-domain.ts';
import { shareAnswers } from './share-answers.ts';

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
  const { answers, ttlSec } = await probeDomain({ ...QUESTION, resolver: resolverFor(server) });
  expect(summary(answers)).toEqual(ALL_WELL);
  expect(ttlSec).toBe(60);
  for (const answer of answers)
    expect(answer).toHaveProperty('digest', expect.stringMatching(/^[0-9a-f]{64}$/));
});

test('a name is asked for in lower case, without its root dot, in A-labels', async () => {
  await using server = await startDnsServer(serving(HEALTHY));
  const shouted = await probeDomain({ ...QUESTION, domain: 'ACME.Test.', resolver: resolverFor(server) });
  expect(summary(shouted.answers)).toEqual(ALL_WELL);
  const { answers } = await probeDomain({
    ...QUESTION,
    domain: 'München.test',
    resolver: resolverFor(server),
  });
  expect(summary(answers)).toMatchObject({ spf: 'pass' });
});

test.each(['silent', 'servfail', 'refused'] as const)(
  'with DNS %s nothing at all is said about the domain',
  async (behaviour) => {
    await using server = await startDnsServer(serving(HEALTHY, { '.': behaviour }));
    const resolver = resolverFor(server, patienceFor(behaviour));
    const { answers, ttlSec } = await probeDomain({ ...QUESTION, resolver });
    expect(ttlSec).toBeNull();
    expect(answers).toHaveLength(7);
    expect(answers.every((answer) => 'unknown' in answer)).toBe(true);
  },
);

test('with a server that is gone, or talks nonsense, nothing at all is said about the domain', async () => {
  const gone = await startDnsServer(serving(HEALTHY));
  await gone.stop();
  await using nonsense = await startRawServer({
    udp: (query, { send }) => send(Buffer.concat([query.subarray(0, 2), Buffer.from('HTTP/1.1 400 Bad')])),
  });
  for (const server of [gone, nonsense]) {
    const { answers, ttlSec } = await probeDomain({ ...QUESTION, resolver: resolverFor(server) });
    expect(new Set(Object.values(summary(answers)))).toEqual(new Set(['?no_answer']));
    expect(ttlSec).toBeNull();
  }
});

test('trouble at one name leaves the facts that do not rest on it', async () => {
  await using server = await startDnsServer(serving(HEALTHY, { '_domainkey.acme.test': 'servfail' }));
  const { answers } = await probeDomain({ ...QUESTION, resolver: resolverFor(server) });
  expect(summary(answers)).toEqual({
    ...ALL_WELL,
    dkim: '?servfail',
    dkimKeyBits: '?servfail',
  });
});

test('a lookup that throws takes its own facts with it and no others', async () => {
  await using server = await startDnsServer(serving(HEALTHY));
  const faulty: DnsResolver = {
    ask(name, type) {
      if (name.includes('_domainkey')) throw new Error('bug');
      return resolverFor(server).ask(name, type);
    },
  };
  const { answers } = await probeDomain({ ...QUESTION, resolver: faulty });
  expect(summary(answers)).toEqual({
    ...ALL_WELL,
    dkim: '?probe_fault',
    dkimKeyBits: '?probe_fault',
  });
});

test.each(['', '.', 'ü..test\u0000'])('the domain `%s` is a fault of the configuration', async (domain) => {
  await using server = await startDnsServer(serving(HEALTHY));
  const { answers } = await probeDomain({ ...QUESTION, domain, resolver: resolverFor(server) });
  expect(summary(answers)).toMatchObject({
    spf: '?probe_fault',
    dkim: '?probe_fault',
    dmarc: '?probe_fault',
  });
  expect(server.queries).toBe(0);
});

test('the TTL told is the shortest of all that the answers rest on, a no and an include among it', async () => {
  const zone = `
    @                  90 IN SOA ns hostmaster 1 7200 3600 1209600 40
    acme              300 IN TXT "v=spf1 include:esp.test -all"
    esp                30 IN TXT "v=spf1 ip4:192.0.2.1 -all"
    s1._domainkey.acme 90 IN ${txt(`v=DKIM1; p=${KEY}`)}
    _dmarc.acme        80 IN TXT "v=DMARC1; p=reject"
    s1._domainkey.bare 90 IN ${txt(`v=DKIM1; p=${KEY}`)}
    _dmarc.bare        80 IN TXT "v=DMARC1; p=reject"
  `;
  await using server = await startDnsServer(serving(zone));
  const ttlOf = async (domain: string) =>
    (await probeDomain({ ...QUESTION, domain, resolver: resolverFor(server) })).ttlSec;
  expect(await ttlOf('acme.test')).toBe(30);
  expect(await ttlOf('bare.test')).toBe(40);
});

test('an include that domains share is asked for once, what they own at every look', async () => {
  const own = (name: string) =>
    `${name} 60 IN TXT "v=spf1 include:esp.test include:in.${name}.test -all"\nin.${name} 60 IN TXT "v=spf1 ?all"`;
  await using server = await startDnsServer(
    serving(`${own('one')}\n${own('two')}\nesp 60 IN TXT "v=spf1 ?all"`),
  );
  const asked: string[] = [];
  const counting: DnsResolver = {
    ask(name, type, options) {
      asked.push(name);
      return resolverFor(server).ask(name, type, options);
    },
  };
  const resolver = shareAnswers(counting, { keptSecMax: 3_600 });
  for (const domain of ['one.test', 'two.test', 'one.test']) {
    await probeDomain({ ...QUESTION, domain, resolver });
  }
  const times = (name: string) => asked.filter((one) => one === name).length;
  expect(times('esp.test')).toBe(1);
  expect(times('_dmarc.test')).toBe(1);
  expect(times('one.test')).toBe(2);
  expect(times('in.one.test')).toBe(2);
  expect(times('_dmarc.one.test')).toBe(2);
});

test('a look that is given up says nothing about the domain', async () => {
  await using server = await startDnsServer(serving(HEALTHY, { '.': 'silent' }));
  const giveUp = new AbortController();
  const look = probeDomain({ ...QUESTION, resolver: resolverFor(server), signal: giveUp.signal });
  giveUp.abort();
  const { answers } = await look;
  expect(answers).toHaveLength(7);
  expect(answers.every((answer) => 'unknown' in answer && answer.unknown === 'no_answer')).toBe(true);
});

test('a digest does not move with the order of records or questions', () => {
  const one = { name: 'acme.test', type: 'TXT', outcome: ['a', 'b'] };
  const two = { name: 'b.test', type: 'A', outcome: 'nxdomain' } as const;
  expect(digestOf([one, two])).toBe(digestOf([two, { ...one, outcome: ['b', 'a'] }]));
  expect(digestOf([one])).not.toBe(digestOf([{ ...one, outcome: ['ab'] }]));
  expect(digestOf([two])).not.toBe(digestOf([{ ...two, outcome: 'nodata' }]));
});
