import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ALL_KEYS,
  DOMAIN,
  deliveredProof,
  dnsWith,
  messageOf,
  ONE_CLICK,
  resolveAt,
  SIGNERS,
  summary,
  txt,
  ZONE,
} from './delivered.test-support.ts';
import { MESSAGE_OCTETS_MAX } from './read-message.ts';
import { verifyMessage } from './verify-message.ts';
import type { Resolve } from './watch-questions.ts';

const { rsa, ed25519, subdomain, thirdParty } = SIGNERS;
const never = new AbortController().signal;
const ESP_SENDER = 'bounces@esp.test';

async function proofOf(zone: readonly string[], message: string, from?: string) {
  await using server = await dnsWith(zone);
  return await deliveredProof(message, server, from === undefined ? {} : { from });
}

describe('alignment', () => {
  test.each([
    ['RSA', [rsa], [ZONE.rsa]],
    ['Ed25519', [ed25519], [ZONE.ed25519]],
    ['a subdomain', [subdomain], [ZONE.subdomain]],
    ['the domain beside one of a third party', [thirdParty, rsa], ALL_KEYS],
  ])('a signature of %s aligns although SPF is of another domain', async (_title, signers, keys) => {
    const proof = await proofOf([...keys, ZONE.spfOfEsp], await messageOf({ signers }), ESP_SENDER);
    expect(summary(proof)).toEqual({ alignment: 'aligned', oneClickSigned: true });
  });

  test.each([
    ['the domain', `bounces@${DOMAIN}`, ZONE.spf],
    ['a subdomain', `bounces@mail.${DOMAIN}`, 'mail.acme 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"'],
  ])(
    'an unsigned message aligns by the SPF of %s, and its one-click is not signed',
    async (_title, sender, spf) => {
      expect(summary(await proofOf([spf], await messageOf(), sender))).toEqual({
        alignment: 'aligned',
        oneClickSigned: false,
      });
    },
  );

  test('a bounce is judged by the name in its greeting', async () => {
    const zone = ['out.acme 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"'];
    expect(summary(await proofOf(zone, await messageOf(), ''))).toMatchObject({ alignment: 'aligned' });
  });

  test('the good SPF and signature of a third party do not speak for the domain', async () => {
    const message = await messageOf({ signers: [thirdParty] });
    expect(summary(await proofOf([...ALL_KEYS, ZONE.spf, ZONE.spfOfEsp], message, ESP_SENDER))).toEqual({
      alignment: 'misaligned',
      oneClickSigned: false,
    });
  });

  test.each([
    ['a body changed on the way', (text: string) => text.replace('probe.', 'prize.'), ZONE.rsa],
    [
      'a signed field changed on the way',
      (text: string) => text.replace('Subject: probe', 'Subject: prize'),
      ZONE.rsa,
    ],
    ['a revoked key', (text: string) => text, `rsa._domainkey.acme 60 IN ${txt('v=DKIM1; k=rsa; p=')}`],
    ['no key', (text: string) => text, 'acme 60 IN TXT "nothing"'],
  ])('%s is misaligned when SPF fails as well', async (_title, change, key) => {
    const message = change(await messageOf({ signers: [rsa] }));
    expect(summary(await proofOf([key, ZONE.spfElsewhere], message))).toEqual({
      alignment: 'misaligned',
      oneClickSigned: false,
    });
  });

  test('a signature that has expired since it was made condemns nobody', async () => {
    const signers = [{ ...rsa, signTime: new Date('2026-01-01'), expires: new Date('2026-01-08') }];
    const proof = await proofOf([ZONE.rsa, ZONE.spfElsewhere], await messageOf({ signers }));
    expect(summary(proof)).toEqual({ alignment: '?expired', oneClickSigned: '?expired' });
  });

  test('two keys at one selector prove nothing, whichever comes first', async () => {
    const other = `rsa._domainkey.acme 60 IN ${txt('v=DKIM1; k=rsa; p=')}`;
    const proof = await proofOf([ZONE.rsa, other, ZONE.spfElsewhere], await messageOf({ signers: [rsa] }));
    expect(summary(proof)).toEqual({ alignment: '?multiple_keys', oneClickSigned: '?multiple_keys' });
  });

  test('the digest changes with the message and with the records', async () => {
    const [one, two] = [await messageOf({ signers: [rsa] }), await messageOf({ signers: [rsa], body: 'x' })];
    const digests = [
      await proofOf([ZONE.rsa, ZONE.spf], one),
      await proofOf([ZONE.rsa, ZONE.spf], two),
      await proofOf([ZONE.rsa, ZONE.spfElsewhere], one),
      await proofOf([ZONE.rsa, ZONE.spf], one),
    ].map((proof) =>
      proof.kind === 'proof' ? proof.answers.map((answer) => 'digest' in answer && answer.digest)[0] : '',
    );
    expect(new Set(digests).size).toBe(3);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests[3]).toBe(digests[0]);
  });
});

