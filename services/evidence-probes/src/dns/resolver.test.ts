import { type DnsBehaviour, startDnsServer } from '@orchestrate/sandbox';
import { describe, expect, test } from 'vitest';
import { patienceFor, resolverFor, resolverOf, serving, txt } from './dns.test-support.ts';
import type { DnsAnswer } from './dns-answer.ts';
import { createDnsResolver } from './resolver.ts';
import { resolverAddresses } from './server-address.ts';

const ZONE = `
  split.acme 60 IN TXT "v=spf1 " "-all"
  mail.acme  60 IN A 192.0.2.1
  bytes.acme 60 IN TXT "\\255\\254"
  utf8.acme  60 IN TXT "\\195\\188"
  short      20 IN TXT "a"
  short      50 IN TXT "b"
  alias      10 IN CNAME short
  quick       5 IN CNAME alias
  dangling   30 IN CNAME gone
  leading    30 IN CNAME mail.acme
  away       30 IN CNAME example.org.
  loop       30 IN CNAME loop
  mx         60 IN MX 10 mail.acme
  nomx       60 IN MX 0 .
  six        60 IN AAAA 2001:db8::1
  ptr        60 IN PTR mail.acme
`;

describe('one server', () => {
  test('the strings of a record are joined without anything between them', async () => {
    await using server = await startDnsServer(serving(ZONE));
    expect(await resolverFor(server).ask('split.acme.test', 'TXT')).toEqual({
      kind: 'records',
      records: ['v=spf1 -all'],
      ttlSec: 60,
    });
  });

  test('octets that are not ASCII are kept one by one', async () => {
    await using server = await startDnsServer(serving(ZONE));
    const resolver = resolverFor(server);
    expect(await resolver.ask('bytes.acme.test', 'TXT')).toMatchObject({ records: ['\u00ff\u00fe'] });
    expect(await resolver.ask('utf8.acme.test', 'TXT')).toMatchObject({ records: ['\u00c3\u00bc'] });
  });

  test.each([
    ['A', 'mail.acme.test', ['192.0.2.1']],
    ['AAAA', 'six.test', ['2001:db8::1']],
    ['MX', 'mx.test', [{ exchange: 'mail.acme.test', priority: 10 }]],
    ['MX', 'nomx.test', [{ exchange: '', priority: 0 }]],
    ['PTR', 'ptr.test', ['mail.acme.test']],
  ] as const)('a record of type %s at %s', async (type, name, records) => {
    await using server = await startDnsServer(serving(ZONE));
    expect(await resolverFor(server).ask(name, type)).toEqual({ kind: 'records', records, ttlSec: 60 });
  });

  test.each([
    ['a name that does not exist', 'nowhere.test', { kind: 'absent', how: 'nxdomain' }],
    ['a name without TXT records', 'mail.acme.test', { kind: 'absent', how: 'nodata' }],
    ['a name with others below it only', 'acme.test', { kind: 'absent', how: 'nodata' }],
    [
      'an alias of a name that does not exist',
      'dangling.test',
      { kind: 'absent', how: 'nxdomain', ttlSec: 30 },
    ],
    ['an alias of a name without TXT records', 'leading.test', { kind: 'absent', how: 'nodata', ttlSec: 30 }],
    ['an alias whose end is not told', 'away.test', { kind: 'no_answer', reason: 'no_answer' }],
    ['an alias of itself', 'loop.test', { kind: 'no_answer' }],
    ['a zone the server does not serve', 'example.org', { kind: 'no_answer', reason: 'refused' }],
    ['a name that cannot be asked for', 'a..test', { kind: 'no_answer', reason: 'no_answer' }],
    [
      'a name with a label that is too long',
      `${'x'.repeat(64)}.test`,
      { kind: 'no_answer', reason: 'no_answer' },
    ],
  ])('%s', async (_, name, answer) => {
    await using server = await startDnsServer(serving(ZONE));
    expect(await resolverFor(server).ask(name, 'TXT')).toMatchObject(answer);
  });

  test('the TTL is the shortest of the set and of the aliases that lead to it', async () => {
    await using server = await startDnsServer(serving(ZONE));
    const resolver = resolverFor(server);
    expect(await resolver.ask('short.test', 'TXT')).toMatchObject({ records: ['a', 'b'], ttlSec: 20 });
    expect(await resolver.ask('alias.test', 'TXT')).toMatchObject({ records: ['a', 'b'], ttlSec: 10 });
    expect(await resolver.ask('quick.test', 'TXT')).toMatchObject({ records: ['a', 'b'], ttlSec: 5 });
  });

  test.each([
    ['the TTL of the SOA record', 7, 90, 7],
    ['its MINIMUM', 90, 8, 8],
  ])('a no lasts for %s when that is less', async (_, soaTtlSec, minimumSec, ttlSec) => {
    const soa = `@ ${soaTtlSec} IN SOA ns hostmaster 1 7200 3600 1209600 ${minimumSec}`;
    await using server = await startDnsServer(serving(`${soa}\n@ IN NS ns\nns IN A 127.0.0.1`));
    const resolver = resolverFor(server);
    expect(await resolver.ask('gone.test', 'TXT')).toEqual({ kind: 'absent', how: 'nxdomain', ttlSec });
    expect(await resolver.ask('ns.test', 'TXT')).toEqual({ kind: 'absent', how: 'nodata', ttlSec });
  });

  test('a record too large for a datagram comes over TCP', async () => {
    await using server = await startDnsServer(serving(`large 60 IN ${txt('x'.repeat(10_000))}`));
    const answer = await resolverFor(server).ask('large.test', 'TXT');
    expect(answer).toMatchObject({ kind: 'records', records: ['x'.repeat(10_000)] });
    expect(server.queries).toBe(2);
  });

  test('a name with more text than anybody needs is a fault of the probe, not a finding', async () => {
    const zone = Array.from({ length: 4 }, (_, n) => `vast 60 IN ${txt(`${n}${'x'.repeat(10_000)}`)}`);
    await using server = await startDnsServer(serving(zone.join('\n')));
    const answer = await resolverFor(server).ask('vast.test', 'TXT');
    expect(answer).toEqual({ kind: 'no_answer', reason: 'probe_fault' });
  });

  test.each([
    ['silent', 'timeout'],
    ['servfail', 'servfail'],
    ['refused', 'refused'],
  ] as const)('one that is %s is no answer, never an absence', async (behaviour, reason) => {
    await using server = await startDnsServer(serving(ZONE, { test: behaviour }));
    const resolver = resolverFor(server, patienceFor(behaviour));
    expect(await resolver.ask('split.acme.test', 'TXT')).toEqual({ kind: 'no_answer', reason });
  });

  test('one that is gone is no answer', async () => {
    await using server = await startDnsServer(serving(ZONE));
    await server.stop();
    expect(await resolverFor(server).ask('split.acme.test', 'TXT')).toMatchObject({ kind: 'no_answer' });
  });

  test('silence is tried again as often as was said, a code is not', async () => {
    await using silent = await startDnsServer(serving(ZONE, { test: 'silent' }));
    await resolverOf([silent], { timeoutMs: 50, tries: 3 }).ask('split.acme.test', 'TXT');
    expect(silent.queries).toBe(3);
    await using failing = await startDnsServer(serving(ZONE, { test: 'servfail' }));
    await resolverOf([failing], { tries: 3 }).ask('split.acme.test', 'TXT');
    expect(failing.queries).toBe(1);
  });

  test('its word is taken when it is the only one', async () => {
    await using server = await startDnsServer(serving(ZONE));
    expect(await resolverFor(server).ask('late.test', 'TXT')).toMatchObject({ kind: 'absent' });
  });

  test('named twice it is still one, and does not confirm itself', async () => {
    expect(resolverAddresses(['192.0.2.1', '192.0.2.1:53', '192.0.2.1:5353', '[2001:db8::1]:53'])).toEqual([
      { host: '192.0.2.1', port: 53, family: 4 },
      { host: '192.0.2.1', port: 5353, family: 4 },
      { host: '2001:db8::1', port: 53, family: 6 },
    ]);
    expect(() => resolverAddresses(['dns.example.org'])).toThrow(RangeError);
  });
});

