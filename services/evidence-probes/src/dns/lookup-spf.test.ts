import { startDnsServer } from '@orchestrate/sandbox';
import { describe, expect, test } from 'vitest';
import { patienceFor, resolverFor, serving, summary, txt } from './dns.test-support.ts';
import { lookupSpf } from './lookup-spf.ts';

const EGRESS = '192.0.2.1';

async function spfOf(zone: string, domain = 'acme.test', egressIp = EGRESS) {
  await using server = await startDnsServer(serving(zone));
  return summary(await lookupSpf({ domain, egressIp, resolver: resolverFor(server) }));
}

const numbered = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

describe('what the domain says', () => {
  test.each([
    ['pass', 'v=spf1 ip4:192.0.2.0/24 -all'],
    ['fail', 'v=spf1 ip4:198.51.100.0/24 -all'],
    ['softfail', 'v=spf1 ~all'],
    ['neutral', 'v=spf1 ?all'],
    ['neutral', 'v=spf1'],
    ['permerror', 'v=spf1 ipv4:192.0.2.1 -all'],
    ['permerror', 'v=spf1 ip4:192.0.2.1 include:-all -nonsense'],
    ['permerror', 'v=spf1 redirect=a.test redirect=b.test'],
  ])('%s for `%s`', async (expected, record) => {
    expect(await spfOf(`acme 60 IN ${txt(record)}`)).toEqual({
      spf: expected,
      spfLookups: 0,
      spfVoidLookups: 0,
    });
  });

  test.each([
    ['no TXT record', 'acme 60 IN A 192.0.2.1'],
    ['other TXT records only', 'acme 60 IN TXT "verification=1"'],
    ['no such name', 'elsewhere 60 IN TXT "x"'],
  ])('none when there is %s', async (_, zone) => {
    expect(await spfOf(zone)).toEqual({ spf: 'none', spfLookups: 0, spfVoidLookups: 0 });
  });

  test('nothing is inherited from the domain above', async () => {
    const zone = 'acme 60 IN TXT "v=spf1 +all"\nnews.acme 60 IN A 192.0.2.1';
    expect(await spfOf(zone, 'news.acme.test')).toMatchObject({ spf: 'none' });
  });

  test('two records are a permerror, even when one of them would pass', async () => {
    const zone = 'acme 60 IN TXT "v=spf1 +all"\nacme 60 IN TXT "v=spf1 -all"';
    expect(await spfOf(zone)).toMatchObject({ spf: 'permerror' });
  });

  test('the address counts that mail really leaves from', async () => {
    const zone =
      'acme 60 IN TXT "v=spf1 include:esp.test -all"\nesp 60 IN TXT "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all"';
    expect(await spfOf(zone)).toEqual({ spf: 'pass', spfLookups: 1, spfVoidLookups: 0 });
    expect(await spfOf(zone, 'acme.test', '2001:db8::7')).toMatchObject({ spf: 'pass' });
    expect(await spfOf(zone, 'acme.test', '198.51.100.1')).toMatchObject({ spf: 'fail' });
  });

  test('an include of a domain without a policy is a permerror', async () => {
    expect(await spfOf('acme 60 IN TXT "v=spf1 include:gone.test -all"')).toMatchObject({ spf: 'permerror' });
  });
});

describe('the records an evaluation asks for', () => {
  test.each([
    ['A', 'v=spf1 a:host.test -all', '192.0.2.1'],
    ['AAAA', 'v=spf1 a:host.test -all', '2001:db8::7'],
    ['MX and A', 'v=spf1 mx:mx.test -all', '192.0.2.1'],
    ['MX and AAAA', 'v=spf1 mx:mx.test -all', '2001:db8::7'],
    ['PTR and A', 'v=spf1 ptr:host.test -all', '192.0.2.1'],
    ['an alias of A', 'v=spf1 a:alias.test -all', '192.0.2.1'],
  ])('%s', async (_, record, egressIp) => {
    const test = `
      acme 60 IN ${txt(record)}
      host 60 IN A 192.0.2.1
      host 60 IN AAAA 2001:db8::7
      mx   60 IN MX 10 gone
      mx   60 IN MX 5 host
      alias 60 IN CNAME host
    `;
    await using server = await startDnsServer({
      zones: { test, 'in-addr.arpa': '1.2.0.192 60 IN PTR host.test.' },
    });
    const ask = async (ip: string) =>
      summary(await lookupSpf({ domain: 'acme.test', egressIp: ip, resolver: resolverFor(server) }));
    expect(await ask(egressIp)).toMatchObject({ spf: 'pass' });
    expect((await ask('198.51.100.9')).spf).not.toBe('pass');
  });

  test('a null MX matches nothing', async () => {
    expect(await spfOf('acme 60 IN TXT "v=spf1 mx -all"\nacme 60 IN MX 0 .')).toHaveProperty('spf', 'fail');
  });
});

