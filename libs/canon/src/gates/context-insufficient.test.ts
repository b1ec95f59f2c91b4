import { describe, expect, test } from 'vitest';
import type { Causes } from '../condition.ts';
import {
  askGate,
  type CaseChange,
  type ConditionChange,
  DAY_MS,
  HOUR_MS,
  lost,
  NOW_MS,
  POLICY,
} from '../dispatch-case.test-support.ts';
import { contextInsufficientGate } from './context-insufficient.ts';

const ask = (change: CaseChange) => askGate(contextInsufficientGate, change);
const causes = (some: Partial<Causes>): ConditionChange => ({ causes: some });

test.each<[string, CaseChange, string]>([
  ['a draft', { layers: { campaign: { facts: { campaignState: 'draft' } } } }, 'insufficient'],
  [
    'a template changed after approval',
    { layers: { campaign: causes({ holds: { digest_drift: { sinceMs: 0 } } }) } },
    'insufficient',
  ],
  ['an unlinted template', { layers: { campaign: { facts: { lint: null } } } }, 'unknown'],
  ['a soft finding of the lint', { layers: { campaign: { facts: { lint: 'warn' } } } }, 'sufficient'],
  ['no import yet', { layers: { data: { facts: { importState: 'never' } } } }, 'insufficient'],
  ['an import that nobody knows', { action: { importSource: 'other' } }, 'unknown'],
  ['a campaign switched off', { layers: { campaign: { enabled: false } } }, 'insufficient'],
  ['an empty queue', { layers: { data: causes({ closures: { queue_empty: { untilMs: null } } }) } }, 'later'],
  [
    'a campaign that cools down',
    { layers: { campaign: causes({ cooldowns: { x: { untilMs: 1, ordinal: 1 } } }) } },
    'later',
  ],
  ['a closed window', { layers: { continuity_window: { facts: { 'window.open': false } } } }, 'later'],
  [
    'a window that nobody sees',
    { layers: { continuity_window: { facts: { 'window.open': null } } } },
    'unknown',
  ],
  [
    'a window in a time zone that nobody knows',
    { layers: { continuity_window: { facts: { windowReason: 'tz_unknown' } } } },
    'unknown',
  ],
  [
    'a window by a clock that is wrong',
    { layers: { continuity_window: { facts: { clockSkewMs: 2001 } } } },
    'unknown',
  ],
  ['a campaign that is not bound to this mailbox', { action: { bound: false } }, 'insufficient'],
  ['two calls to action', { layers: { campaign: { facts: { cta: 'multiple_ctas' } } } }, 'insufficient'],
  ['no reason to write to this person', { action: { prospect: 'none_found' } }, 'insufficient'],
])('%s [G9]', (_, change, outcome) => {
  expect(ask(change).outcome).toBe(outcome);
});

describe('an AI provider that is not there [G9]', () => {
  const provider = (change: ConditionChange, approval = 'current') =>
    ask({ layers: { provider_health: change, campaign: { facts: { approval } } } });

  test.each<[string, ConditionChange]>([
    ['cannot be reached', { facts: { reachable: false } }],
    ['refuses our credential', { facts: { errorClass: 'auth' } }],
    ['answered too rarely to judge', { facts: { samples5m: 4 } }],
    ['cools down', causes({ cooldowns: { overloaded: { untilMs: NOW_MS + 1, ordinal: 1 } } })],
    ['is held by an operator', causes({ holds: { incident: { sinceMs: 0 } } })],
  ])('%s: what a person approved may still be said, without it', (_, change) => {
    expect(provider(change)).toMatchObject({
      outcome: 'no_ai',
      constraints: [POLICY.degradations.context_no_ai],
    });
  });

  test('is no loss to a tenant that does not use it', () => {
    expect(provider({ enabled: false, facts: { reachable: false } }).outcome).toBe('sufficient');
  });

  test('binds nothing while it is there', () => {
    expect(ask({}).constraints).toBeUndefined();
  });

  test('leaves a message unwritten that nobody approved', () => {
    expect(provider({ facts: { reachable: false } }, 'drifted').outcome).toBe('unknown');
  });
});

