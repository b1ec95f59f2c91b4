import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { startAuthorizationServer } from './authorization-server.test-support.ts';
import { type Certificate, hasOpenssl, makeCertificate } from './certificate.test-support.ts';
import type { LoginCredential } from './credential.ts';
import { hasDovecot, PASSWORD, startDovecot, USER } from './dovecot.test-support.ts';
import { imapCapability } from './imap-capability.ts';
import { startImapPeer } from './imap-peer.test-support.ts';
import type { MailServer } from './mail-login.ts';
import { captureOutput, expectNoSecret, summary } from './mailbox.test-support.ts';
import { startTcpPeer } from './tcp-peer.test-support.ts';

const readable = { canReadReplies: true, canSeeBounces: true, throttled: false };
const unreadable = { canReadReplies: false, canSeeBounces: false, throttled: false };
const unknown = (reason: string) => ({ canReadReplies: `?${reason}`, canSeeBounces: `?${reason}` });

interface Wanted {
  readonly tls?: MailServer['tls'];
  readonly ca?: string;
  readonly credential?: LoginCredential;
  readonly signal?: AbortSignal;
}

const byPassword = { user: USER, password: PASSWORD };

function ask(port: number, { tls = 'offered', ca, credential = byPassword, signal }: Wanted = {}) {
  return imapCapability({
    server: { host: '127.0.0.1', port, tls, ...(ca === undefined ? {} : { ca }) },
    credential: async () => credential,
    signal: signal ?? AbortSignal.timeout(20_000),
  });
}

describe.skipIf(!hasDovecot)('against dovecot', () => {
  let certificate: Certificate;
  beforeAll(async () => {
    if (hasOpenssl) certificate = await makeCertificate();
  });

  test('who is let in and sees an INBOX can read replies and bounces', async () => {
    await using server = await startDovecot();
    const look = await ask(server.port);
    expect(summary(look.answers)).toEqual(readable);
    expect(look.login).toBe('accepted');
    expectNoSecret(look, PASSWORD);
  });

  test.skipIf(!hasOpenssl)('STARTTLS protects the login where it is required', async () => {
    await using server = await startDovecot({ certificate });
    const look = await ask(server.port, { tls: 'required', ca: certificate.cert });
    expect(summary(look.answers)).toEqual(readable);
  });

  test.skipIf(!hasOpenssl)('a server whose certificate nobody vouches for is no refusal', async () => {
    await using server = await startDovecot({ certificate });
    const look = await ask(server.port, { tls: 'required' });
    expect(summary(look.answers)).toEqual(unknown('no_answer'));
    expect(look.login).toBe('untold');
  });

  test('a server without TLS is not told the password where TLS is required', async () => {
    await using server = await startDovecot();
    const look = await ask(server.port, { tls: 'required' });
    expect(summary(look.answers)).toEqual(unknown('no_answer'));
    expect(look.login).toBe('untold');
  });

  test('a wrong password is refused by the server: nothing can be read', async () => {
    await using server = await startDovecot();
    const look = await ask(server.port, { credential: { user: USER, password: 'planted-wrong' } });
    expect(summary(look.answers)).toEqual(unreadable);
    expect(look.login).toBe('refused');
    expectNoSecret(look, 'planted-wrong');
  });

  test('a server whose own authorization server is down does not condemn the token', async () => {
    const authorization = await startAuthorizationServer();
    const { accessToken } = await authorization.grant();
    await using server = await startDovecot({ introspectionUrl: authorization.introspectionUrlWithClient });
    await authorization.stop();
    const look = await ask(server.port, { credential: { user: USER, accessToken } });
    expect(summary(look.answers)).toEqual(unknown('no_answer'));
    expect(look.login).toBe('untold');
  });

  test('a server that cannot get at the mail says nothing about who was let in', async () => {
    await using server = await startDovecot({ locksMail: true });
    const look = await ask(server.port);
    expect(summary(look.answers)).toEqual(unknown('no_answer'));
    expect(look.login).toBe('accepted');
  });

  test('a token that the authorization server vouches for opens INBOX, and no longer when it is revoked', async () => {
    await using authorization = await startAuthorizationServer();
    const { accessToken, revoke } = await authorization.grant();
    await using server = await startDovecot({ introspectionUrl: authorization.introspectionUrlWithClient });
    const credential = { user: USER, accessToken };
    const live = await ask(server.port, { credential });
    expect(summary(live.answers)).toEqual(readable);
    await revoke(accessToken);
    const revoked = await ask(server.port, { credential });
    expect(summary(revoked.answers)).toEqual(unreadable);
    expect(revoked.login).toBe('refused');
    expectNoSecret([live, revoked], accessToken);
  });

  test('a server that stopped is not reached', async () => {
    await using server = await startDovecot();
    await server.stop();
    expect(summary((await ask(server.port)).answers)).toEqual(unknown('unreachable'));
  });

  test('neither a login nor its refusal writes anything out', async () => {
    await using server = await startDovecot();
    const written = await captureOutput(async () => {
      await ask(server.port);
      await ask(server.port, { credential: { user: USER, password: 'planted-wrong' } });
    });
    expect(written).toBe('');
  });
});

