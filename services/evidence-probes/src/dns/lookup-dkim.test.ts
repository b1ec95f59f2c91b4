import { generateKeyPairSync } from 'node:crypto';
import { type DnsBehaviour, startDnsServer } from '@orchestrate/sandbox';
import { describe, expect, test } from 'vitest';
import { patienceFor, resolverFor, serving, summary, txt } from './dns.test-support.ts';
import { lookupDkim } from './lookup-dkim.ts';

function rsa(bits: number, type: 'spki' | 'pkcs1' = 'spki'): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return publicKey.export({ format: 'der', type }).toString('base64');
}

const RSA_2048 = rsa(2048);
const RSA_1024 = rsa(1024);
const RSA_512 = rsa(512);
const RSA_2048_PKCS1 = rsa(2048, 'pkcs1');
const ED25519 = generateKeyPairSync('ed25519')
  .publicKey.export({ format: 'der', type: 'spki' })
  .subarray(-32)
  .toString('base64');
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .publicKey.export({ format: 'der', type: 'spki' })
  .toString('base64');

const at = (selector: string, record: string) => `${selector}._domainkey.acme 60 IN ${txt(record)}`;

async function dkimOf(zone: string, selectors: string[], behaviours: Record<string, DnsBehaviour> = {}) {
  await using server = await startDnsServer(serving(zone, behaviours));
  const resolver = resolverFor(server, patienceFor(Object.values(behaviours)[0] ?? 'sound'));
  return summary(await lookupDkim({ domain: 'acme.test', selectors, resolver }));
}