describe('one-click unsubscription', () => {
  const POST = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click';
  const HTTPS = 'List-Unsubscribe: <https://acme.test/out>';

  test.each([
    ['fields that are absent', []],
    ['an address that is not https', ['List-Unsubscribe: <http://acme.test/out>', POST]],
    ['only a mail address', ['List-Unsubscribe: <mailto:out@acme.test>', POST]],
    ['an address without brackets', ['List-Unsubscribe: https://acme.test/out', POST]],
    ['no post field', [HTTPS]],
    ['another word in the post field', [HTTPS, 'List-Unsubscribe-Post: List-Unsubscribe=OneClick']],
    ['another case in the post field', [HTTPS, 'List-Unsubscribe-Post: list-unsubscribe=one-click']],
    ['more in the post field', [HTTPS, 'List-Unsubscribe-Post: List-Unsubscribe=One-Click&x=1']],
    ['a field that comes twice', [HTTPS, 'List-Unsubscribe: <https://other.test/out>', POST]],
  ])('%s: not offered, however well it is signed', async (_title, fields) => {
    const message = await messageOf({ fields, signers: [rsa] });
    expect(summary(await proofOf([ZONE.rsa], message))).toEqual({
      alignment: 'aligned',
      oneClickSigned: false,
    });
  });

  test.each([
    ['neither field', ['From', 'Subject']],
    ['only the address', ['From', 'List-Unsubscribe']],
    ['only the post field', ['From', 'List-Unsubscribe-Post']],
  ])('a signature that covers %s does not sign it', async (_title, headerList) => {
    const message = await messageOf({ signers: [{ ...rsa, headerList }] });
    expect(summary(await proofOf([ZONE.rsa], message))).toEqual({
      alignment: 'aligned',
      oneClickSigned: false,
    });
  });

  test('one signature that covers the address and another one that covers the post field do not add up', async () => {
    const signers = [
      { ...rsa, headerList: ['From', 'List-Unsubscribe'] },
      { ...ed25519, headerList: ['From', 'List-Unsubscribe-Post'] },
    ];
    expect(summary(await proofOf(ALL_KEYS, await messageOf({ signers })))).toMatchObject({
      oneClickSigned: false,
    });
  });

  test('a third party that covers it does not sign it for the domain', async () => {
    const signers = [thirdParty, { ...rsa, headerList: ['From'] }];
    expect(summary(await proofOf(ALL_KEYS, await messageOf({ signers })))).toEqual({
      alignment: 'aligned',
      oneClickSigned: false,
    });
  });
});

