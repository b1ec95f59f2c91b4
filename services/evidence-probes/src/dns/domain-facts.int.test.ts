import { generateKeyPairSync } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type DnsBehaviour, startDnsServer } from '@orchestrate/sandbox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patienceFor, resolverFor, resolverOf, serving, summary, txt } from './dns.test-support.ts';
import type { DnsResolver } from './dns-answer.ts';
import { isKnotInstalled, type KnotServer, startKnot } from './knot.test-support.ts';
import { probeDomain } from './probe-domain.ts';

/** What each kind of record means, asked of a real authoritative server from the packet up to the facts. */

const EGRESS = '192.0.2.1';
const RSA_2048 = rsa(2048);
const ED25519 = generateKeyPairSync('ed25519')
  .publicKey.export({ format: 'der', type: 'spki' })
  .subarray(-32)
  .toString('base64');

function rsa(bits: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
}

/** A domain of its own for every row, `@` in its records; what is not at `@` is named in full. */
interface Row {
  readonly what: string;
  readonly records: readonly string[];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly egressIp?: string;
  readonly selectors?: readonly string[];
}

const numbered = (count: number, word: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => word(index)).join(' ');
const spf = (what: string, policy: string, facts: Row['facts'], more: readonly string[] = []): Row => ({
  what: `SPF: ${what}`,
  records: [`@ IN ${txt(policy)}`, ...more],
  facts,
});
const dkim = (what: string, record: string, facts: Row['facts']): Row => ({
  what: `DKIM: ${what}`,
  records: [`s1._domainkey.@ IN ${txt(record)}`],
  facts,
});
const dmarc = (what: string, record: string, facts: Row['facts']): Row => ({
  what: `DMARC: ${what}`,
  records: [`_dmarc.@ IN ${txt(record)}`],
  facts,
});
const present = (dmarcPolicy: string) => ({ dmarc: 'present', dmarcPolicy });