describe('a hold that time may end says when', () => {
  test('a closed window opens with the next run [G9 L11]', () => {
    const closed = { 'window.open': false, nextRun: NOW_MS + HOUR_MS };
    expect(ask({ layers: { continuity_window: { facts: closed } } }).releaseAtMs).toBe(NOW_MS + HOUR_MS);
  });

  test('a second step that comes too soon is due at its own time, not never [G9 G25]', () => {
    const lastTouchAtMs = NOW_MS - DAY_MS;
    const early = ask({ action: { step: 2 }, recipient: { touches: 1, lastTouchAtMs, lastMailbox: 'anna' } });
    expect(early.outcome).toBe('insufficient');
    expect(early.because.map((one) => one.fact)).toEqual(['whyNow', 'whySilenceNotSafer']);
    expect(early.releaseAtMs).toBe(lastTouchAtMs + POLICY.dispatch.stepIntervalSec * 1000);
  });

  test('a closed window that names no next run has no time [G9 G25]', () => {
    expect(
      ask({ layers: { continuity_window: { facts: { 'window.open': false } } } }).releaseAtMs,
    ).toBeNull();
  });

  test('a touch that is no obstacle sets no time [G9 G25]', () => {
    const touched = (lastTouchAtMs: number, change: CaseChange): CaseChange => ({
      action: { step: 2, ...change.action },
      recipient: { touches: 1, lastTouchAtMs, lastMailbox: 'anna' },
      ...(change.layers ? { layers: change.layers } : {}),
    });
    const intervalMs = POLICY.dispatch.stepIntervalSec * 1000;
    const unbound = { action: { bound: false } };
    expect(ask(touched(NOW_MS - 2 * intervalMs, unbound)).releaseAtMs).toBeNull();
    expect(ask(touched(NOW_MS - intervalMs, unbound)).releaseAtMs).toBeNull();
    expect(ask(touched(NOW_MS - intervalMs + 1, unbound)).releaseAtMs).toBe(NOW_MS + 1);
    const unseen = { layers: { continuity_window: { facts: { windowReason: 'tz_unknown' } } } };
    expect(ask(touched(NOW_MS - intervalMs, unseen))).toMatchObject({
      outcome: 'unknown',
      releaseAtMs: null,
    });
  });

  test('what is plainly missing has no time [G9 G25]', () => {
    expect(ask({ layers: { campaign: { facts: { bindings: lost('expired') } } } }).releaseAtMs).toBeNull();
  });
});

test('a hold names the layer that has to change, so that it is decided again when that one does [G9 G25]', () => {
  const layersOf = (change: CaseChange) => [...new Set(ask(change).because.map((one) => one.layer))];
  expect(layersOf({ layers: { pacing: { facts: { band: 'watch' } } } })).toEqual(['pacing']);
  expect(layersOf({ layers: { data: { facts: { importState: null } } } })).toEqual(['data']);
  expect(layersOf({ layers: { campaign: { facts: { tone: 'pressure_lint' } } } })).toEqual(['campaign']);
  expect(layersOf({ action: { prospect: 'unknown' } })).toEqual(['data']);
});

test('what only has to arrive again is named as it is, so that its hold is looked at when it has [G9 G25]', () => {
  const expired = ask({ layers: { campaign: { facts: { bindings: { expiresAtMs: NOW_MS } } } } });
  expect(expired.outcome).toBe('unknown');
  expect(expired.because.map(({ fact, reason }) => `${fact} ${reason}`)).toEqual(['bindings expired']);
});

test('a fact that nobody knows is named once, however many answers rest on it [G9]', () => {
  const lostTwo = { facts: { lint: lost('no_answer'), bindings: lost('no_answer') } };
  const { because } = askGate(contextInsufficientGate, { layers: { campaign: lostTwo } });
  expect(because.map((one) => `${one.source} ${one.fact}`)).toEqual(['spring lint', 'spring bindings']);
});