describe('one selector', () => {
  test.each([
    ['RSA of 2048 bits', `v=DKIM1; k=rsa; p=${RSA_2048}`, { dkim: 'valid', dkimKeyBits: 2048 }],
    ['RSA without version and type', `p=${RSA_2048}`, { dkim: 'valid', dkimKeyBits: 2048 }],
    ['RSA in PKCS #1', `v=DKIM1; p=${RSA_2048_PKCS1}`, { dkim: 'valid', dkimKeyBits: 2048 }],
    [
      'a key with spaces in it',
      `v=DKIM1; p=${RSA_2048.match(/.{1,60}/g)?.join(' ')}`,
      { dkim: 'valid', dkimKeyBits: 2048 },
    ],
    [
      'sha1 and sha256',
      `v=DKIM1; h=sha1:sha256; s=email; t=s; p=${RSA_2048};`,
      { dkim: 'valid', dkimKeyBits: 2048 },
    ],
    ['RSA of 1024 bits', `v=DKIM1; p=${RSA_1024}`, { dkim: 'weak', dkimKeyBits: 1024 }],
    ['Ed25519 alone', `v=DKIM1; k=ed25519; p=${ED25519}`, { dkim: 'weak', dkimKeyBits: 256 }],
    ['RSA of 512 bits', `v=DKIM1; p=${RSA_512}`, { dkim: 'malformed', dkimKeyBits: 512 }],
    ['a revoked key', 'v=DKIM1; k=rsa; p=', { dkim: 'revoked' }],
    ['sha1 only', `v=DKIM1; h=sha1; p=${RSA_2048}`, { dkim: 'malformed' }],
    ['a service other than mail', `v=DKIM1; s=tlsrpt; p=${RSA_2048}`, { dkim: 'malformed' }],
    ['no key', 'v=DKIM1; k=rsa', { dkim: 'malformed' }],
    ['a key that is not base64', 'v=DKIM1; p=%%%', { dkim: 'malformed' }],
    ['base64 that is not a key', 'v=DKIM1; p=QUJDRA==', { dkim: 'malformed' }],
    ['half a key', `v=DKIM1; p=${RSA_2048.slice(0, 200)}`, { dkim: 'malformed' }],
    ['a key of another kind', `v=DKIM1; p=${EC}`, { dkim: 'malformed' }],
    ['an RSA key said to be Ed25519', `v=DKIM1; k=ed25519; p=${RSA_2048}`, { dkim: 'malformed' }],
    ['an unknown key type', `v=DKIM1; k=dsa; p=${RSA_2048}`, { dkim: 'malformed' }],
    ['another version', `v=DKIM2; p=${RSA_2048}`, { dkim: 'malformed' }],
    ['a version that does not come first', `p=${RSA_2048}; v=DKIM1`, { dkim: 'malformed' }],
    ['two keys in one record', `v=DKIM1; p=${RSA_2048}; p=${RSA_2048}`, { dkim: 'malformed' }],
    ['something else', 'v=spf1 -all', { dkim: 'malformed' }],
    ['10 kB of nothing', 'x'.repeat(10_000), { dkim: 'malformed' }],
    ['invalid UTF-8', 'v=DKIM1; p=\\255\\254', { dkim: 'malformed' }],
    [
      'an octet in the key that other tongues take for blank',
      `v=DKIM1; p=\\160${RSA_2048}`,
      { dkim: 'malformed' },
    ],
    ['such an octet before the version', `\\160v=DKIM1; p=${RSA_2048}`, { dkim: 'malformed' }],
  ])('%s', async (_, record, expected) => {
    expect(await dkimOf(at('s1', record), ['s1'])).toEqual(expected);
  });

  test('no key at a configured selector is missing, in both ways a name can be absent', async () => {
    expect(await dkimOf('acme 60 IN A 192.0.2.1', ['s1'])).toEqual({ dkim: 'missing' });
    expect(await dkimOf('s1._domainkey.acme 60 IN A 192.0.2.1', ['s1'])).toEqual({ dkim: 'missing' });
  });

  test('a key behind a CNAME is found, as providers delegate them', async () => {
    const zone = `s1._domainkey.acme 60 IN CNAME acme.dkim.esp\nacme.dkim.esp 60 IN ${txt(`v=DKIM1; p=${RSA_2048}`)}`;
    expect(await dkimOf(zone, ['s1'])).toEqual({ dkim: 'valid', dkimKeyBits: 2048 });
  });

  test('without a selector there is nothing to ask for', async () => {
    expect(await dkimOf('', [])).toEqual({ dkim: 'not_discoverable' });
  });

  test('several records at one selector are undefined, so unknown', async () => {
    const zone = `${at('s1', `p=${RSA_2048}`)}\n${at('s1', `p=${RSA_1024}`)}`;
    expect(await dkimOf(zone, ['s1'])).toEqual({ dkim: '?multiple_keys', dkimKeyBits: '?multiple_keys' });
  });

  test('a name over 253 octets cannot be asked for', async () => {
    const selector = Array.from({ length: 4 }, () => 'x'.repeat(60)).join('.');
    expect(await dkimOf('', [selector])).toMatchObject({ dkim: '?name_too_long' });
  });

  test.each([
    ['silent', '?timeout'],
    ['servfail', '?servfail'],
    ['refused', '?refused'],
  ] as const)('a server that is %s leaves the key unknown', async (behaviour, unknown) => {
    const zone = at('s1', `p=${RSA_2048}`);
    expect(await dkimOf(zone, ['s1'], { 'acme.test': behaviour })).toEqual({
      dkim: unknown,
      dkimKeyBits: unknown,
    });
  });
});

describe('several selectors', () => {
  const ZONE = [
    at('good', `p=${RSA_2048}`),
    at('weak', `p=${RSA_1024}`),
    at('edwards', `k=ed25519; p=${ED25519}`),
    at('revoked', 'p='),
    at('broken', 'p=?'),
    at('lost', `p=${RSA_2048}`),
  ].join('\n');
  const LOST = { 'lost._domainkey.acme.test': 'servfail' } as const;

  test.each([
    [['revoked', 'gone', 'broken', 'weak', 'good'], { dkim: 'valid', dkimKeyBits: 2048 }],
    [['edwards', 'good'], { dkim: 'valid', dkimKeyBits: 2048 }],
    [['edwards', 'weak'], { dkim: 'weak', dkimKeyBits: 1024 }],
    [['gone', 'revoked', 'weak'], { dkim: 'weak', dkimKeyBits: 1024 }],
    [['gone', 'revoked', 'broken'], { dkim: 'malformed' }],
    [['gone', 'revoked'], { dkim: 'revoked' }],
    [['lost', 'good'], { dkim: 'valid', dkimKeyBits: 2048 }],
    [['lost', 'weak'], { dkim: '?servfail', dkimKeyBits: '?servfail' }],
    [['gone', 'revoked', 'lost'], { dkim: '?servfail', dkimKeyBits: '?servfail' }],
  ])('%j', async (selectors, expected) => {
    expect(await dkimOf(ZONE, selectors, LOST)).toEqual(expected);
  });
});