test.each([
  ['NO [AUTHENTICATIONFAILED] no', unreadable, 'refused'],
  ['NO [EXPIRED] the password is too old', unreadable, 'refused'],
  ['NO LOGIN failed', unreadable, 'refused'],
  ['NO [UNAVAILABLE] later', unknown('no_answer'), 'untold'],
  ['NO [ALERT] Too many simultaneous connections', unknown('no_answer'), 'untold'],
  ['NO [PRIVACYREQUIRED] not in the clear', unknown('no_answer'), 'untold'],
  ['BAD what?', unknown('no_answer'), 'untold'],
])('a login that ends in `%s`', async (reply, expected, login) => {
  await using peer = await startImapPeer({ replies: { LOGIN: reply } });
  const look = await ask(peer.port);
  expect(summary(look.answers)).toEqual(expected);
  expect(look.login).toBe(login);
  expect(peer.commands).toContain('LOGIN');
});

test.each([
  ['NO [NONEXISTENT] no such mailbox', unreadable],
  ['NO [NOPERM] not for you', unreadable],
  ['NO [SERVERBUG] ouch', unknown('no_answer')],
  ['NO not now', unknown('no_answer')],
  ['BAD what?', unknown('no_answer')],
])('an INBOX that ends in `%s` leaves the login as it was', async (reply, expected) => {
  await using peer = await startImapPeer({ replies: { EXAMINE: reply } });
  const look = await ask(peer.port);
  expect(summary(look.answers)).toEqual(expected);
  expect(look.login).toBe('accepted');
  expect(peer.commands).toContain('EXAMINE');
});

test.each([['LOGIN'], ['EXAMINE']])('a throttle at %s is told as one, and is no refusal', async (command) => {
  const reply = 'NO Request is throttled. Suggested Backoff Time: 1200 milliseconds';
  await using peer = await startImapPeer({ replies: { [command]: reply } });
  const look = await ask(peer.port);
  expect(summary(look.answers)).toEqual({ ...unknown('no_answer'), throttled: true, retryAfterSec: 2 });
});

test('a server that takes no login in the clear is not told a password', async () => {
  await using peer = await startImapPeer({ capabilities: 'IMAP4rev1 LOGINDISABLED' });
  const look = await ask(peer.port);
  expect(summary(look.answers)).toEqual(unknown('no_answer'));
  expect(peer.commands).not.toContain('LOGIN');
});

test.each([['CAPABILITY'], ['LOGIN'], ['EXAMINE']])(
  'a server that hangs at %s is given up',
  async (command) => {
    await using peer = await startImapPeer({ replies: { [command]: null } });
    const look = await ask(peer.port, { signal: AbortSignal.timeout(300) });
    expect(summary(look.answers)).toEqual(unknown('timeout'));
    await waitUntil(() => peer.open === 0);
  },
);

test('a server that hangs at the goodbye has answered all the same, and nobody waits for it', async () => {
  await using peer = await startImapPeer({ replies: { LOGOUT: null } });
  const look = await ask(peer.port, { signal: AbortSignal.timeout(60_000) });
  expect(summary(look.answers)).toEqual(readable);
  await waitUntil(() => peer.open === 0);
});

test('nothing is asked when time was up before', async () => {
  await using peer = await startImapPeer({});
  const look = await ask(peer.port, { signal: AbortSignal.abort() });
  expect(summary(look.answers)).toEqual(unknown('timeout'));
  expect(peer.commands).toEqual([]);
});

test.each([
  ['gone', { gone: true }, 'unreachable'],
  ['hanging after the connection', {}, 'timeout'],
  ['hanging up', { hangsUp: true }, 'no_answer'],
  ['speaking something else', { says: 'SSH-2.0-OpenSSH_9.2\r\n' }, null],
  ['greeting with garbage', { says: '\u0000\u00ff{9999999999}\r\n)(' }, null],
  ['saying goodbye', { says: '* BYE overloaded\r\n' }, 'no_answer'],
  ['greeting without end', { says: `* OK ${'x'.repeat(200_000)}` }, 'no_answer'],
  ['announcing a huge literal', { says: '* OK {4000000000}\r\n' }, 'no_answer'],
] as const)('with a server that is %s everything is unknown', async (_, options, reason) => {
  await using peer = await startTcpPeer(options);
  const signal = AbortSignal.timeout(reason === 'no_answer' || reason === 'unreachable' ? 20_000 : 300);
  const look = await ask(peer.port, { signal });
  expect(look.answers.map((answer) => 'unknown' in answer)).toEqual([true, true]);
  if (reason) expect(summary(look.answers)).toEqual(unknown(reason));
  expect(look.login).toBe('untold');
  await waitUntil(() => peer.open === 0);
});

test('a vault that is sealed does not condemn the mailbox', async () => {
  const look = await imapCapability({
    server: { host: '127.0.0.1', port: 9, tls: 'required' },
    credential: () => Promise.reject(new Error('sealed: s3cret')),
    signal: AbortSignal.timeout(20_000),
  });
  expect(summary(look.answers)).toEqual(unknown('probe_fault'));
  expectNoSecret(look, 's3cret');
});

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}
