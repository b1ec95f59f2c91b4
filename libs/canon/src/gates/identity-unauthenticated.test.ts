import { describe, expect, test } from 'vitest';
import {
  askGate,
  type ConditionChange,
  HOUR_MS,
  lost,
  NOW_MS,
  POLICY,
} from '../dispatch-case.test-support.ts';
import { identityUnauthenticatedGate } from './identity-unauthenticated.ts';

const ask = (sending_domain: ConditionChange, more = {}) =>
  askGate(identityUnauthenticatedGate, { layers: { sending_domain }, ...more });
const running = { graces: { spf: { untilMs: NOW_MS + HOUR_MS, spent: false } } };
const spfFailed = {
  verdict: 'fail',
  severity: 'hard',
  reason: 'spf_fail',
  observedAtMs: NOW_MS - HOUR_MS,
} as const;

describe('what is known of the domain decides [G5]', () => {
  test.each<[string, ConditionChange, string]>([
    ['a weak key', { facts: { dkim: 'weak' } }, 'soft'],
    ['a record that fails', { facts: { dmarc: 'none' } }, 'failing'],
    ['a message that did not align', { facts: { alignment: 'misaligned' } }, 'failing'],
    ['a resolver that could not answer', { facts: { spf: lost('servfail') } }, 'unknown'],
    ['no delivered proof yet', { facts: { alignment: lost('no_delivered_proof') } }, 'unknown'],
    ['a domain that nobody configured', { source: 'elsewhere' }, 'unknown'],
    ['a domain that was switched off', { enabled: false }, 'unknown'],
    ['an unknown beside a failure', { facts: { spf: lost('timeout'), dmarc: 'none' } }, 'failing'],
    ['an unsigned unsubscribe header', { facts: { oneClickSigned: false } }, 'proven'],
  ])('%s', (_, change, outcome) => {
    expect(ask(change).outcome).toBe(outcome);
  });

  test('unknown DNS holds for reputation: it is neither a pass nor a condemnation', () => {
    for (const reason of [
      'servfail',
      'timeout',
      'no_answer',
      'refused',
      'expired',
      'disagreement',
    ] as const) {
      for (const fact of ['spf', 'dkim', 'dmarc', 'alignment']) {
        expect(ask({ facts: { [fact]: lost(reason) } }).decision).toBe('HOLD_FOR_REPUTATION');
      }
    }
  });
});

describe('inside a grace [G5]', () => {
  test('a message that aligned after the failure is better evidence than the record', () => {
    const proven = ask({
      causes: running,
      facts: { spf: spfFailed, alignment: { observedAtMs: NOW_MS - HOUR_MS + 1 } },
    });
    expect(proven.outcome).toBe('grace_proven');
    expect(proven.because.map((one) => one.fact)).toEqual(['spf', 'alignment']);
    expect(proven.constraints).toEqual([POLICY.degradations.identity_grace_proven]);
  });

  test('one that aligned before proves nothing of now, nor does one that did not align', () => {
    const before = { observedAtMs: NOW_MS - HOUR_MS };
    expect(ask({ causes: running, facts: { spf: spfFailed, alignment: before } }).outcome).toBe(
      'grace_unproven',
    );
    const failing = { verdict: 'unknown', reason: 'expired', observedAtMs: NOW_MS } as const;
    expect(ask({ causes: running, facts: { spf: spfFailed, alignment: failing } }).outcome).toBe(
      'grace_unproven',
    );
  });

  test('the grace of one record is not that of another, and a spent one is none', () => {
    expect(ask({ causes: running, facts: { dmarc: 'none' } }).outcome).toBe('failing');
    const spent = { graces: { spf: { untilMs: NOW_MS + HOUR_MS, spent: true } } };
    expect(
      ask({ causes: spent, facts: { spf: spfFailed, alignment: { observedAtMs: NOW_MS } } }).outcome,
    ).toBe('failing');
  });
});

test('a weak key goes out under its constraints [G5 G23]', () => {
  expect(ask({ facts: { dkim: 'weak' } }).constraints).toEqual([POLICY.degradations.identity_soft]);
});

test('what goes out as it is, or not at all, has no constraints [G23]', () => {
  const none = (facts: ConditionChange['facts'] & object) =>
    askGate(identityUnauthenticatedGate, { layers: { sending_domain: { facts } } }).constraints;
  expect([none({}), none({ spf: lost('servfail') }), none({ spf: 'none' })]).toEqual(
    Array(3).fill(undefined),
  );
});