describe('giving up', () => {
  test.each([
    ['by whoever asked', () => new AbortController(), 'no_answer'],
    ['by time', () => ({ signal: AbortSignal.timeout(50) }), 'timeout'],
  ])('%s ends a question that nobody answers', async (_, start, reason) => {
    await using server = await startDnsServer(serving(ZONE, { test: 'silent' }));
    const stop = start();
    const asked = resolverFor(server).ask('split.acme.test', 'TXT', { signal: stop.signal });
    if (stop instanceof AbortController) stop.abort();
    expect(await asked).toEqual({ kind: 'no_answer', reason });
  });

  test('before asking costs no question', async () => {
    await using server = await startDnsServer(serving(ZONE));
    const answer = await resolverFor(server).ask('split.acme.test', 'TXT', { signal: AbortSignal.abort() });
    expect(answer).toEqual({ kind: 'no_answer', reason: 'no_answer' });
    expect(server.queries).toBe(0);
  });
});

describe('two servers', () => {
  const YES = 'late 60 IN TXT "x"';
  const NO = 'other 60 IN TXT "x"';
  const POSITIVE: DnsAnswer = { kind: 'records', records: ['x'], ttlSec: 60 };
  const NEGATIVE: DnsAnswer = { kind: 'absent', how: 'nxdomain', ttlSec: 60 };
  const failure = (reason: string) => ({ kind: 'no_answer', reason });

  test.each<[string, DnsBehaviour | undefined, string, DnsBehaviour | undefined, object]>([
    [YES, undefined, NO, undefined, POSITIVE],
    [YES, 'servfail', YES, undefined, POSITIVE],
    [YES, 'refused', YES, undefined, POSITIVE],
    [YES, 'silent', YES, undefined, POSITIVE],
    [NO, undefined, NO, undefined, NEGATIVE],
    [NO, undefined, YES, undefined, failure('disagreement')],
    [NO, undefined, NO, 'servfail', failure('servfail')],
    [NO, undefined, NO, 'refused', failure('refused')],
    [NO, undefined, NO, 'silent', failure('timeout')],
    [NO, 'servfail', NO, undefined, failure('servfail')],
    [NO, 'silent', NO, undefined, failure('timeout')],
    [NO, 'silent', NO, 'refused', failure('refused')],
  ])('`%s` %s beside `%s` %s', async (zone, behaviour, otherZone, otherBehaviour, expected) => {
    const behaving = (how: DnsBehaviour | undefined) => (how === undefined ? undefined : { test: how });
    await using first = await startDnsServer(serving(zone, behaving(behaviour)));
    await using second = await startDnsServer(serving(otherZone, behaving(otherBehaviour)));
    const isSilent = [behaviour, otherBehaviour].includes('silent');
    const resolver = resolverOf([first, second], isSilent ? { timeoutMs: 1_000 } : {});
    expect(await resolver.ask('late.test', 'TXT')).toEqual(expected);
  });

  test('two ways of saying no agree, and the shorter TTL counts', async () => {
    const soa = (sec: number) => `@ ${sec} IN SOA ns hostmaster 1 7200 3600 1209600 ${sec}`;
    await using first = await startDnsServer(serving(soa(40)));
    await using second = await startDnsServer(serving(`${soa(30)}\nlate 60 IN A 192.0.2.1`));
    const answer = await resolverOf([first, second]).ask('late.test', 'TXT');
    expect(answer).toEqual({ kind: 'absent', how: 'nxdomain', ttlSec: 30 });
  });

  test('a positive answer costs the second no question', async () => {
    await using first = await startDnsServer(serving(YES));
    await using second = await startDnsServer(serving(YES));
    await resolverOf([first, second]).ask('late.test', 'TXT');
    expect(second.queries).toBe(0);
  });

  test('where the second fails a third may confirm', async () => {
    await using first = await startDnsServer(serving(NO));
    await using second = await startDnsServer(serving(NO, { test: 'servfail' }));
    await using third = await startDnsServer(serving(NO));
    expect(await resolverOf([first, second, third]).ask('late.test', 'TXT')).toEqual(NEGATIVE);
  });
});

test('with nothing configured the resolvers of this machine are meant', () => {
  expect(() => createDnsResolver({ servers: [], timeoutMs: 1, tries: 1 })).not.toThrow();
  expect(resolverAddresses([]).every(({ port }) => port > 0)).toBe(true);
});
