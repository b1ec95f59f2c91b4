import { type DnsBehaviour, startDnsServer } from '@orchestrate/sandbox';
import { describe, expect, test } from 'vitest';
import { patienceFor, resolverFor, serving, summary, txt } from './dns.test-support.ts';
import { lookupDmarc } from './lookup-dmarc.ts';

async function dmarcOf(zone: string, domain = 'acme.test', behaviours: Record<string, DnsBehaviour> = {}) {
  await using server = await startDnsServer(serving(zone, behaviours));
  const resolver = resolverFor(server, patienceFor(Object.values(behaviours)[0] ?? 'sound'));
  return summary(await lookupDmarc({ domain, resolver }));
}

const present = (dmarcPolicy: string) => ({ dmarc: 'present', dmarcPolicy });
const policy = (name: string, record: string) =>
  `_dmarc${name === '' ? '' : `.${name}`} 60 IN ${txt(record)}`;

describe('a record at the domain', () => {
  test.each([
    ['v=DMARC1; p=none', present('none')],
    ['v=DMARC1; p=quarantine', present('quarantine')],
    ['v=DMARC1;p=reject;', present('reject')],
    ['V = DMARC1 ; p = Reject', present('reject')],
    ['v=DMARC1; p=reject; t=y', present('quarantine')],
    ['v=DMARC1; p=quarantine; t=y', present('none')],
    ['v=DMARC1; p=reject; pct=50; rf=afrf; ri=60; unheard=of; stray', present('reject')],
    ['v=DMARC1; p=reject; sp=none', present('reject')],
    ['v=DMARC1; p=maybe; rua=mailto:d@acme.test', present('none')],
    ['v=DMARC1; rua=mailto:d@acme.test', present('none')],
    ['v=DMARC1; p=reject; sp=maybe; rua=mailto:d@acme.test!10m', present('none')],
    ['v=DMARC1; p=maybe', { dmarc: 'invalid' }],
    ['v=DMARC1', { dmarc: 'invalid' }],
    ['v=DMARC1; p=reject; np=maybe', { dmarc: 'invalid' }],
    ['v=DMARC1; p=maybe; rua=d@acme.test', { dmarc: 'invalid' }],
    ['v=DMARC1; p=none; p=reject', { dmarc: 'invalid' }],
    ['v=DMARC2; p=none', { dmarc: 'none' }],
    ['p=none; v=DMARC1', { dmarc: 'none' }],
    ['v=dmarc1; p=none', { dmarc: 'none' }],
    ['v=DMARC10; p=none', { dmarc: 'none' }],
    ['\\255\\254', { dmarc: 'none' }],
    ['\\160v=DMARC1; p=reject', { dmarc: 'none' }],
    ['v=DMARC1; p=\\160reject', { dmarc: 'invalid' }],
    ['v=DMARC1\\160; p=reject', { dmarc: 'none' }],
    ['x'.repeat(10_000), { dmarc: 'none' }],
  ])('%.70s', async (record, expected) => {
    expect(await dmarcOf(policy('acme', record))).toEqual(expected);
  });

  test('other TXT records beside it do not count', async () => {
    expect(await dmarcOf(`${policy('acme', 'hello')}\n${policy('acme', 'v=DMARC1; p=reject')}`)).toEqual(
      present('reject'),
    );
  });

  test('it applies whatever stands above, even if that cannot be read', async () => {
    const zone = policy('news.acme', 'v=DMARC1; p=quarantine');
    const behaviours = { '_dmarc.acme.test': 'servfail' } as const;
    expect(await dmarcOf(zone, 'news.acme.test', behaviours)).toEqual(present('quarantine'));
  });
});