describe('when DNS does not answer', () => {
  const KEY = `rsa._domainkey.${DOMAIN}`;

  async function proofWithout(name: string, how: 'silent' | 'servfail' | 'refused', zone: readonly string[]) {
    await using server = await dnsWith(zone);
    server.setBehaviour(name, how);
    return summary(await deliveredProof(await messageOf({ signers: [rsa] }), server));
  }

  test.each([
    ['servfail', 'servfail'],
    ['silent', 'timeout'],
    ['refused', 'refused'],
  ] as const)('%s everywhere: nothing fails and nothing passes', async (how, reason) => {
    expect(await proofWithout('.', how, [ZONE.rsa, ZONE.spf])).toEqual({
      alignment: `?${reason}`,
      oneClickSigned: `?${reason}`,
    });
  });

  test('a server that is gone: nothing fails and nothing passes', async () => {
    const server = await dnsWith([ZONE.rsa, ZONE.spf]);
    await server.stop();
    expect(summary(await deliveredProof(await messageOf({ signers: [rsa] }), server))).toEqual({
      alignment: expect.stringMatching(/^\?/),
      oneClickSigned: expect.stringMatching(/^\?/),
    });
  });

  test('the SPF that passes aligns without the key, but does not say what was signed', async () => {
    expect(await proofWithout(KEY, 'servfail', [ZONE.rsa, ZONE.spf])).toEqual({
      alignment: 'aligned',
      oneClickSigned: '?servfail',
    });
  });

  test('the SPF that fails does not decide while the key is out of reach', async () => {
    expect(await proofWithout(KEY, 'silent', [ZONE.rsa, ZONE.spfElsewhere])).toEqual({
      alignment: '?timeout',
      oneClickSigned: '?timeout',
    });
  });

  test('the signature of a third party does not decide while SPF is out of reach', async () => {
    await using server = await dnsWith([ZONE.thirdParty]);
    server.setBehaviour(DOMAIN, 'servfail');
    const message = await messageOf({ signers: [thirdParty] });
    expect(summary(await deliveredProof(message, server))).toEqual({
      alignment: '?servfail',
      oneClickSigned: false,
    });
  });

  test('the SPF of another domain is of no consequence, answered or not', async () => {
    await using server = await dnsWith([ZONE.rsa]);
    server.setBehaviour('esp.test', 'servfail');
    const proof = await deliveredProof(await messageOf(), server, { from: ESP_SENDER });
    expect(summary(proof)).toEqual({ alignment: 'misaligned', oneClickSigned: false });
  });

  test('a signal that fires while a server is silent ends the wait as a timeout', async () => {
    const hanging: Resolve = () => new Promise(() => undefined);
    const controller = new AbortController();
    const proof = verifyMessage({
      raw: Buffer.from(await messageOf({ signers: [rsa] })),
      origin: { clientIp: '127.0.0.1', helo: 'out.acme.test', mailFrom: `a@${DOMAIN}` },
      domain: DOMAIN,
      resolve: hanging,
      signal: controller.signal,
    });
    controller.abort();
    expect(summary(await proof)).toEqual({ alignment: '?timeout', oneClickSigned: '?timeout' });
  });

  test('failures of DNS make answers unknown and never turn them round', async () => {
    await using server = await dnsWith([...ALL_KEYS, ZONE.spf]);
    const resolve = resolveAt(server);
    const signerSets = [[], [rsa], [ed25519, thirdParty], [{ ...rsa, headerList: ['From'] }, subdomain]];
    const messages = await Promise.all(
      signerSets.map(async (signers) => Buffer.from(await messageOf({ signers }))),
    );
    const codes = ['ETIMEOUT', 'ESERVFAIL', 'EREFUSED', 'ECONNREFUSED', 'EBADRESP', 'ENEW', ''];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...messages),
        fc.constantFrom('127.0.0.1', '192.0.2.9'),
        fc.func(fc.option(fc.constantFrom(...codes))),
        async (raw, clientIp, failureOf) => {
          const origin = { clientIp, helo: 'out.acme.test', mailFrom: `a@${DOMAIN}` };
          const failing: Resolve = async (name, type) => {
            const code = failureOf(name, type);
            if (code !== null) throw Object.assign(new Error('no'), { code });
            return await resolve(name, type);
          };
          const question = { raw, origin, domain: DOMAIN, signal: never };
          const [healthy, ill] = [
            await verifyMessage({ ...question, resolve }),
            await verifyMessage({ ...question, resolve: failing }),
          ];
          if (healthy.kind !== 'proof' || ill.kind !== 'proof') throw new Error('refused');
          for (const [index, answer] of ill.answers.entries()) {
            if ('unknown' in answer) continue;
            expect({ ...answer, digest: '' }).toEqual({ ...healthy.answers[index], digest: '' });
          }
        },
      ),
    );
  });
});

