import { expect, test } from 'vitest';
import { CLIENT, SCOPES, startAuthorizationServer } from './authorization-server.test-support.ts';
import { startHttpStub, UNPLUGGED } from './http-stub.test-support.ts';
import { captureOutput, expectNoSecret, summary } from './mailbox.test-support.ts';
import { refreshToken } from './refresh-token.ts';

const nowMs = Date.UTC(2026, 10, 30);

function refresh(url: string, token: string, more: Partial<Parameters<typeof refreshToken>[0]> = {}) {
  return refreshToken({
    url: new URL(url),
    credential: async () => ({ ...CLIENT, refreshToken: token }),
    onRotated: () => Promise.reject(new Error('nothing should rotate')),
    nowMs,
    signal: AbortSignal.timeout(20_000),
    ...more,
  });
}

test('a grant that can be refreshed is active, with the scopes that it now has', async () => {
  await using server = await startAuthorizationServer();
  const { refreshToken: token } = await server.grant();
  const look = await refresh(server.tokenUrl, token);
  expect(summary(look.answers)).toEqual({ token: 'active', throttled: false });
  expect(look.granted?.toSorted()).toEqual([...SCOPES].sort());
  expect(look.accessToken?.()).toMatch(/.{20}/);
  expectNoSecret(look, token, CLIENT.clientSecret, look.accessToken!());
});

test('a scope that was withdrawn since is not in the next grant', async () => {
  await using server = await startAuthorizationServer();
  const { refreshToken: token, withdraw } = await server.grant();
  await withdraw('gmail.readonly');
  const look = await refresh(server.tokenUrl, token);
  expect(look.granted).not.toBeNull();
  expect(look.granted).toContain('gmail.send');
  expect(look.granted).not.toContain('gmail.readonly');
});

test('a grant that was revoked is invalid for good', async () => {
  await using server = await startAuthorizationServer();
  const { refreshToken: token, revoke } = await server.grant();
  await revoke(token);
  const look = await refresh(server.tokenUrl, token);
  expect(summary(look.answers)).toEqual({ token: 'invalid_grant', throttled: false });
  expectNoSecret(look, token, CLIENT.clientSecret);
});

test('a refresh token that the server rotates is handed over before anything is answered', async () => {
  await using server = await startAuthorizationServer({ rotates: true });
  const { refreshToken: first } = await server.grant();
  const rotated: string[] = [];
  let isAnswered = false;
  const look = await refresh(server.tokenUrl, first, {
    onRotated: async (next) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(isAnswered).toBe(false);
      rotated.push(next);
    },
  });
  isAnswered = true;
  expect(rotated).toHaveLength(1);
  expectNoSecret(look, rotated[0]!);
  const again = await refresh(server.tokenUrl, rotated[0]!, { onRotated: async () => undefined });
  expect(summary(again.answers)).toMatchObject({ token: 'active' });
});

test('a rotated refresh token is not lost when nobody waits for the answer any more', async () => {
  const body = JSON.stringify({ access_token: 'a', refresh_token: 'the-next-one' });
  await using stub = await startHttpStub(() => ({ body, afterMs: 200 }));
  const { promise: rotated, resolve } = Promise.withResolvers<string>();
  const look = await refresh(stub.url, 'the-first-one', {
    signal: AbortSignal.timeout(50),
    onRotated: async (next) => resolve(next),
  });
  expect(summary(look.answers)).toEqual({ token: '?timeout' });
  expect(await rotated).toBe('the-next-one');
});

test('a rotated refresh token that cannot be kept is our fault and not that of the mailbox', async () => {
  const body = JSON.stringify({ access_token: 'a', refresh_token: 'the-next-one' });
  await using stub = await startHttpStub(() => ({ body }));
  const look = await refresh(stub.url, 'the-first-one', {
    onRotated: () => Promise.reject(new Error('disk full')),
  });
  expect(summary(look.answers)).toEqual({ token: '?probe_fault' });
});