describe('the walk up the tree', () => {
  test('a subdomain takes `sp`, and `p` where there is none', async () => {
    expect(await dmarcOf(policy('acme', 'v=DMARC1; p=reject; sp=quarantine'), 'news.acme.test')).toEqual(
      present('quarantine'),
    );
    expect(await dmarcOf(policy('acme', 'v=DMARC1; p=reject'), 'a.b.acme.test')).toEqual(present('reject'));
  });

  test('the highest record is that of the organisation, unless a lower one says that it is', async () => {
    const above = policy('acme', 'v=DMARC1; p=reject');
    expect(await dmarcOf(`${above}\n${policy('b.acme', 'v=DMARC1; p=none')}`, 'a.b.acme.test')).toEqual(
      present('reject'),
    );
    expect(
      await dmarcOf(`${above}\n${policy('b.acme', 'v=DMARC1; p=none; psd=n')}`, 'a.b.acme.test'),
    ).toEqual(present('none'));
  });

  test('below a public suffix the organisation is one label down, and the suffix speaks where it is silent', async () => {
    const suffix = policy('', 'v=DMARC1; p=reject; psd=y');
    const zone = `${suffix}\n${policy('acme', 'v=DMARC1; p=none')}\n${policy('b.acme', 'v=DMARC1; p=quarantine')}`;
    expect(await dmarcOf(zone, 'a.b.acme.test')).toEqual(present('none'));
    expect(await dmarcOf(suffix, 'a.b.acme.test')).toEqual(present('reject'));
    expect(await dmarcOf(`${suffix}\n${policy('b.acme', 'v=DMARC1; p=none')}`, 'a.b.acme.test')).toEqual(
      present('reject'),
    );
  });

  test('no record anywhere is none', async () => {
    expect(await dmarcOf('acme 60 IN A 192.0.2.1')).toEqual({ dmarc: 'none' });
  });

  test.each([1, 2, 7, 8, 9, 40])('a name of %i labels takes at most eight queries', async (count) => {
    await using server = await startDnsServer(serving(''));
    const domain = `${'a.'.repeat(count - 1)}test`;
    expect(summary(await lookupDmarc({ domain, resolver: resolverFor(server) }))).toEqual({ dmarc: 'none' });
    expect(server.queries).toBe(Math.min(count, 8));
  });

  test('a name of nine labels goes on with its last seven', async () => {
    const zone = policy('3.4.5.6.7.8', 'v=DMARC1; p=reject');
    expect(await dmarcOf(zone, '1.2.3.4.5.6.7.8.test')).toEqual(present('reject'));
    expect(await dmarcOf(policy('2.3.4.5.6.7.8', 'v=DMARC1; p=reject'), '1.2.3.4.5.6.7.8.test')).toEqual({
      dmarc: 'none',
    });
  });
});

describe('several records at one name', () => {
  const twice = (name: string) =>
    `${policy(name, 'v=DMARC1; p=reject')}\n${policy(name, 'v=DMARC1; p=none')}`;

  test('cancel out, and the walk goes on', async () => {
    expect(
      await dmarcOf(`${twice('news.acme')}\n${policy('acme', 'v=DMARC1; p=quarantine')}`, 'news.acme.test'),
    ).toEqual(present('quarantine'));
  });

  test('are the finding when nothing else is found', async () => {
    expect(await dmarcOf(twice('acme'))).toEqual({ dmarc: 'multiple' });
    expect(await dmarcOf(twice('acme'), 'news.acme.test')).toEqual({ dmarc: 'multiple' });
  });
});

describe('an unanswered question', () => {
  test.each([
    ['silent', '?timeout'],
    ['servfail', '?servfail'],
    ['refused', '?refused'],
  ] as const)(
    '%s at any level leaves the policy unknown, even with a record above it',
    async (behaviour, unknown) => {
      const zone = policy('acme', 'v=DMARC1; p=reject');
      for (const level of ['_dmarc.a.b.acme.test', '_dmarc.b.acme.test', '_dmarc.acme.test', '_dmarc.test']) {
        expect(await dmarcOf(zone, 'a.b.acme.test', { [level]: behaviour })).toEqual({
          dmarc: unknown,
          dmarcPolicy: unknown,
        });
      }
    },
  );

  test('a domain too long to be asked for is unknown', async () => {
    expect(await dmarcOf('', `${'a.'.repeat(123)}test`)).toMatchObject({ dmarc: '?name_too_long' });
  });
});