describe('messages that prove nothing of this domain', () => {
  async function refusalOf(raw: Uint8Array, resolve: Resolve = nowhere) {
    return summary(await verifyMessage({ raw, domain: DOMAIN, resolve, signal: never }));
  }
  const nowhere: Resolve = () => Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }));
  const unasked: Resolve = () => {
    throw new Error('a refused message must not cost a question');
  };

  test.each([
    ['From of another domain', 'From: ana@other.test\r\n\r\nx', 'other_domain'],
    ['From of a subdomain', `From: ana@mail.${DOMAIN}\r\n\r\nx`, 'other_domain'],
    ['a domain that only ends alike', `From: ana@not${DOMAIN}\r\n\r\nx`, 'other_domain'],
    ['two From fields', `From: a@${DOMAIN}\r\nFrom: b@${DOMAIN}\r\n\r\nx`, 'several_from'],
    [
      'a second From hidden by folding',
      `From: a@${DOMAIN}\r\nFrom\r\n : b@other.test\r\n\r\nx`,
      'several_from',
    ],
    ['two authors of different domains', `From: a@${DOMAIN}, b@other.test\r\n\r\nx`, 'several_from'],
    ['no From', 'Subject: probe\r\n\r\nx', 'no_from'],
    ['From below the header', `Subject: x\r\n\r\nFrom: a@${DOMAIN}\r\n`, 'no_from'],
    ['a header that begins with its end', `\r\nFrom: a@${DOMAIN}\r\n\r\nx`, 'no_from'],
    ['nothing at all', '', 'no_from'],
  ])('%s', async (_title, text, reason) => {
    expect(await refusalOf(Buffer.from(text))).toBe(`refused: ${reason}`);
  });

  test('two authors of the one domain are one author domain', async () => {
    expect(await refusalOf(Buffer.from(`From: a@ACME.test, b@acme.test.\r\n\r\nx`))).toMatchObject({
      oneClickSigned: false,
    });
  });

  const signature = `DKIM-Signature: v=1; a=rsa-sha256; d=${DOMAIN}; s=s1; h=from; bh=AA; b=AA\r\n`;
  test.each([
    ['300 signatures', signature.repeat(300), 'too_many_signatures'],
    [
      '300 signatures folded before the colon',
      signature.replace(':', '\r\n :').repeat(300),
      'too_many_signatures',
    ],
    ['a field without end', `X: ${'x'.repeat(70_000)}\r\n`, 'header_too_large'],
    ['fields without end', 'X:\r\n'.repeat(3_000), 'header_too_large'],
  ])('%s are refused before a question is asked', async (_title, fields, reason) => {
    const raw = Buffer.from(`${fields}From: a@${DOMAIN}\r\n\r\nx`);
    expect(await refusalOf(raw, unasked)).toBe(`refused: ${reason}`);
  });

  test('a message over the size', async () => {
    const raw = Buffer.alloc(MESSAGE_OCTETS_MAX + 1, `From: a@${DOMAIN}\r\n\r\n`);
    expect(await refusalOf(raw, unasked)).toBe('refused: oversize');
  });

  test('binary garbage is refused and breaks nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 4_000 }), async (raw) => {
        expect(await refusalOf(raw)).toMatch(/^refused: /);
      }),
    );
  });

  test('garbage around a good From never aligns and never counts as signed', async () => {
    const name = fc.constantFrom('DKIM-Signature', 'List-Unsubscribe', 'Content-Type', 'ARC-Seal', 'X', '');
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.constantFrom(...ONE_CLICK, `v=1; a=rsa-sha256; d=${DOMAIN}; s=s1; h=from; bh=AA; b=AA`, '\r\n '),
    );
    const garbage = fc.array(fc.tuple(name, value).map(([key, text]) => `${key}: ${text}\r\n`));
    await fc.assert(
      fc.asyncProperty(garbage, fc.uint8Array(), async (fields, body) => {
        const raw = Buffer.concat([Buffer.from(`From: a@${DOMAIN}\r\n${fields.join('')}\r\n`), body]);
        const found = await refusalOf(raw);
        if (typeof found === 'string') expect(found).toMatch(/^refused: /);
        else expect(found).toEqual({ alignment: '?no_delivered_proof', oneClickSigned: false });
      }),
    );
  });
});
