import {
  type FactReading,
  MANAGED_EXECUTION_STATES,
  type ManagedExecutionState,
  NO_CAUSES,
  STATES_WORST_FIRST,
} from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import type { LayerContext } from './layer-context.ts';
import { allInGrace, candidates, settle } from './settle.ts';

const reading = (fact: string, change: Partial<FactReading>): FactReading => ({
  fact,
  verdict: 'pass',
  severity: 'none',
  reason: 'ok',
  owner: 'client',
  required: true,
  observedAtMs: 10,
  expiresAtMs: null,
  everPassed: true,
  passingSinceMs: 10,
  ...change,
});
const hard = { verdict: 'fail', severity: 'hard' } as const;
const facts = (...all: FactReading[]): Partial<LayerContext> => ({
  facts: Object.fromEntries(all.map((fact) => [fact.fact, fact])),
});

/** For each state the least that makes it show. */
const CAUSE: Record<ManagedExecutionState, Partial<LayerContext>> = {
  operator_review: { holds: { freeze: { sinceMs: 0 } } },
  client_action: facts(reading('a', { ...hard, owner: 'client' })),
  internal_fault: facts(reading('b', { ...hard, owner: 'orchestrate' })),
  cooling_down: { cooldowns: { x: { untilMs: 1, ordinal: 1 } } },
  unknown: facts(reading('c', { verdict: 'unknown', reason: 'servfail' })),
  verifying: { recheckSinceMs: 5, ...facts(reading('d', { observedAtMs: 4 })) },
  probation: { requalifications: { x: { ordinal: 1, from: null, count: 0 } } },
  provisioning: facts(reading('e', { verdict: 'unknown', reason: 'no_delivered_proof' })),
  scheduled: { closures: { x: { untilMs: null } } },
  grace: { graces: { f: { untilMs: 9, spent: false } }, ...facts(reading('f', hard)) },
  degraded: facts(reading('g', { verdict: 'fail', severity: 'soft' })),
  executing: { lease: { runId: 'r', untilMs: 9 } },
  ready: {},
};

function contextOf(...causes: Partial<LayerContext>[]): LayerContext {
  const merged = causes.map((cause) => cause.facts ?? {});
  return Object.assign({}, NO_CAUSES, ...causes, { facts: Object.assign({}, ...merged) });
}

test.each(MANAGED_EXECUTION_STATES)('%s shows when its cause is the only one [L4]', (state) => {
  expect(settle(contextOf(CAUSE[state]))).toBe(state);
});

test('of any two causes the worse one shows, and the other one stands behind it [L4]', () => {
  for (const one of MANAGED_EXECUTION_STATES) {
    for (const other of MANAGED_EXECUTION_STATES) {
      const context = contextOf(CAUSE[one], CAUSE[other]);
      const worse = STATES_WORST_FIRST.find((state) => state === one || state === other);
      expect(settle(context), `${one} and ${other}`).toBe(worse);
      expect(candidates(context)).toMatchObject({ [one]: true, [other]: true });
    }
  }
});

describe('what a set-up covers [L32]', () => {
  const setup = { setup: { id: 'import_running', deadlineMs: 9 } };

  test('facts without a passing answer: unknown ones and those that never passed', () => {
    expect(settle(contextOf(setup, CAUSE.unknown))).toBe('provisioning');
    expect(settle(contextOf(setup, facts(reading('a', { ...hard, everPassed: false }))))).toBe(
      'provisioning',
    );
  });

  test('nothing that worked and broke', () => {
    expect(settle(contextOf(setup, CAUSE.client_action))).toBe('client_action');
  });
});

describe('the first check [L31]', () => {
  const check = { check: { startedAtMs: 0, deadlineMs: 9 } };
  const never = (fact: string, change: Partial<FactReading> = {}) =>
    reading(fact, {
      verdict: 'unknown',
      reason: 'never_observed',
      observedAtMs: null,
      everPassed: false,
      ...change,
    });

  test('shows verifying while nobody has an answer', () => {
    expect(settle(contextOf(check, facts(never('a'), never('b', { reason: 'no_delivered_proof' }))))).toBe(
      'verifying',
    );
    expect(settle(contextOf(facts(never('a'))))).toBe('unknown');
  });

  test('is over with the first answer, the first try without one, or when the tries went on too long', () => {
    expect(settle(contextOf(check, facts(never('a'), reading('b', {}))))).toBe('unknown');
    expect(settle(contextOf(check, facts(never('a', { reason: 'servfail' }))))).toBe('unknown');
    expect(settle(contextOf(check, { attention: true }, facts(never('a'))))).toBe('unknown');
  });
});

test('an optional fact that nobody answered is no unknown of its layer; a judged one is [L8]', () => {
  const optional = (reason: FactReading['reason']) =>
    facts(reading('o', { verdict: 'unknown', required: false, reason }));
  expect(settle(contextOf(optional('expired')))).toBe('ready');
  expect(settle(contextOf(optional('clock_skew')))).toBe('unknown');
});

test('a grace beside a failure without one covers nothing [L24]', () => {
  const grace = contextOf(CAUSE.grace);
  expect(allInGrace(grace)).toBe(true);
  expect(allInGrace(contextOf(CAUSE.grace, CAUSE.client_action))).toBe(false);
  expect(allInGrace(contextOf())).toBe(false);
});