describe('limits', () => {
  test('ten terms are counted and allowed, eleven are a permerror', async () => {
    const zone = (count: number) => `
      acme 60 IN ${txt(`v=spf1 ${numbered(count, (n) => `a:h${n}.test`).replaceAll('\n', ' ')} ip4:${EGRESS} -all`)}
${numbered(count, (n) => `      h${n} 60 IN A 198.51.100.1`)}`;
    expect(await spfOf(zone(10))).toEqual({ spf: 'pass', spfLookups: 10, spfVoidLookups: 0 });
    expect(await spfOf(zone(11))).toMatchObject({ spf: 'permerror', spfLookups: 11 });
  });

  test('two void lookups are counted and allowed, three are a permerror', async () => {
    const record = (count: number) =>
      `v=spf1 ${numbered(count, (n) => `a:v${n}.test`).replaceAll('\n', ' ')} +all`;
    expect(await spfOf(`acme 60 IN ${txt(record(2))}`)).toEqual({
      spf: 'pass',
      spfLookups: 2,
      spfVoidLookups: 2,
    });
    expect(await spfOf(`acme 60 IN ${txt(record(3))}`)).toMatchObject({
      spf: 'permerror',
      spfVoidLookups: 3,
    });
  });

  test('300 nested includes end after ten', async () => {
    await using server = await startDnsServer(
      serving(numbered(300, (n) => `n${n} 60 IN TXT "v=spf1 include:n${n + 1}.test -all"`)),
    );
    const answers = await lookupSpf({ domain: 'n0.test', egressIp: EGRESS, resolver: resolverFor(server) });
    expect(summary(answers)).toMatchObject({ spf: 'permerror', spfLookups: 11 });
    expect(server.queries).toBeLessThanOrEqual(11);
  });

  test('an include loop ends', async () => {
    const zone =
      'acme 60 IN TXT "v=spf1 include:loop.test -all"\nloop 60 IN TXT "v=spf1 include:acme.test -all"';
    expect(await spfOf(zone)).toMatchObject({ spf: 'permerror' });
  });

  test('a redirect to itself ends', async () => {
    expect(await spfOf('acme 60 IN TXT "v=spf1 redirect=acme.test"')).toMatchObject({ spf: 'permerror' });
  });

  test('a mail exchanger with more than ten hosts is a permerror', async () => {
    const zone = `acme 60 IN TXT "v=spf1 mx -all"\n${numbered(12, (n) => `acme 60 IN MX 1 m${n}\nm${n} 60 IN A 198.51.100.${n}`)}`;
    expect(await spfOf(zone)).toMatchObject({ spf: 'permerror' });
  });

  test('an evaluation over its time is unknown', async () => {
    await using server = await startDnsServer(
      serving('acme 60 IN TXT "v=spf1 a:slow.test -all"', {
        'slow.test': 'silent',
      }),
    );
    const resolver = resolverFor(server);
    const answers = await lookupSpf({ domain: 'acme.test', egressIp: EGRESS, resolver, elapsedMsMax: 300 });
    expect(summary(answers)).toMatchObject({ spf: '?timeout' });
  });
});

describe('garbage', () => {
  test('a policy over 10 kB is a permerror', async () => {
    const huge = `v=spf1 ${'ip4:198.51.100.1 '.repeat(650)}+all`;
    expect(await spfOf(`acme 60 IN ${txt(huge)}`)).toMatchObject({ spf: 'permerror' });
    expect(await spfOf(`acme 60 IN TXT "v=spf1 include:h.test"\nh 60 IN ${txt(huge)}`)).toMatchObject({
      spf: 'permerror',
    });
  });

  test('a policy of just under 10 kB is read', async () => {
    const large = `v=spf1 ${'ip4:198.51.100.1 '.repeat(590)}+all`;
    expect(await spfOf(`acme 60 IN ${txt(large)}`)).toMatchObject({ spf: 'pass' });
  });

  test('10 kB that are no policy stand beside one without harm', async () => {
    const zone = `acme 60 IN ${txt('x'.repeat(10_000))}\nacme 60 IN TXT "v=spf1 ip4:${EGRESS} -all"`;
    expect(await spfOf(zone)).toMatchObject({ spf: 'pass' });
  });

  test.each([
    ['invalid UTF-8 in the policy', 'acme 60 IN TXT "v=spf1 \\255\\254 +all"', 'permerror'],
    ['invalid UTF-8 in another record', 'acme 60 IN TXT "\\255"\nacme 60 IN TXT "v=spf1 +all"', 'pass'],
    ['an octet that other tongues take for blank', 'acme 60 IN TXT "v=spf1\\160+all"', 'none'],
    ['control characters', 'acme 60 IN TXT "v=spf1 \\000\\007 +all"', 'permerror'],
    ['an empty record', 'acme 60 IN TXT ""', 'none'],
    ['a bad macro', 'acme 60 IN TXT "v=spf1 exists:%{z}.test -all"', 'permerror'],
    ['an unterminated macro', 'acme 60 IN TXT "v=spf1 exists:%{i -all"', 'permerror'],
    [
      'a label over 63 octets',
      `acme 60 IN ${txt(`v=spf1 include:${'x'.repeat(64)}.test -all`)}`,
      'permerror',
    ],
  ])('%s', async (_, zone, expected) => {
    expect(await spfOf(zone)).toMatchObject({ spf: expected });
  });

  test('an exploding macro is cut, not followed', async () => {
    const record = `v=spf1 exists:${'%{s}.'.repeat(1500)}test -all`;
    expect(await spfOf(`acme 60 IN ${txt(record)}`)).toHaveProperty('spf');
  });
});

