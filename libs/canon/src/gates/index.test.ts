import { describe, expect, test } from 'vitest';
import { askGate } from '../dispatch-case.test-support.ts';
import { DISPATCH_BLOCKERS, type DispatchDecision, hardnessOf } from '../words.ts';
import { GATES } from './index.ts';

/** The tables of the canon, written down once more: outcome and decision, mild to hard. */
const D: Record<string, DispatchDecision> = {
  A: 'APPROVE',
  D: 'DEGRADE_AND_APPROVE',
  C: 'HOLD_FOR_CONTEXT',
  Y: 'HOLD_FOR_REPLY_RISK',
  R: 'HOLD_FOR_REPUTATION',
  H: 'HOLD_FOR_HUMAN_REVIEW',
  B: 'BLOCK',
};
const TABLES: Record<(typeof DISPATCH_BLOCKERS)[number], string> = {
  operator_freeze: 'clear A, stale C, unknown H, frozen B',
  recipient_suppressed: 'clear A, unknown C, suppressed B',
  lawful_basis_absent: 'lawful A, stale C, unknown H, absent B',
  not_entitled: 'entitled A, grace D, unknown C, not_entitled B',
  identity_unauthenticated:
    'proven A, soft D, grace_proven D, stale C, unknown R, grace_unproven R, failing B',
  mailbox_incapable: 'capable A, limited D, unknown C, quota_full R, incapable B',
  reputation_unsafe:
    'healthy A, watch D, probation D, sample_unknown_budgeted D, stale C, cap_reached R, unknown R, cooling R, blocked B',
  reply_or_duplicate_risk:
    'clear A, stale C, unknown Y, replied Y, out_of_office Y, touched_by_colleague Y, unresolved_outcome H, duplicate B',
  context_insufficient: 'sufficient A, no_ai D, later C, unknown C, insufficient C',
  human_authority_required: 'free A, flagged A, approved A, stale C, unapproved H, unknown H, draft_only H',
};

test('gate n of the audit is blocker n of the canon [G11]', () => {
  expect(GATES.map((gate) => gate.blocker)).toEqual([...DISPATCH_BLOCKERS]);
});

describe.each(GATES.map((gate) => [gate.blocker, gate] as const))('%s [G%$]', (blocker, gate) => {
  test('has the outcomes of the canon, and worse is never more permissive [G12]', () => {
    const expected = TABLES[blocker].split(', ').map((entry) => {
      const [name, letter] = entry.split(' ');
      return { name, decision: D[letter!] };
    });
    expect(gate.outcomes).toEqual(expected);
    const hardness = gate.outcomes.map((outcome) => hardnessOf(outcome.decision));
    expect(hardness).toEqual(hardness.toSorted((a, b) => a - b));
  });

  test('answers a fault with its unknown, and an unknown never dispatches [G13 G15]', () => {
    expect(gate.faulted).toBe('unknown');
    const unknown = gate.outcomes.find((outcome) => outcome.name === gate.faulted);
    expect(hardnessOf(unknown!.decision)).toBeGreaterThanOrEqual(hardnessOf('HOLD_FOR_CONTEXT'));
    expect(unknown!.decision).not.toBe('BLOCK');
  });

  test('is in nobody’s way when all is well [G17]', () => {
    expect(askGate(gate)).toMatchObject({ outcome: gate.outcomes[0]!.name, decision: 'APPROVE' });
  });

  test('neither approves nor condemns on a truth that is stale, unless it asks the ledger only [G16]', () => {
    const ledgerOnly = blocker === 'reply_or_duplicate_risk';
    const { outcome, decision } = askGate(gate, { fresh: false });
    expect(decision === 'APPROVE').toBe(ledgerOnly);
    expect(decision).not.toBe('BLOCK');
    if (!ledgerOnly) expect(['stale', 'unknown', 'insufficient']).toContain(outcome);
  });
});
