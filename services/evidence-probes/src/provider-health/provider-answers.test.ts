import { factValueProblem, requiredFacts } from '@orchestrate/canon';
import { expect, test } from 'vitest';
import type { Answer } from '../probe/answer.ts';
import type { ProviderLook } from './ask-provider.ts';
import { PROVIDER_FACTS, providerAnswers } from './provider-answers.ts';
import {
  ask,
  closedPort,
  LISTING,
  NOW_MS,
  startProvider,
  startReplying,
  startSaying,
} from './provider-health.test-support.ts';
import { type ProviderWindow, WINDOW_MS, withLook } from './provider-window.ts';

/** `{ reachable: true, p95Ms: '?timeout' }`: values as they are, unknowns with a question mark. */
function summary(answers: readonly Answer[]) {
  return Object.fromEntries(
    answers.map((answer) => [answer.fact, 'unknown' in answer ? `?${answer.unknown}` : answer.value]),
  );
}

const allUnknown = (reason: string) => Object.fromEntries(PROVIDER_FACTS.map((fact) => [fact, `?${reason}`]));

/** What is told after this look, when these came before it, a second apart. */
function after(look: ProviderLook, before: readonly ProviderLook[] = []): Answer[] {
  const window = [...before, look].reduce<ProviderWindow>(
    (known, one, index) => withLook(known, one, NOW_MS + index * 1000),
    [],
  );
  return providerAnswers(look, window, NOW_MS + before.length * 1000);
}

const HEALTHY: ProviderLook = { kind: 'answered', errorClass: 'none', elapsedMs: 120 };
const LIMITED: ProviderLook = {
  kind: 'answered',
  errorClass: 'rate_limited',
  elapsedMs: 40,
  retryAfterSec: 30,
};

test('every fact that the layer requires is told, and each value is one of the catalogue', () => {
  const answers = after(LIMITED, [HEALTHY, HEALTHY, HEALTHY]);
  expect(summary(answers)).toEqual({
    reachable: true,
    p95Ms: 120,
    errorRatio5m: 0.25,
    samples5m: 4,
    errorClass: 'rate_limited',
    retryAfterSec: 30,
  });
  expect(answers.map(({ fact }) => fact)).toEqual(
    expect.arrayContaining([...requiredFacts('provider_health')]),
  );
  for (const answer of answers)
    expect('value' in answer && factValueProblem('provider_health', answer.fact, answer.value)).toBeNull();
});

test('too few samples are told as they are', () => {
  expect(summary(after(HEALTHY))).toMatchObject({ samples5m: 1, p95Ms: 120, errorRatio5m: 0 });
});

test('the wait of an earlier answer is taken back by one that names none', () => {
  expect(summary(after(HEALTHY, [LIMITED]))).toMatchObject({ retryAfterSec: '?unrecognised_value' });
});

test('a window without samples has no percentile and no ratio', () => {
  const window = withLook([], HEALTHY, NOW_MS);
  expect(summary(providerAnswers(HEALTHY, window, NOW_MS + WINDOW_MS + 1))).toMatchObject({
    samples5m: 0,
    p95Ms: '?too_few_samples',
    errorRatio5m: '?too_few_samples',
  });
});

test('with the network unplugged nothing is known, the window included', () => {
  const answers = after({ kind: 'unknown', reason: 'unreachable' }, [HEALTHY, LIMITED, HEALTHY]);
  expect(summary(answers)).toEqual(allUnknown('unreachable'));
});

test('an hour without a network leaves no trace in the ratio once it is back', () => {
  const silence = Array.from({ length: 60 }, (): ProviderLook => ({ kind: 'unknown', reason: 'timeout' }));
  expect(summary(after(HEALTHY, silence))).toMatchObject({ samples5m: 1, errorRatio5m: 0 });
});

test('a provider that is gone, hangs or talks garbage makes everything unknown; nothing fails, nothing passes', async () => {
  await using silent = await startSaying('');
  await using garbage = await startSaying('no http\r\n\r\n');
  await using stranger = await startReplying(200, '<html>please sign in</html>');
  expect(summary(after(await ask({ baseUrl: await closedPort() })))).toEqual(allUnknown('unreachable'));
  expect(summary(after(await ask(silent, { timeoutMs: 100 })))).toEqual(allUnknown('timeout'));
  expect(summary(after(await ask(garbage)))).toEqual(allUnknown('no_answer'));
  expect(summary(after(await ask(stranger)))).toEqual(allUnknown('unrecognised_value'));
});

test('a provider that fails and comes back is told so, look by look', async () => {
  const statuses = [200, 503, 200];
  await using provider = await startProvider((_, response) => {
    response.writeHead(statuses.shift()!).end(LISTING);
  });
  let window: ProviderWindow = [];
  const told: unknown[] = [];
  for (const nowMs of [NOW_MS, NOW_MS + 30_000, NOW_MS + 60_000]) {
    const look = await ask(provider);
    window = withLook(window, look, nowMs);
    told.push(summary(providerAnswers(look, window, nowMs)));
  }
  expect(told).toMatchObject([
    { reachable: true, errorClass: 'none', samples5m: 1, errorRatio5m: 0 },
    { reachable: true, errorClass: 'overloaded', samples5m: 2, errorRatio5m: 1 / 2 },
    { reachable: true, errorClass: 'none', samples5m: 3, errorRatio5m: 1 / 3 },
  ]);
});