const ROWS: readonly Row[] = [
  spf('the egress address is listed', `v=spf1 ip4:${EGRESS} -all`, {
    spf: 'pass',
    spfLookups: 0,
    spfVoidLookups: 0,
  }),
  spf('the include of the provider lists it', 'v=spf1 include:esp.test -all', { spf: 'pass', spfLookups: 1 }),
  { ...spf('an address of IPv6', 'v=spf1 include:esp.test -all', { spf: 'pass' }), egressIp: '2001:db8::7' },
  spf('its mail exchanger sends', 'v=spf1 mx -all', { spf: 'pass' }, ['@ IN MX 5 host.test.']),
  spf('the name of the address leads back', 'v=spf1 ptr:host.test -all', { spf: 'pass' }),
  spf('another address', 'v=spf1 ip4:198.51.100.1 -all', { spf: 'fail' }),
  spf('softly another', 'v=spf1 ~all', { spf: 'softfail' }),
  spf('no opinion', 'v=spf1 ?all', { spf: 'neutral' }),
  { what: 'SPF: no policy', records: ['@ IN TXT "hello"', '@ IN A 192.0.2.9'], facts: { spf: 'none' } },
  { what: 'SPF: no TXT record', records: ['@ IN A 192.0.2.9'], facts: { spf: 'none', spfVoidLookups: 0 } },
  { what: 'SPF: no such name', records: [], facts: { spf: 'none', dkim: 'missing', dmarc: 'none' } },
  spf('eleven terms that ask', `v=spf1 ${numbered(11, () => 'a:host2.test')} -all`, { spf: 'permerror' }),
  spf('ten terms that ask', `v=spf1 ${numbered(9, () => 'a:host2.test')} a:host.test -all`, {
    spf: 'pass',
    spfLookups: 10,
  }),
  spf('three lookups that come back empty', `v=spf1 ${numbered(3, (n) => `a:v${n}.test`)} +all`, {
    spf: 'permerror',
    spfVoidLookups: 3,
  }),
  spf('two policies', 'v=spf1 +all', { spf: 'permerror' }, ['@ IN TXT "v=spf1 -all"']),
  spf('a mistake in the policy', 'v=spf1 ip4:192.0.2.1.1 -all', { spf: 'permerror' }),
  spf('300 nested includes', 'v=spf1 include:n0.test -all', { spf: 'permerror' }),
  spf('a policy of 11 kB', `v=spf1 ${'ip4:198.51.100.1 '.repeat(650)}+all`, { spf: 'permerror' }),
  spf('10 kB beside the policy', 'v=spf1 +all', { spf: 'pass' }, [`@ IN ${txt('x'.repeat(10_000))}`]),
  spf('octets that are not UTF-8', 'v=spf1 \\255\\254 +all', { spf: 'permerror' }),

  dkim('RSA of 2048 bits', `v=DKIM1; p=${RSA_2048}`, { dkim: 'valid', dkimKeyBits: 2048 }),
  dkim('RSA of 2047 bits', `v=DKIM1; p=${rsa(2047)}`, { dkim: 'weak', dkimKeyBits: 2047 }),
  dkim('RSA of 1024 bits', `v=DKIM1; p=${rsa(1024)}`, { dkim: 'weak', dkimKeyBits: 1024 }),
  dkim('Ed25519 alone', `v=DKIM1; k=ed25519; p=${ED25519}`, { dkim: 'weak', dkimKeyBits: 256 }),
  dkim('RSA under 1024 bits', `v=DKIM1; p=${rsa(1023)}`, { dkim: 'malformed', dkimKeyBits: 1023 }),
  dkim('SHA-1 only', `v=DKIM1; h=sha1; p=${RSA_2048}`, { dkim: 'malformed' }),
  dkim('revoked', 'v=DKIM1; p=', { dkim: 'revoked' }),
  dkim('octets that are not UTF-8', `v=DKIM1; p=\\160${RSA_2048}`, { dkim: 'malformed' }),
  { what: 'DKIM: no key at the selector', records: ['@ IN A 192.0.2.9'], facts: { dkim: 'missing' } },
  {
    what: 'DKIM: the selector is not known',
    records: [`s1._domainkey.@ IN ${txt(`p=${RSA_2048}`)}`],
    selectors: [],
    facts: { dkim: 'not_discoverable' },
  },
  {
    what: 'DKIM: several keys at one selector',
    records: [`s1._domainkey.@ IN ${txt(`p=${RSA_2048}`)}`, 's1._domainkey.@ IN TXT "p="'],
    facts: { dkim: '?multiple_keys', dkimKeyBits: '?multiple_keys' },
  },
  {
    what: 'DKIM: delegated to the provider',
    records: ['s1._domainkey.@ IN CNAME key.esp.test.'],
    facts: { dkim: 'valid' },
  },

  dmarc('none is a policy', 'v=DMARC1; p=none', present('none')),
  dmarc('reject', 'v=DMARC1; p=reject', present('reject')),
  dmarc('a bad policy with somebody to report to', 'v=DMARC1; p=bad; rua=mailto:d@esp.test', present('none')),
  dmarc('a bad policy without', 'v=DMARC1; p=bad', { dmarc: 'invalid' }),
  dmarc('octets that are not UTF-8', 'v=DMARC1; p=\\160reject', { dmarc: 'invalid' }),
  dmarc('`t=y` lowers it by one', 'v=DMARC1; p=reject; t=y', present('quarantine')),
  dmarc('`np` is not for a domain that exists', 'v=DMARC1; p=none; np=reject', present('none')),
  dmarc(
    'tags that are gone or never were',
    'v=DMARC1; p=reject; pct=1; rf=afrf; ri=9; x=y',
    present('reject'),
  ),
  { what: 'DMARC: nothing up to the top', records: ['@ IN A 192.0.2.9'], facts: { dmarc: 'none' } },
  {
    what: 'DMARC: two records cancel out',
    records: ['_dmarc.@ IN TXT "v=DMARC1; p=none"', '_dmarc.@ IN TXT "v=DMARC1; p=reject"'],
    facts: { dmarc: 'multiple' },
  },
];

const nameOf = (row: Row) => `row${ROWS.indexOf(row)}`;
const SHARED = `
esp         IN TXT "v=spf1 ip4:${EGRESS} ip6:2001:db8::/32 -all"
key.esp     IN ${txt(`v=DKIM1; p=${RSA_2048}`)}
host        IN A ${EGRESS}
host2       IN A 198.51.100.2
_dmarc.org  IN TXT "v=DMARC1; p=reject; sp=quarantine"
a.b.org     IN TXT "v=spf1 -all"
ttl         20 IN TXT "v=spf1 ip4:${EGRESS} -all"
s1._domainkey.ttl IN ${txt(`p=${RSA_2048}`)}
_dmarc.ttl  IN TXT "v=DMARC1; p=none"
${Array.from({ length: 300 }, (_, n) => `n${n} IN TXT "v=spf1 include:n${n + 1}.test -all"`).join('\n')}
`;
const ZONES = {
  test: `${SHARED}\n${ROWS.flatMap((row) => row.records.map((record) => record.replace('@', nameOf(row)))).join('\n')}`,
  suffix: '_dmarc IN TXT "v=DMARC1; p=reject; psd=y"\n_dmarc.acme IN TXT "v=DMARC1; p=quarantine"',
  '2.0.192.in-addr.arpa': '1 IN PTR host.test.',
};

