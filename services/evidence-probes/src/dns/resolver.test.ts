import { startDnsServer } from '@orchestrate/sandbox';
import { expect, test } from 'vitest';
import { resolverFor, serving } from './dns.test-support.ts';
import { CODE_MEANINGS, createTxtResolver, meaningOf } from './resolver.ts';

const ZONE = `
  split.acme 60 IN TXT "v=spf1 " "-all"
  mail.acme  60 IN A 192.0.2.1
  bytes.acme 60 IN TXT "\\255\\254"
`;

test('the strings of a record are joined without anything between them', async () => {
  await using server = await startDnsServer(serving(ZONE));
  expect(await resolverFor(server).txt('split.acme.test')).toEqual({
    kind: 'records',
    records: ['v=spf1 -all'],
  });
});

test('octets that are not UTF-8 are kept', async () => {
  await using server = await startDnsServer(serving(ZONE));
  expect(await resolverFor(server).txt('bytes.acme.test')).toEqual({
    kind: 'records',
    records: ['\u00ff\u00fe'],
  });
});

test.each([
  ['a name that does not exist', 'nowhere.test', { kind: 'absent', how: 'nxdomain' }],
  ['a name without TXT records', 'mail.acme.test', { kind: 'absent', how: 'nodata' }],
  ['a name with others below it only', 'acme.test', { kind: 'absent', how: 'nodata' }],
  ['a zone the server does not serve', 'example.org', { kind: 'no_answer', reason: 'refused' }],
  ['a name that cannot be asked for', 'a..test', { kind: 'no_answer', reason: 'no_answer' }],
])('%s', async (_, name, answer) => {
  await using server = await startDnsServer(serving(ZONE));
  expect(await resolverFor(server).txt(name)).toEqual(answer);
});

test.each([
  ['silent', 'timeout'],
  ['servfail', 'servfail'],
  ['refused', 'refused'],
] as const)('a server that is %s is no answer, never an absence', async (behaviour, reason) => {
  await using server = await startDnsServer(serving(ZONE, { test: behaviour }));
  expect(await resolverFor(server).txt('split.acme.test')).toEqual({ kind: 'no_answer', reason });
});

test('a server that is gone is no answer', async () => {
  await using server = await startDnsServer(serving(ZONE));
  await server.stop();
  expect(await resolverFor(server).txt('split.acme.test')).toMatchObject({ kind: 'no_answer' });
});

test.each(['servfail', 'refused', 'silent'] as const)(
  'the second server is asked when the first one is %s',
  async (behaviour) => {
    await using failing = await startDnsServer(serving(ZONE, { test: behaviour }));
    await using working = await startDnsServer(serving(ZONE));
    const servers = [failing.address, working.address];
    const resolver = createTxtResolver({ servers, timeoutMs: 150, tries: 1 });
    expect(await resolver.txt('split.acme.test')).toMatchObject({ kind: 'records' });
  },
);

test('an authoritative no of the first server is not shopped around', async () => {
  await using first = await startDnsServer(serving(ZONE));
  await using second = await startDnsServer(serving('late 60 IN TXT "x"'));
  const resolver = createTxtResolver({ servers: [first.address, second.address], timeoutMs: 150, tries: 1 });
  expect(await resolver.txt('late.test')).toEqual({ kind: 'absent', how: 'nxdomain' });
  expect(second.queries).toBe(0);
});

test('only two codes are an authoritative no, and a code never heard of is no answer', () => {
  const absences = Object.entries(CODE_MEANINGS).filter(([, meaning]) => meaning.kind === 'absent');
  expect(absences.map(([code]) => code)).toEqual(['ENOTFOUND', 'ENODATA']);
  expect(meaningOf(Object.assign(new Error(), { code: 'ENEW' }))).toEqual({
    kind: 'no_answer',
    reason: 'no_answer',
  });
  expect(meaningOf('not even an error')).toEqual({ kind: 'no_answer', reason: 'no_answer' });
});