test('nothing is sent when time is up before it began', async () => {
  await using stub = await startHttpStub(() => ({ body: '{"access_token":"a"}' }));
  const look = await refresh(stub.url, 'token', { signal: AbortSignal.abort() });
  expect(summary(look.answers)).toEqual({ token: '?timeout' });
  expect(stub.requests).toEqual([]);
});

test('a wrong secret of our own does not condemn the grant', async () => {
  await using server = await startAuthorizationServer();
  const { refreshToken: token } = await server.grant();
  const look = await refresh(server.tokenUrl, token, {
    credential: async () => ({ ...CLIENT, clientSecret: 'not-the-one', refreshToken: token }),
  });
  expect(summary(look.answers)).toEqual({ token: '?probe_fault' });
});

test.each([
  ['unauthorized_client', { status: 400, body: '{"error":"unauthorized_client"}' }, '?probe_fault'],
  ['an error nobody knows', { status: 400, body: '{"error":"slow_down"}' }, '?unrecognised_value'],
  ['an error that is none', { status: 400, body: 'bad request' }, '?unrecognised_value'],
  ['invalid_grant of a broken server', { status: 500, body: '{"error":"invalid_grant"}' }, '?no_answer'],
  ['invalid_grant of a proxy', { status: 403, body: '{"error":"invalid_grant"}' }, '?no_answer'],
  ['success without a token', { body: '{"token_type":"bearer"}' }, '?unrecognised_value'],
])('%s does not condemn the grant', async (_, reply, token) => {
  await using stub = await startHttpStub(() => reply);
  const look = await refresh(stub.url, 'planted-token');
  expect(summary(look.answers)).toMatchObject({ token });
  expectNoSecret(look, 'planted-token', CLIENT.clientSecret);
});

test.each([
  ['429 with seconds', 429, { 'retry-after': '120' }, 120],
  ['429 with a date', 429, { 'retry-after': new Date(nowMs + 90_000).toUTCString() }, 90],
  ['429 without a number', 429, {}, '?no_answer'],
  ['503 with seconds', 503, { 'retry-after': '7' }, 7],
] as const)(
  '%s is a throttle that says nothing about the grant',
  async (_, status, headers, retryAfterSec) => {
    await using stub = await startHttpStub(() => ({ status, headers }));
    const look = await refresh(stub.url, 'planted-token');
    expect(summary(look.answers)).toEqual({ token: '?no_answer', throttled: true, retryAfterSec });
  },
);

test.each(UNPLUGGED)('with a server that is %s everything is unknown', async (_, start, reason) => {
  await using peer = await start();
  const signal = reason === 'timeout' ? AbortSignal.timeout(150) : AbortSignal.timeout(20_000);
  const look = await refresh(`http://127.0.0.1:${peer.port}/`, 'planted-token', { signal });
  expect(summary(look.answers)).toEqual({ token: `?${reason}` });
  expect(look).toMatchObject({ granted: null, accessToken: null });
});

test('an exchange that nobody waits for ends by itself', async () => {
  await using stub = await startHttpStub(() => ({ body: '{}', afterMs: 5_000 }));
  const look = await refresh(stub.url, 'planted-token', { exchangeMsMax: 50 });
  expect(summary(look.answers)).toEqual({ token: '?timeout' });
});

test('nothing is written out, whatever the server sends back', async () => {
  const secrets = ['planted-token', CLIENT.clientSecret];
  const body = JSON.stringify({ error: 'invalid_grant', error_description: secrets.join(' ') });
  await using stub = await startHttpStub(() => ({ status: 400, body }));
  const written = await captureOutput(async () => {
    const look = await refresh(stub.url, secrets[0]!);
    expect(summary(look.answers)).toMatchObject({ token: 'invalid_grant' });
    expectNoSecret(look, ...secrets);
  });
  expect(written).toBe('');
});