describe('no news is not bad news', () => {
  const ZONE = `
    acme     60 IN TXT "v=spf1 include:inc.test a:host.test mx:mx.test exists:%{ir}.exists.test redirect=redir.test"
    inc      60 IN TXT "v=spf1 ip4:198.51.100.1 -all"
    host     60 IN A 198.51.100.2
    mx       60 IN MX 10 mxhost
    mxhost   60 IN A 198.51.100.3
    x.exists 60 IN A 198.51.100.4
    redir    60 IN TXT "v=spf1 -all"
    ptr      60 IN TXT "v=spf1 ptr -all"
  `;
  const NAMES = ['acme.test', 'inc.test', 'host.test', 'mx.test', 'mxhost.test', 'exists.test', 'redir.test'];
  const BEHAVIOURS = [
    ['silent', '?timeout'],
    ['servfail', '?servfail'],
    ['refused', '?refused'],
  ] as const;

  test('with all of it answered the domain fails', async () => {
    expect(await spfOf(ZONE)).toEqual({ spf: 'fail', spfLookups: 5, spfVoidLookups: 1 });
  });

  test.each(NAMES.flatMap((name) => BEHAVIOURS.map((behaviour) => [name, ...behaviour] as const)))(
    'SPF at %s %s is unknown, not a fail',
    async (name, behaviour, unknown) => {
      await using server = await startDnsServer(serving(ZONE, { [name]: behaviour }));
      const answers = await lookupSpf({
        domain: 'acme.test',
        egressIp: EGRESS,
        resolver: resolverFor(server, patienceFor(behaviour)),
      });
      expect(summary(answers)).toEqual({ spf: unknown, spfLookups: unknown, spfVoidLookups: unknown });
    },
  );

  test.each(BEHAVIOURS)(
    'a ptr term whose reverse zone is %s does not fall through to -all',
    async (behaviour, unknown) => {
      await using server = await startDnsServer(serving(ZONE, { 'in-addr.arpa': behaviour }));
      const answers = await lookupSpf({
        domain: 'ptr.test',
        egressIp: EGRESS,
        resolver: resolverFor(server, patienceFor(behaviour)),
      });
      expect(summary(answers)).toMatchObject({ spf: unknown });
    },
  );

  test('a term that was not needed may be broken', async () => {
    await using server = await startDnsServer(
      serving(`acme 60 IN TXT "v=spf1 ip4:${EGRESS} include:inc.test -all"`, {
        'inc.test': 'servfail',
      }),
    );
    expect(
      summary(await lookupSpf({ domain: 'acme.test', egressIp: EGRESS, resolver: resolverFor(server) })),
    ).toMatchObject({ spf: 'pass' });
  });

  test('a server that closes the door is unknown', async () => {
    const server = await startDnsServer();
    await server.stop();
    const answers = await lookupSpf({ domain: 'acme.test', egressIp: EGRESS, resolver: resolverFor(server) });
    expect(summary(answers).spf).toMatch(/^\?(no_answer|timeout)$/);
  });

  test.each([
    ['an egress address that is none', 'acme.test', 'not-an-address', '?probe_fault'],
    ['a domain that is none', 'acme', EGRESS, '?probe_fault'],
    ['a domain over 253 octets', `${'a.'.repeat(125)}acme.test`, EGRESS, '?name_too_long'],
  ])('%s is our fault, not the domain’s', async (_, domain, egressIp, unknown) => {
    expect(await spfOf(ZONE, domain, egressIp)).toMatchObject({ spf: unknown });
  });
});

test('the digest follows the records that the answer rests on', async () => {
  await using server = await startDnsServer(
    serving('acme 60 IN TXT "v=spf1 include:esp.test -all"\nesp 60 IN TXT "v=spf1 +all"'),
  );
  const ask = async () =>
    (await lookupSpf({ domain: 'acme.test', egressIp: EGRESS, resolver: resolverFor(server) }))[0];
  const [first, again] = [await ask(), await ask()];
  expect(first).toEqual(again);
  expect(first).toHaveProperty('digest', expect.stringMatching(/^[0-9a-f]{64}$/));
  server.reload({
    test: 'acme 60 IN TXT "v=spf1 include:esp.test -all"\nesp 60 IN TXT "v=spf1 ?all +all"',
  });
  expect(await ask()).not.toMatchObject({ digest: (first as { digest: string }).digest });
});
