import { expect, test } from 'vitest';
import { CLIENT, SCOPES, startAuthorizationServer } from './authorization-server.test-support.ts';
import { startHttpStub, UNPLUGGED } from './http-stub.test-support.ts';
import { introspectToken } from './introspect-token.ts';
import { expectNoSecret, summary } from './mailbox.test-support.ts';

const nowMs = Date.UTC(2026, 10, 30);

function introspect(url: string, token: string, more: Partial<Parameters<typeof introspectToken>[0]> = {}) {
  return introspectToken({
    url: new URL(url),
    kind: 'access_token',
    credential: async () => ({ ...CLIENT, token }),
    nowMs,
    signal: AbortSignal.timeout(20_000),
    ...more,
  });
}

test('a live access token is active and comes with its scopes', async () => {
  await using server = await startAuthorizationServer();
  const { accessToken } = await server.grant();
  const look = await introspect(server.introspectionUrl, accessToken);
  expect(summary(look.answers)).toEqual({ token: 'active' });
  expect(look.granted).toEqual(SCOPES);
  expectNoSecret(look, accessToken, CLIENT.clientSecret);
});

test('a live refresh token says that the grant can be refreshed, not that an access token lives', async () => {
  await using server = await startAuthorizationServer();
  const { refreshToken } = await server.grant();
  const look = await introspect(server.introspectionUrl, refreshToken, { kind: 'refresh_token' });
  expect(summary(look.answers)).toEqual({ token: 'refreshable' });
});

test('a revoked token is inactive, and nobody makes up why', async () => {
  await using server = await startAuthorizationServer();
  const { accessToken, revoke } = await server.grant();
  await revoke(accessToken);
  const look = await introspect(server.introspectionUrl, accessToken);
  expect(summary(look.answers)).toEqual({ token: 'inactive_unspecified' });
  expect(look.granted).toBeNull();
});

test('a wrong secret of our own does not condemn the token', async () => {
  await using server = await startAuthorizationServer();
  const { accessToken } = await server.grant();
  const look = await introspect(server.introspectionUrl, accessToken, {
    credential: async () => ({ ...CLIENT, clientSecret: 'not-the-one', token: accessToken }),
  });
  expect(summary(look.answers)).toEqual({ token: '?probe_fault' });
});

test('a vault that is sealed does not condemn the token', async () => {
  const look = await introspect('http://127.0.0.1:9/', 'unused', {
    credential: () => Promise.reject(new Error('sealed: s3cret')),
  });
  expect(summary(look.answers)).toEqual({ token: '?probe_fault' });
  expectNoSecret(look, 's3cret');
});

test.each([
  ['no `active`', { body: '{"scope":"gmail.send"}' }, '?unrecognised_value'],
  ['`active` that is no boolean', { body: '{"active":"false"}' }, '?unrecognised_value'],
  ['no JSON', { body: '<html>sign in to the network</html>' }, '?unrecognised_value'],
  ['500 that says inactive', { status: 500, body: '{"active":false}' }, '?no_answer'],
  ['a redirect', { status: 302, headers: { location: '/elsewhere' } }, '?no_answer'],
])('a reply with %s is no answer about the token', async (_, reply, token) => {
  await using stub = await startHttpStub(() => reply);
  const look = await introspect(stub.url, 'planted-token');
  expect(summary(look.answers)).toEqual({ token });
  expectNoSecret(look, 'planted-token', CLIENT.clientSecret);
});

test('the token is not sent on to where a redirect points', async () => {
  await using elsewhere = await startHttpStub(() => ({ body: '{"active":true}' }));
  await using stub = await startHttpStub(() => ({ status: 307, headers: { location: elsewhere.url } }));
  await introspect(stub.url, 'planted-token');
  expect(stub.requests).toHaveLength(1);
  expect(elsewhere.requests).toEqual([]);
});

test('more is not read than anybody should send', async () => {
  await using stub = await startHttpStub(() => ({ body: `{"active":true,"x":"${'x'.repeat(100_000)}"}` }));
  const look = await introspect(stub.url, 'planted-token');
  expect(summary(look.answers)).toEqual({ token: '?no_answer' });
});

test.each(UNPLUGGED)('with a server that is %s everything is unknown', async (_, start, reason) => {
  await using peer = await start();
  const signal = reason === 'timeout' ? AbortSignal.timeout(150) : AbortSignal.timeout(20_000);
  const look = await introspect(`http://127.0.0.1:${peer.port}/`, 'planted-token', { signal });
  expect(summary(look.answers)).toEqual({ token: `?${reason}` });
});

test('a vault that throws rather than rejects does no harm', async () => {
  const look = await introspect('http://127.0.0.1:9/', 'unused', {
    credential: () => {
      throw new Error('sealed');
    },
  });
  expect(summary(look.answers)).toEqual({ token: '?probe_fault' });
});

test('a credential that never comes is given up when time is up', async () => {
  const look = await introspect('http://127.0.0.1:9/', 'unused', {
    credential: () => new Promise(() => undefined),
    signal: AbortSignal.timeout(50),
  });
  expect(summary(look.answers)).toEqual({ token: '?timeout' });
});
