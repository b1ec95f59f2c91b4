import { expect, test } from 'vitest';
import { graphAccount } from './graph-account.ts';
import { type StubReply, startHttpStub, UNPLUGGED } from './http-stub.test-support.ts';
import { captureOutput, expectNoSecret, summary } from './mailbox.test-support.ts';

const accessToken = 'eyJ.planted.token';

function ask(baseUrl: string, signal = AbortSignal.timeout(20_000)) {
  return graphAccount({
    baseUrl: new URL(baseUrl),
    credential: async () => ({ accessToken }),
    nowMs: 0,
    signal,
  });
}

const me = JSON.stringify({ id: '48d31887-5fad-4d73-a9f5-3c356e68a038' });

test('an account that answers to the token shows that it is active', async () => {
  await using stub = await startHttpStub(({ url, authorization }) =>
    url === '/v1.0/me' && authorization === `Bearer ${accessToken}` ? { body: me } : { status: 404 },
  );
  const answers = await ask(stub.url);
  expect(summary(answers)).toEqual({ token: 'active', throttled: false });
  expectNoSecret(answers, accessToken);
});

test.each<[string, StubReply, object]>([
  ['a token that is refused', { status: 401 }, { token: 'inactive_unspecified', throttled: false }],
  [
    'a good token for something else',
    { status: 403, body: '{"error":{"code":"Authorization_RequestDenied"}}' },
    { token: 'active', throttled: false },
  ],
  [
    'a 403 of whatever stands in between',
    { status: 403, body: '<html>blocked</html>' },
    { token: '?unrecognised_value', throttled: false },
  ],
  [
    'a throttle with a number',
    { status: 429, headers: { 'retry-after': '35' } },
    { token: '?no_answer', throttled: true, retryAfterSec: 35 },
  ],
  [
    'a throttle without a number, which must not be read with an older one',
    { status: 429 },
    { token: '?no_answer', throttled: true, retryAfterSec: '?no_answer' },
  ],
  ['a server in trouble', { status: 503 }, { token: '?no_answer' }],
  ['a reply that is no account', { body: '{}' }, { token: '?unrecognised_value', throttled: false }],
])('%s', async (_, reply, expected) => {
  await using stub = await startHttpStub(() => reply);
  expect(summary(await ask(stub.url))).toEqual(expected);
});

test.each(UNPLUGGED)('with a server that is %s everything is unknown', async (_, start, reason) => {
  await using peer = await start();
  const signal = reason === 'timeout' ? AbortSignal.timeout(150) : AbortSignal.timeout(20_000);
  expect(summary(await ask(`http://127.0.0.1:${peer.port}`, signal))).toEqual({ token: `?${reason}` });
});

test('a token that no header can carry is in no answer and in no output', async () => {
  await using stub = await startHttpStub(() => ({ body: me }));
  const written = await captureOutput(async () => {
    const answers = await graphAccount({
      credential: async () => ({ accessToken: 'planted\ntoken' }),
      nowMs: 0,
      signal: AbortSignal.timeout(20_000),
      baseUrl: new URL(stub.url),
    });
    expect(summary(answers)).toEqual({ token: '?no_answer' });
    expectNoSecret(answers, 'planted\ntoken');
  });
  expect(written).toBe('');
  expect(stub.requests).toEqual([]);
});
