import { describe, expect, test } from 'vitest';
import {
  APPROVAL,
  askGate,
  type CaseChange,
  type Changes,
  lost,
  NOW_MS,
} from '../dispatch-case.test-support.ts';
import type { GovernanceMode } from '../words.ts';
import { humanAuthorityRequiredGate } from './human-authority-required.ts';

const ask = (requestedMode: GovernanceMode, change: CaseChange = {}, layers: Changes = {}) =>
  askGate(humanAuthorityRequiredGate, {
    ...change,
    layers: { governance: { facts: { requestedMode } }, ...layers },
  });

test.each<[GovernanceMode, string, string]>([
  ['autonomous', 'free', 'free'],
  ['supervised', 'flagged', 'flagged'],
  ['approval_required', 'unapproved', 'approved'],
  ['draft_only', 'draft_only', 'draft_only'],
])('%s: %s, and with an approval in hand %s [G10 M10]', (mode, without, withOne) => {
  expect(ask(mode).outcome).toBe(without);
  expect(ask(mode, { approval: APPROVAL }).outcome).toBe(withOne);
});

describe('an approval [G10 G28]', () => {
  test.each([
    [
      'is for the exact action that was looked at',
      { ...APPROVAL, actionDigest: 'b'.repeat(64) },
      'approval_mismatch',
    ],
    ['is not for ever', { ...APPROVAL, expiresAtMs: NOW_MS }, 'approval_expired'],
    ['has to be there', null, 'approval_missing'],
  ])('%s', (_, approval, reason) => {
    expect(ask('approval_required', { approval })).toMatchObject({
      outcome: 'unapproved',
      decision: 'HOLD_FOR_HUMAN_REVIEW',
      reasons: [reason],
    });
  });

  test('counts to its last millisecond', () => {
    expect(ask('approval_required', { approval: { ...APPROVAL, expiresAtMs: NOW_MS + 1 } }).outcome).toBe(
      'approved',
    );
  });
});

test('a mode that nobody can read needs a person; one that only grew old waits [G10]', () => {
  const mode = (value: object | null) =>
    askGate(humanAuthorityRequiredGate, { layers: { governance: { facts: { requestedMode: value } } } })
      .outcome;
  expect(mode(null)).toBe('unknown');
  expect(mode(lost('handler_fault'))).toBe('unknown');
  expect(mode({ expiresAtMs: NOW_MS })).toBe('stale');
});

describe('what an operator holds only an operator gives back [G10]', () => {
  const hold = { causes: { holds: { incident: { sinceMs: 0 } } } };

  test.each<[string, Changes]>([
    ['billing', { billing: hold }],
    ['the domain', { sending_domain: hold }],
    ['the window', { continuity_window: hold }],
  ])('%s, also from an approval', (_, layers) => {
    expect(ask('approval_required', { approval: APPROVAL }, layers)).toMatchObject({
      outcome: 'unapproved',
      reasons: ['operator_hold'],
    });
    expect(ask('autonomous', {}, layers).decision).toBe('HOLD_FOR_HUMAN_REVIEW');
  });

  test('the domain of another mailbox holds nobody here', () => {
    expect(ask('autonomous', { action: { domain: 'elsewhere' } }, { sending_domain: hold }).outcome).toBe(
      'free',
    );
  });
});
