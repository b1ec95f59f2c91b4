import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  ALL_KEYS,
  DOMAIN,
  dnsWith,
  messageOf,
  resolveAt,
  SIGNERS,
  summary,
  ZONE,
} from './delivered.test-support.ts';
import { MESSAGE_OCTETS_MAX } from './read-message.ts';
import { verifySeedFile } from './seed-file.ts';
import type { SmtpOrigin } from './verify-message.ts';

const ORIGIN: SmtpOrigin = { clientIp: '127.0.0.1', helo: 'out.acme.test', mailFrom: `bounces@${DOMAIN}` };

async function proofOf(content: string | Buffer, zone: readonly string[], origin?: SmtpOrigin) {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'seed-'));
  const path = join(folder.path, 'probe.eml');
  await writeFile(path, content);
  await using server = await dnsWith(zone);
  const { signal } = new AbortController();
  const question = { path, domain: DOMAIN, resolve: resolveAt(server), signal };
  return summary(await verifySeedFile(origin === undefined ? question : { ...question, origin }));
}

test('a saved message aligns by its signature without anybody having seen it arrive', async () => {
  const message = await messageOf({ signers: [SIGNERS.rsa] });
  expect(await proofOf(message, ALL_KEYS)).toEqual({ alignment: 'aligned', oneClickSigned: true });
});

test('a message saved with bare line feeds keeps its signature', async () => {
  const message = (await messageOf({ signers: [SIGNERS.rsa] })).replaceAll('\r\n', '\n');
  expect(await proofOf(message, ALL_KEYS)).toEqual({ alignment: 'aligned', oneClickSigned: true });
});

test('an unsigned file does not fail: SPF was never seen', async () => {
  expect(await proofOf(await messageOf(), [ZONE.spf])).toEqual({
    alignment: '?no_delivered_proof',
    oneClickSigned: false,
  });
});

test('a Received or Return-Path field in the file is nobody who saw it arrive', async () => {
  const claims = `Return-Path: <a@${DOMAIN}>\r\nReceived: from out.acme.test ([127.0.0.1]) by mx.test; Mon, 02 Nov 2026 10:00:00 +0000\r\n`;
  expect(await proofOf(claims + (await messageOf()), [ZONE.spf])).toMatchObject({
    alignment: '?no_delivered_proof',
  });
});

test('who delivered it can be told beside the file', async () => {
  expect(await proofOf(await messageOf(), [ZONE.spf], ORIGIN)).toMatchObject({ alignment: 'aligned' });
  expect(await proofOf(await messageOf(), [ZONE.spfElsewhere], ORIGIN)).toMatchObject({
    alignment: 'misaligned',
  });
});

test('a file that is too large, none, or a folder is refused', async () => {
  expect(await proofOf(Buffer.alloc(MESSAGE_OCTETS_MAX + 10), [])).toBe('refused: oversize');
  const question = {
    domain: DOMAIN,
    resolve: () => Promise.reject(new Error()),
    signal: AbortSignal.any([]),
  };
  for (const path of ['/dev/zero', tmpdir(), join(tmpdir(), 'no-such-file.eml')]) {
    expect(summary(await verifySeedFile({ ...question, path }))).toBe('refused: unreadable');
  }
});
