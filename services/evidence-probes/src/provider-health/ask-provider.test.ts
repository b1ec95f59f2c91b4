import { execFileSync } from 'node:child_process';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { FACTS } from '@orchestrate/canon';
import { expect, test } from 'vitest';
import {
  ask,
  closedPort,
  flood,
  KEY,
  LISTING,
  startProvider,
  startReplying,
  startSaying,
} from './provider-health.test-support.ts';
import { PROVIDER_STYLES } from './provider-request.ts';
import { ERROR_CLASSES } from './reply-class.ts';

const openAiError = (type: string, code: string | null = null, message = 'no') => ({
  error: { message, type, param: null, code },
});
const anthropicError = (type: string, message = 'no') => ({ type: 'error', error: { type, message } });

test('the classes are those of the catalogue', () => {
  expect(FACTS.provider_health.errorClass).toMatchObject({ values: ERROR_CLASSES });
});

test('the openai style lists the models with the key as a bearer token', async () => {
  await using provider = await startReplying(200, LISTING);
  expect(await ask({ baseUrl: `${provider.baseUrl}/v1/` })).toMatchObject({
    kind: 'answered',
    errorClass: 'none',
  });
  expect(provider.seen).toMatchObject([
    { method: 'GET', url: '/v1/models', body: '', headers: { authorization: `Bearer ${KEY}` } },
  ]);
});