const look = (domain: string, resolver: DnsResolver, row: Partial<Row> = {}) =>
  probeDomain({
    domain,
    egressIp: row.egressIp ?? EGRESS,
    dkimSelectors: row.selectors ?? ['s1'],
    resolver,
  });

describe.skipIf(!isKnotInstalled())('a real name server', () => {
  let knot: KnotServer;
  beforeAll(async () => {
    knot = await startKnot(ZONES);
  });
  afterAll(() => knot[Symbol.asyncDispose]());

  test.each(ROWS.map((row) => [row.what, row] as const))('%s', async (_, row) => {
    const { answers } = await look(`${nameOf(row)}.test`, resolverFor(knot), row);
    expect(summary(answers)).toMatchObject(row.facts);
  });

  test('DMARC: the walk finds the policy of the organisation and that of a public suffix', async () => {
    const factsOf = async (domain: string) => summary((await look(domain, resolverFor(knot))).answers);
    expect(await factsOf('a.b.org.test')).toMatchObject(present('quarantine'));
    expect(await factsOf('a.b.acme.suffix')).toMatchObject(present('quarantine'));
    expect(await factsOf('other.suffix')).toMatchObject(present('reject'));
  });

  test('a name of forty labels takes at most eight questions for its policy', async () => {
    const asked: string[] = [];
    const counting: DnsResolver = {
      ask(name, type, options) {
        if (name.startsWith('_dmarc.')) asked.push(name);
        return resolverFor(knot).ask(name, type, options);
      },
    };
    const { answers } = await look(`${'a.'.repeat(39)}test`, counting);
    expect(summary(answers)).toMatchObject({ dmarc: 'none' });
    expect(asked).toHaveLength(8);
  });

  test('SPF is not inherited from the domain above', async () => {
    expect(summary((await look('sub.esp.test', resolverFor(knot))).answers)).toMatchObject({ spf: 'none' });
  });

  test('the TTL of a look is the shortest of its records, and of the SOA record where one says no', async () => {
    expect((await look('ttl.test', resolverFor(knot))).ttlSec).toBe(20);
    expect((await look('nowhere.test', resolverFor(knot))).ttlSec).toBe(60);
  });

  test('an answer that lay waiting while this process was busy is not taken for silence', async () => {
    const asked = resolverFor(knot, 500).ask('ttl.test', 'TXT');
    await setImmediate();
    const busyUntilMs = performance.now() + 1_500;
    while (performance.now() < busyUntilMs);
    expect(await asked).toMatchObject({ kind: 'records' });
  });

  test('what it refuses is unknown in every fact', async () => {
    const { answers } = await look('acme.elsewhere', resolverFor(knot));
    expect(new Set(Object.values(summary(answers)))).toEqual(new Set(['?refused']));
  });

  test.each(['servfail', 'refused', 'silent'] as const)(
    'beside one that is %s every row that has records stays as it is',
    async (behaviour: DnsBehaviour) => {
      await using failing = await startDnsServer(serving('', { '.': behaviour }));
      const timeoutMs = behaviour === 'silent' ? 1_000 : patienceFor(behaviour);
      const resolver = resolverOf([failing, knot], { timeoutMs });
      expect(summary((await look('ttl.test', resolver)).answers)).toMatchObject({
        spf: 'pass',
        dkim: 'valid',
        dmarc: 'present',
      });
    },
  );

  test('what it says there is none of is unknown while the other one fails or has it', async () => {
    const none = { spf: 'none', dkim: 'missing', dmarc: 'none' };
    const everything = (unknown: string) => ({ spf: unknown, dkim: unknown, dmarc: unknown });
    const factsBeside = async (server: { readonly address: string }, timeoutMs?: number) =>
      summary((await look('late.test', resolverOf([knot, server], timeoutMs ? { timeoutMs } : {}))).answers);

    await using agreeing = await startDnsServer(serving(''));
    expect(await factsBeside(agreeing)).toMatchObject(none);
    for (const [behaviour, unknown] of [
      ['servfail', '?servfail'],
      ['refused', '?refused'],
      ['silent', '?timeout'],
    ] as const) {
      await using failing = await startDnsServer(serving('', { '.': behaviour }));
      const facts = await factsBeside(failing, behaviour === 'silent' ? 1_000 : undefined);
      expect(facts).toMatchObject(everything(unknown));
    }
    await using differing = await startDnsServer(
      serving(
        `late 60 IN TXT "v=spf1 ip4:${EGRESS} -all"
        s1._domainkey.late 60 IN ${txt(`p=${RSA_2048}`)}
        _dmarc.late 60 IN TXT "v=DMARC1; p=reject"`.replaceAll(/\n\s+/g, '\n'),
      ),
    );
    expect(await factsBeside(differing)).toMatchObject(everything('?disagreement'));
  });
});
