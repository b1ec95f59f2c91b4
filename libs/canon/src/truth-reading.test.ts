import { describe, expect, test } from 'vitest';
import {
  type Changes,
  conditionsWith,
  HOUR_MS,
  lost,
  NOW_MS,
  truthOf,
} from './dispatch-case.test-support.ts';
import { FACTS } from './facts.ts';
import { TruthReading } from './truth-reading.ts';
import { CANONICAL_BLOCKER_LAYERS, MANAGED_EXECUTION_STATES } from './words.ts';

const reading = (changes: Changes = {}, nowMs = NOW_MS, fresh = true) =>
  new TruthReading(truthOf(conditionsWith(changes)), fresh, nowMs);

test('an answer stands until its very last millisecond and not one longer [T12]', () => {
  const until = NOW_MS + HOUR_MS;
  expect(reading({}, until - 1).fact('sending_domain', 'acme-example', 'spf')).toMatchObject({
    verdict: 'pass',
    value: 'pass',
    stale: false,
  });
  expect(reading({}, until).fact('sending_domain', 'acme-example', 'spf')).toMatchObject({
    verdict: 'unknown',
    value: undefined,
    reason: 'expired',
    stale: true,
  });
});

test('one layer past its age does not spoil another [T12]', () => {
  const early = { mailbox: { facts: { token: { expiresAtMs: NOW_MS } } } };
  expect(reading(early).fact('mailbox', 'anna', 'token').reason).toBe('expired');
  expect(reading(early).fact('mailbox', 'anna', 'canSend').verdict).toBe('pass');
  expect(reading(early).fact('sending_domain', 'acme-example', 'spf').verdict).toBe('pass');
});

describe('a truth that is stale, or that nobody built [T13]', () => {
  test.each([
    ['stale', reading({}, NOW_MS, false)],
    ['missing', new TruthReading(null, true, NOW_MS)],
  ])('%s: every fact of every layer is unknown, folded ones included', (_, read) => {
    expect(read.fresh).toBe(false);
    for (const layer of CANONICAL_BLOCKER_LAYERS) {
      const source = conditionsWith().find((condition) => condition.layer === layer)!.source;
      for (const fact of Object.keys(FACTS[layer])) {
        expect(read.fact(layer, source, fact)).toMatchObject({
          verdict: 'unknown',
          reason: 'truth_stale',
          value: undefined,
          stale: true,
        });
      }
      expect(read.required(layer, source).map((fact) => fact.verdict)).toEqual(['unknown']);
    }
  });
});

test('the last value of an unknown is history and not an answer [T15]', () => {
  const known = reading({ mailbox: { facts: { canReadReplies: lost('recheck_requested') } } });
  expect(
    known.truth?.layers.mailbox.sources[0]?.facts.find((fact) => fact.fact === 'canReadReplies')?.value,
  ).toBe(true);
  expect(known.fact('mailbox', 'anna', 'canReadReplies').value).toBeUndefined();
});

test('a source that does not exist has one unknown, and is not merely stale [T15]', () => {
  expect(reading().required('mailbox', 'nobody')).toMatchObject([
    { verdict: 'unknown', reason: 'never_observed', stale: false },
  ]);
  expect(reading().fact('sending_domain', 'nobody', 'alignment').reason).toBe('no_delivered_proof');
});

test('required facts are those of the named source, without the ones that only inform [T15]', () => {
  expect(
    reading()
      .required('billing', 'main')
      .map((fact) => fact.fact),
  ).toEqual(['subscriptionStatus', 'paymentMethod', 'entitlementRemaining']);
});

test('a grace that is spent or over is none [L24]', () => {
  const grace = (untilMs: number, spent = false) =>
    reading({ billing: { causes: { graces: { subscriptionStatus: { untilMs, spent } } } } }).inGrace(
      'billing',
      'main',
      'subscriptionStatus',
    );
  expect([grace(NOW_MS + 1), grace(NOW_MS), grace(NOW_MS + 1, true)]).toEqual([true, false, false]);
  expect(reading().inGrace('billing', 'main', 'subscriptionStatus')).toBe(false);
  expect(reading().inGrace('billing', 'nobody', 'subscriptionStatus')).toBe(false);
});

test('what a person holds is named [T15]', () => {
  const held = reading({ campaign: { causes: { holds: { digest_drift: { sinceMs: 0 } } } } });
  expect(held.holds('campaign', 'spring')).toEqual(['digest_drift']);
  expect(held.holds('campaign', 'nobody')).toEqual([]);
});

describe('a layer [T12 T13]', () => {
  const unknown = (reason: string) => ({
    state: 'unknown',
    bucket: 'orchestrate_working',
    owner: 'orchestrate',
    reason,
  });

  test('shows what it says while that is valid, and is unknown from the very end of that on', () => {
    const said = { state: 'ready', bucket: 'ready_to_execute', owner: 'client', reason: 'ok' };
    expect(reading({}, NOW_MS + HOUR_MS - 1).layer('mailbox')).toEqual(said);
    expect(reading({}, NOW_MS + HOUR_MS).layer('mailbox')).toEqual(unknown('expired'));
  });

  test('that cannot expire shows what it says for ever', () => {
    const folded = conditionsWith().map((condition) => ({ ...condition, validUntilMs: null }));
    const read = new TruthReading(truthOf(folded), true, NOW_MS + 1000 * HOUR_MS);
    expect(read.layer('pacing').state).toBe('ready');
  });

  test('is unknown in a truth that is stale, or that nobody built', () => {
    expect(reading({}, NOW_MS, false).layer('mailbox')).toEqual(unknown('truth_stale'));
    expect(new TruthReading(null, true, NOW_MS).layer('mailbox')).toEqual(unknown('truth_stale'));
  });

  test('keeps a state that something else than the expired fact made', () => {
    const after = (state: (typeof MANAGED_EXECUTION_STATES)[number]) =>
      reading({ mailbox: { state } }, NOW_MS + HOUR_MS).layer('mailbox').reason;
    expect(MANAGED_EXECUTION_STATES.filter((state) => after(state) === 'ok')).toEqual([
      'cooling_down',
      'unknown',
      'verifying',
      'provisioning',
      'operator_review',
      'internal_fault',
    ]);
  });
});

test('an unknown has no severity, and names the fact that was asked for [T15]', () => {
  expect(reading({}, NOW_MS, false).fact('mailbox', 'anna', 'token')).toEqual({
    layer: 'mailbox',
    source: 'anna',
    fact: 'token',
    value: undefined,
    verdict: 'unknown',
    severity: 'none',
    reason: 'truth_stale',
    owner: 'orchestrate',
    observedAtMs: null,
    stale: true,
  });
});
