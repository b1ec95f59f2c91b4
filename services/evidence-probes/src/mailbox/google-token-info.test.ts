import { expect, test } from 'vitest';
import { googleTokenInfo } from './google-token-info.ts';
import { type StubReply, startHttpStub, UNPLUGGED } from './http-stub.test-support.ts';
import { expectNoSecret, summary } from './mailbox.test-support.ts';

const accessToken = 'ya29.planted+token/=';

function ask(baseUrl: string, signal = AbortSignal.timeout(20_000)) {
  return googleTokenInfo({
    baseUrl: new URL(baseUrl),
    credential: async () => ({ accessToken }),
    nowMs: 0,
    signal,
  });
}

const scope = 'https://www.googleapis.com/auth/gmail.send openid';

test('a live token is active and comes with its scopes', async () => {
  await using stub = await startHttpStub(({ url }) => {
    const { pathname, searchParams } = new URL(url, 'http://stub');
    const isAsked = pathname === '/tokeninfo' && searchParams.get('access_token') === accessToken;
    return isAsked ? { body: JSON.stringify({ scope, expires_in: '3599', aud: 'x' }) } : { status: 404 };
  });
  const look = await ask(stub.url);
  expect(summary(look.answers)).toEqual({ token: 'active' });
  expect(look.granted).toEqual(scope.split(' '));
  expectNoSecret(look, accessToken);
});

test.each<[string, StubReply, string]>([
  [
    'invalid_token',
    { status: 400, body: '{"error":"invalid_token","error_description":"Invalid Value"}' },
    'inactive_unspecified',
  ],
  [
    'the older refusal',
    { status: 400, body: '{"error_description":"Invalid Value"}' },
    'inactive_unspecified',
  ],
  ['a token that has run out', { body: JSON.stringify({ scope, expires_in: 0 }) }, 'inactive_unspecified'],
  [
    'a request that is ours to mend',
    { status: 400, body: '{"error":"invalid_request","error_description":"Invalid Value"}' },
    '?no_answer',
  ],
  ['a page of a network that wants a login', { body: '<html>' }, '?unrecognised_value'],
  ['a reply without scopes', { body: '{"expires_in":"3599"}' }, '?unrecognised_value'],
  ['an error of the server', { status: 500, body: '{"error":"invalid_token"}' }, '?no_answer'],
  ['too many requests', { status: 429 }, '?no_answer'],
])('%s', async (_, reply, token) => {
  await using stub = await startHttpStub(() => reply);
  const look = await ask(stub.url);
  expect(summary(look.answers)).toEqual({ token });
  expectNoSecret(look, accessToken);
});

test.each(UNPLUGGED)('with a server that is %s everything is unknown', async (_, start, reason) => {
  await using peer = await start();
  const signal = reason === 'timeout' ? AbortSignal.timeout(150) : AbortSignal.timeout(20_000);
  const look = await ask(`http://127.0.0.1:${peer.port}`, signal);
  expect(summary(look.answers)).toEqual({ token: `?${reason}` });
});
