import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { type Certificate, hasOpenssl, makeCertificate } from './certificate.test-support.ts';
import type { LoginCredential } from './credential.ts';
import type { MailServer } from './mail-login.ts';
import { captureOutput, expectNoSecret, summary } from './mailbox.test-support.ts';
import { smtpCapability } from './smtp-capability.ts';
import { ACCESS_TOKEN, PASSWORD, startSubmissionServer, USER } from './submission-server.test-support.ts';
import { startTcpPeer } from './tcp-peer.test-support.ts';

let certificate: Certificate;
beforeAll(async () => {
  if (hasOpenssl) certificate = await makeCertificate();
});
const tlsTest = test.skipIf(!hasOpenssl);

interface Wanted {
  readonly tls?: MailServer['tls'];
  readonly credential?: LoginCredential | null;
  readonly signal?: AbortSignal;
}

const byPassword = { user: USER, password: PASSWORD };
const byToken = { user: USER, accessToken: ACCESS_TOKEN };

function ask(port: number, { tls = 'offered', credential = byPassword, signal }: Wanted = {}) {
  return smtpCapability({
    server: { host: '127.0.0.1', port, tls, ...(hasOpenssl ? { ca: certificate.cert } : {}) },
    credential: credential && (async () => credential),
    signal: signal ?? AbortSignal.timeout(20_000),
  });
}

tlsTest.each<[string, LoginCredential]>([
  ['PLAIN in TLS', byPassword],
  ['XOAUTH2 in TLS', byToken],
])('who is let in by %s can send', async (login, credential) => {
  await using server = await startSubmissionServer({ certificate });
  const look = await ask(server.port, { tls: 'required', credential });
  expect(summary(look.answers)).toEqual({ canSend: true });
  expect(look.login).toBe('accepted');
  expect(server.logins).toEqual([login]);
  expectNoSecret(look, PASSWORD, ACCESS_TOKEN);
});

tlsTest('STARTTLS is used where it is offered, and done without where it is not', async () => {
  await using protectedServer = await startSubmissionServer({ certificate });
  await using plainServer = await startSubmissionServer();
  expect(summary((await ask(protectedServer.port)).answers)).toEqual({ canSend: true });
  expect(summary((await ask(plainServer.port)).answers)).toEqual({ canSend: true });
  expect(protectedServer.logins).toEqual(['PLAIN in TLS']);
  expect(plainServer.logins).toEqual(['PLAIN in the clear']);
});

test('no password goes out in the clear where TLS is required', async () => {
  await using server = await startSubmissionServer();
  const look = await ask(server.port, { tls: 'required' });
  expect(summary(look.answers)).toEqual({ canSend: '?no_answer' });
  expect(server.logins).toEqual([]);
});

tlsTest('a server whose certificate nobody vouches for gets no password and is no refusal', async () => {
  await using server = await startSubmissionServer({ certificate });
  const look = await smtpCapability({
    server: { host: '127.0.0.1', port: server.port, tls: 'required' },
    credential: async () => byPassword,
    signal: AbortSignal.timeout(20_000),
  });
  expect(summary(look.answers)).toEqual({ canSend: '?no_answer' });
  expect(server.logins).toEqual([]);
});

tlsTest.each<[string, LoginCredential]>([
  ['a wrong password', { user: USER, password: 'planted-wrong-password' }],
  ['a token that does not live', { user: USER, accessToken: 'planted-wrong-token' }],
])('%s is refused by the server: it cannot send', async (_, credential) => {
  await using server = await startSubmissionServer({ certificate });
  const look = await ask(server.port, { credential });
  expect(summary(look.answers)).toEqual({ canSend: false });
  expect(look.login).toBe('refused');
  expectNoSecret(look, 'planted-wrong-password', 'planted-wrong-token');
});

test.each([
  [454, '4.7.0 temporary authentication failure'],
  [535, '4.7.0 try again later'],
  [421, '4.7.0 too many logins'],
  [530, '5.7.0 must issue a STARTTLS command first'],
  [534, '5.7.9 mechanism too weak'],
  [500, 'what?'],
])('a login that ends in %d %s is no refusal of the credentials', async (code, text) => {
  await using server = await startSubmissionServer({ reply: { code, text } });
  const look = await ask(server.port);
  expect(summary(look.answers)).toEqual({ canSend: '?no_answer' });
  expect(look.login).toBe('untold');
  expect(server.logins).toHaveLength(1);
});