test('the anthropic style lists the models with a key and a version of its own', async () => {
  await using provider = await startReplying(200, { data: [], has_more: false });
  expect(await ask(provider, { style: 'anthropic' })).toMatchObject({ errorClass: 'none' });
  const [seen] = provider.seen;
  expect(seen).toMatchObject({
    method: 'GET',
    url: '/v1/models',
    headers: { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' },
  });
  expect(seen!.headers).not.toHaveProperty('authorization');
});

test.each([
  ['openai', {}, '/chat/completions', 'max_tokens', { choices: [] }],
  [
    'openai',
    { tokenLimit: 'max_completion_tokens' },
    '/chat/completions',
    'max_completion_tokens',
    { choices: [] },
  ],
  ['anthropic', { tokenLimit: 'max_completion_tokens' }, '/v1/messages', 'max_tokens', { content: [] }],
] as const)('a deep look of the %s style (%j) asks for one token', async (style, how, url, limit, reply) => {
  await using provider = await startReplying(200, reply);
  const deep = { model: 'model-1', ...how };
  expect(await ask(provider, { style, deep })).toMatchObject({ errorClass: 'none' });
  const [seen] = provider.seen;
  expect(seen).toMatchObject({ method: 'POST', url, headers: { 'content-type': 'application/json' } });
  expect(JSON.parse(seen!.body)).toEqual({
    model: 'model-1',
    [limit]: 1,
    messages: [{ role: 'user', content: 'ping' }],
  });
});

test('a list of models is no answer to a deep look', async () => {
  await using provider = await startReplying(200, LISTING);
  expect(await ask(provider, { deep: { model: 'model-1' } })).toEqual({
    kind: 'unknown',
    reason: 'unrecognised_value',
  });
});

test.each([
  [401, openAiError('invalid_request_error', 'invalid_api_key'), 'auth'],
  [401, anthropicError('authentication_error'), 'auth'],
  [401, '', 'auth'],
  [403, anthropicError('permission_error'), 'auth'],
  [403, { error: 'this key may not do that' }, 'auth'],
  [402, anthropicError('billing_error'), 'spend_limit'],
  [402, '<html>', 'spend_limit'],
  [429, openAiError('insufficient_quota', 'insufficient_quota'), 'spend_limit'],
  [429, openAiError('insufficient_quota', 'project_spend_limit_exceeded'), 'spend_limit'],
  [429, openAiError('requests', 'credit_balance_exhausted'), 'spend_limit'],
  [429, openAiError('billing_not_active', 'billing_not_active'), 'spend_limit'],
  [400, openAiError('invalid_request_error', 'billing_hard_limit_reached'), 'spend_limit'],
  [403, anthropicError('billing_error'), 'spend_limit'],
  [
    400,
    anthropicError('invalid_request_error', 'Your credit balance is too low to access it.'),
    'spend_limit',
  ],
  [
    400,
    anthropicError('invalid_request_error', 'You have reached your specified API usage limits.'),
    'spend_limit',
  ],
  [429, openAiError('tokens', 'rate_limit_exceeded'), 'rate_limited'],
  [429, anthropicError('rate_limit_error'), 'rate_limited'],
  [429, openAiError('never_heard_of', 'nor_of_this'), 'rate_limited'],
  [429, { error: { type: ['insufficient_quota'], code: 7 } }, 'rate_limited'],
  [429, '{"error":{"type":"insufficient_quota"', 'rate_limited'],
  [429, 'slow down', 'rate_limited'],
  [503, openAiError('service_unavailable_error'), 'overloaded'],
  [529, anthropicError('overloaded_error'), 'overloaded'],
  [500, anthropicError('api_error'), 'server'],
  [500, openAiError('insufficient_quota'), 'server'],
  [502, '<html>Bad gateway</html>', 'server'],
  [504, anthropicError('timeout_error'), 'server'],
])('%i with %j is %s', async (status, body, errorClass) => {
  await using provider = await startReplying(status, body);
  expect(await ask(provider)).toEqual({ kind: 'answered', errorClass, elapsedMs: expect.any(Number) });
});

test.each([
  ['a page to sign in at', 200, '<html>Welcome to our guest network</html>'],
  ['JSON of somebody else', 200, '{"ok":true}'],
  ['a list cut short', 200, LISTING.slice(0, -1)],
  ['nothing', 200, ''],
  ['no content', 204, ''],
  ['a firewall that refuses, which says nothing about the key', 403, '<html>Attention required</html>'],
  [
    'a country that no key would help',
    403,
    openAiError('request_forbidden', 'unsupported_country_region_territory'),
  ],
  ['a path that is not there', 404, openAiError('invalid_request_error')],
  ['a request it does not take', 400, openAiError('invalid_request_error', 'unsupported_parameter')],
  ['a network that wants a login', 511, '<html>'],
  ['a status of no class', 799, ''],
])('%s is unknown, neither healthy nor failing', async (_, status, body) => {
  await using provider = await startReplying(status, body);
  expect(await ask(provider)).toEqual({ kind: 'unknown', reason: 'unrecognised_value' });
});

test('a proxy that wants a password is no answer of the provider', async () => {
  await using proxy = await startReplying(407, '');
  expect(await ask(proxy)).toEqual({ kind: 'unknown', reason: 'no_answer' });
});

test('a key that is refused in a deep look is refused', async () => {
  await using provider = await startReplying(401, openAiError('invalid_request_error', 'invalid_api_key'));
  expect(await ask(provider, { deep: { model: 'model-1' } })).toMatchObject({ errorClass: 'auth' });
});

test('a base URL keeps its query and its path', async () => {
  await using provider = await startReplying(200, LISTING);
  await ask({ baseUrl: `${provider.baseUrl}/openai/v1?api-version=1` });
  expect(provider.seen).toMatchObject([{ url: '/openai/v1/models?api-version=1' }]);
});

test('a list without an object around it is a list', async () => {
  await using provider = await startReplying(200, '[{"id":"model-1"}]');
  expect(await ask(provider)).toMatchObject({ errorClass: 'none' });
});

test('the wait that a provider asks for is told in seconds', async () => {
  await using seconds = await startReplying(429, '', { 'retry-after': '17' });
  await using date = await startReplying(529, '', { 'retry-after': 'Sun, 01 Mar 2026 13:00:00 GMT' });
  await using garbage = await startReplying(429, '', { 'retry-after': 'later' });
  expect(await ask(seconds)).toMatchObject({ errorClass: 'rate_limited', retryAfterSec: 17 });
  const look = await ask(date);
  expect(look).toMatchObject({ errorClass: 'overloaded' });
  // the moment of the answer is counted from the time of the look, which is told and not read from a clock
  const elapsedSec = Math.ceil((look as { elapsedMs: number }).elapsedMs / 1000);
  expect((look as { retryAfterSec: number }).retryAfterSec).toBeGreaterThanOrEqual(3600 - elapsedSec);
  expect((look as { retryAfterSec: number }).retryAfterSec).toBeLessThanOrEqual(3600);
  expect(await ask(garbage)).not.toHaveProperty('retryAfterSec');
});

test.each([301, 302, 303, 307, 308])(
  'a redirect (%i) does not carry the key to another host',
  async (status) => {
    await using elsewhere = await startReplying(200, LISTING);
    await using provider = await startReplying(status, '', { location: `${elsewhere.baseUrl}/models` });
    expect(await ask(provider)).toEqual({ kind: 'unknown', reason: 'unrecognised_value' });
    expect(await ask(provider, { deep: { model: 'model-1' } })).toMatchObject({ kind: 'unknown' });
    expect(provider.seen).toHaveLength(2);
    expect(elsewhere.seen).toEqual([]);
  },
);

test('a port that nobody listens on has not said no', async () => {
  expect(await ask({ baseUrl: await closedPort() })).toEqual({ kind: 'unknown', reason: 'unreachable' });
});

test('a name that cannot be resolved has not said no', async () => {
  const name = `${'a'.repeat(64)}.test`;
  expect(await ask({ baseUrl: `http://${name}` })).toEqual({ kind: 'unknown', reason: 'unreachable' });
});

test.each(['not http at all\r\n\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n', '\u0000'])(
  'garbage in place of HTTP (%j) is no answer',
  async (octets) => {
    await using provider = await startSaying(octets);
    expect(await ask(provider)).toEqual({ kind: 'unknown', reason: 'no_answer' });
  },
);

test('a provider that hangs before it answers is unknown: our own network may swallow as much', async () => {
  await using provider = await startSaying('');
  expect(await ask(provider, { timeoutMs: 1_000 })).toEqual({ kind: 'unknown', reason: 'timeout' });
  expect(provider.connections).toBe(1);
});

test('a provider that hangs in the middle of its answer was reached and is too slow', async () => {
  await using provider = await startProvider(
    (_, response) => void response.writeHead(200).write('{"data":['),
  );
  const look = await ask(provider, { timeoutMs: 1_500 });
  expect(look).toEqual({ kind: 'answered', errorClass: 'timeout', elapsedMs: expect.any(Number) });
  expect((look as { elapsedMs: number }).elapsedMs).toBeGreaterThan(100);
});

test('an answer that breaks off is no answer', async () => {
  await using provider = await startSaying('HTTP/1.1 429 Slow\r\ncontent-length: 500\r\n\r\n{"error":');
  expect(await ask(provider)).toEqual({ kind: 'unknown', reason: 'no_answer' });
});

test('a body without an end is not read to its end', async () => {
  const floods: Promise<number>[] = [];
  await using provider = await startProvider((_, response) => {
    floods.push(flood(response, '{"data":[', 512 * 1024 * 1024));
  });
  expect(await ask(provider)).toMatchObject({ kind: 'answered', errorClass: 'none' });
  // what the sockets of both sides buffer is taken as well
  expect(await floods[0]).toBeLessThan(64 * 1024 * 1024);
});

test('garbage without an end is no list', async () => {
  await using provider = await startProvider((_, response) => {
    void flood(response, '<html>', 512 * 1024 * 1024);
  });
  expect(await ask(provider)).toEqual({ kind: 'unknown', reason: 'unrecognised_value' });
});

test('an error that is longer than what is read of it keeps the meaning of its status', async () => {
  const padded = openAiError('insufficient_quota', null, 'x'.repeat(100_000));
  await using provider = await startReplying(429, padded);
  expect(await ask(provider)).toMatchObject({ errorClass: 'rate_limited' });
});

test('JSON nested as deep as the body is long does no harm', async () => {
  await using provider = await startReplying(200, '['.repeat(60_000));
  expect(await ask(provider)).toEqual({ kind: 'unknown', reason: 'unrecognised_value' });
});

test('a look that is called off ends and says nothing about the provider', async () => {
  const arrived = Promise.withResolvers<void>();
  await using silent = await startProvider(() => arrived.resolve());
  const calledOff = new AbortController();
  const look = ask(silent, {}, calledOff.signal);
  await arrived.promise;
  calledOff.abort();
  expect(await look).toEqual({ kind: 'unknown', reason: 'no_answer' });
  expect(await ask(silent, {}, calledOff.signal)).toEqual({ kind: 'unknown', reason: 'no_answer' });
  expect(silent.seen).toHaveLength(1);
});

test('a look that is called off in the middle of the answer is not held against the provider', async () => {
  const calledOff = new AbortController();
  await using provider = await startProvider((_, response) => {
    response.writeHead(200).write('{"data":[', () => setTimeout(() => calledOff.abort(), 50));
  });
  expect(await ask(provider, {}, calledOff.signal)).toEqual({ kind: 'unknown', reason: 'no_answer' });
});

test.each([
  ['cannot be resolved', () => Promise.reject(new Error(KEY))],
  [
    'throws at once',
    () => {
      throw new Error(KEY);
    },
  ],
  ['is empty', async () => ' \n'],
  ['cannot be a header', async () => `${KEY}\n\nx`],
])('a key that %s is a fault of ours: nobody is asked', async (_, key) => {
  await using provider = await startReplying(401, '');
  const look = await ask(provider, { key });
  expect(look).toEqual({ kind: 'unknown', reason: 'probe_fault' });
  expect(provider.seen).toEqual([]);
});

test('a key that never comes does not hold the look for ever', async () => {
  await using provider = await startReplying(200, LISTING);
  const key = () => new Promise<string>(() => undefined);
  expect(await ask(provider, { key, timeoutMs: 50 })).toEqual({ kind: 'unknown', reason: 'probe_fault' });
  expect(await ask(provider, { key }, AbortSignal.abort())).toEqual({ kind: 'unknown', reason: 'no_answer' });
});

test.each(['', 'api.provider.test', 'http://user:secret@127.0.0.1:1', 'http://'])(
  'the base URL `%s` is a fault of the configuration',
  async (baseUrl) => {
    expect(await ask({ baseUrl })).toEqual({ kind: 'unknown', reason: 'probe_fault' });
  },
);

test('a provider that repeats the key has it nowhere in the look', async () => {
  for (const style of PROVIDER_STYLES) {
    await using provider = await startReplying(401, openAiError(KEY, KEY, KEY), { 'retry-after': KEY });
    expect(JSON.stringify(await ask(provider, { style }))).not.toContain(KEY);
  }
});

test('a server that cannot prove who it is does not see the key', async (context) => {
  const pem = selfSigned();
  if (pem === undefined) {
    console.warn('skipped: openssl is not installed');
    return context.skip();
  }
  let requests = 0;
  await using server = createTlsServer({ key: pem, cert: pem }, (_, response) => {
    requests++;
    response.end(LISTING);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await ask({ baseUrl })).toEqual({ kind: 'unknown', reason: 'no_answer' });
  expect(requests).toBe(0);
});

/** A key and a certificate for it, in one text. */
function selfSigned(): string | undefined {
  const what = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout - -out - -days 1';
  try {
    const args = [
      'req',
      ...what.split(' '),
      '-subj',
      '/CN=127.0.0.1',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
    ];
    return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}