test('a server that knows no login says nothing about credentials', async () => {
  await using server = await startSubmissionServer({ auth: false });
  expect(summary((await ask(server.port)).answers)).toEqual({ canSend: '?no_answer' });
});

test('without credentials a server that asks for none is ready, and one that asks is not', async () => {
  await using openServer = await startSubmissionServer({ auth: false });
  await using closedServer = await startSubmissionServer();
  const open = await ask(openServer.port, { credential: null });
  const closed = await ask(closedServer.port, { credential: null });
  expect(open).toEqual({ answers: [{ fact: 'canSend', value: true }], login: 'untold' });
  expect(closed).toEqual({ answers: [{ fact: 'canSend', unknown: 'probe_fault' }], login: 'untold' });
});

test.each([
  ['gone', { gone: true }, 'unreachable'],
  ['hanging after the connection', {}, 'timeout'],
  ['hanging up', { hangsUp: true }, 'no_answer'],
  ['speaking something else', { says: 'SSH-2.0-OpenSSH_9.2\r\n' }, 'no_answer'],
  ['greeting with garbage', { says: '\u0000\u00ff\r\n\r\n220' }, 'no_answer'],
  ['not at our service', { says: '554 5.7.1 you are on a list\r\n' }, 'no_answer'],
  ['greeting without end', { says: '220-hello\r\n'.repeat(20_000) }, 'no_answer'],
])('with a server that is %s everything is unknown', async (_, options, reason) => {
  await using peer = await startTcpPeer(options);
  const signal = reason === 'timeout' ? AbortSignal.timeout(200) : AbortSignal.timeout(20_000);
  const look = await ask(peer.port, { signal });
  expect(summary(look.answers)).toEqual({ canSend: `?${reason}` });
  expect(look.login).toBe('untold');
});

test('a connection is not left open when time is up', async () => {
  await using peer = await startTcpPeer({ says: '220 hello\r\n' });
  await ask(peer.port, { signal: AbortSignal.timeout(100) });
  await waitUntil(() => peer.open === 0);
});

tlsTest('a connection in TLS is not left open either when time is up', async () => {
  await using server = await startSubmissionServer({ certificate, hangs: true });
  const look = await ask(server.port, { signal: AbortSignal.timeout(500) });
  expect(summary(look.answers)).toEqual({ canSend: '?timeout' });
  expect(server.logins).toEqual(['PLAIN in TLS']);
  await waitUntil(() => server.open === 0);
});

test('a server that does not answer the goodbye has answered all the same, and is left', async () => {
  await using peer = await startTcpPeer({ says: '220 hello\r\n250 hello\r\n' });
  const look = await ask(peer.port, { credential: null });
  expect(summary(look.answers)).toEqual({ canSend: true });
  await waitUntil(() => peer.open === 0);
});

tlsTest('a connection is not left open after a login', async () => {
  await using server = await startSubmissionServer({ certificate });
  await ask(server.port);
  await waitUntil(() => server.open === 0);
});

test('nothing is asked when time was up before', async () => {
  await using server = await startSubmissionServer();
  const look = await ask(server.port, { signal: AbortSignal.abort() });
  expect(summary(look.answers)).toEqual({ canSend: '?timeout' });
  expect(server.logins).toEqual([]);
});

test('a vault that is sealed does not condemn the mailbox', async () => {
  const look = await smtpCapability({
    server: { host: '127.0.0.1', port: 9, tls: 'required' },
    credential: () => Promise.reject(new Error('sealed: s3cret')),
    signal: AbortSignal.timeout(20_000),
  });
  expect(summary(look.answers)).toEqual({ canSend: '?probe_fault' });
  expectNoSecret(look, 's3cret');
});

tlsTest('neither a login nor its failure writes anything out', async () => {
  await using server = await startSubmissionServer({ certificate });
  const written = await captureOutput(async () => {
    await ask(server.port);
    await ask(server.port, { credential: byToken });
    await ask(server.port, { credential: { user: USER, password: 'planted-wrong-password' } });
    await ask(server.port, { credential: { user: USER, accessToken: 'planted-wrong-token' } });
  });
  expect(written).toBe('');
});

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}
