import { randomUUID } from 'node:crypto';
import { digestOf, GATES, partitionOf, RATIONALE_CODES, RATIONALE_QUESTIONS } from '@orchestrate/canon';
import { type DecisionRecorded, decisionRecorded, GENESIS_HASH, VERSION } from '@orchestrate/contracts';
import { type Broker, encode } from '@orchestrate/messaging';

const ZEROS = '0'.repeat(64);

/** A decision to send, valid from now for a minute. */
export function decision(overrides: Partial<DecisionRecorded> = {}): DecisionRecorded {
  const nowMs = Date.now();
  const constraints = overrides.constraints ?? null;
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId: 'acme',
    causedBy: 'REQUESTS/1',
    ordinal: 1,
    prevSeq: 0,
    prevHash: GENESIS_HASH,
    codeVersion: '0.1.0',
    kind: constraints ? 'DEGRADE_AND_APPROVE' : 'APPROVE',
    dispatchId: `d-${randomUUID()}`,
    requestSeq: 1,
    requestedBy: 'crm',
    requestedAtMs: nowMs,
    attempt: 1,
    trigger: 'requested',
    decidedAtMs: nowMs,
    action: {
      campaign: 'spring',
      step: 1,
      mailbox: 'sales',
      domain: 'main',
      importSource: 'crm',
      recipientKey: ZEROS,
      recipientVerified: true,
      prospect: 'icp_rule_match',
      conversation: 'none',
      templateDigest: ZEROS,
    },
    actionDigest: ZEROS,
    recipient: {
      suppression: 'clear',
      conversation: 'none',
      touches: 1,
      lastTouchAtMs: null,
      lastMailbox: null,
      duplicate: false,
      unresolvedOutcome: false,
    },
    reservation: {
      slot: 'free',
      nextSlotAtMs: null,
      usedToday: 0,
      budget: 'available',
      budgetIds: [],
      headroom: { own: 1, best: 1, mailboxes: 1 },
    },
    freezes: [],
    reserved: null,
    truth: { seq: 1, digest: ZEROS, fingerprint: ZEROS, epoch: 1 },
    fresh: true,
    policyDigest: ZEROS,
    decidingGate: 1,
    decidingBlocker: 'operator_freeze',
    decidingOutcome: 'clear',
    gates: GATES.map(({ blocker, outcomes }, index) => ({
      gate: index + 1,
      blocker,
      outcome: outcomes[0]!.name,
      decision: 'APPROVE' as const,
      because: [],
      faulted: false,
    })),
    rationale: RATIONALE_QUESTIONS.map((question) => ({
      question,
      code: RATIONALE_CODES[question].supports[0],
      evidence: [],
    })),
    mode: null,
    constraints,
    constraintsDigest: constraints ? digestOf(constraints) : null,
    review: null,
    approvalId: null,
    budgetIds: [],
    unblock: [],
    lane: null,
    earliestReleaseMs: null,
    expiresAtMs: null,
    notBeforeMs: nowMs,
    validUntilMs: nowMs + 60_000,
    ...overrides,
  };
}

export async function publishDecision(broker: Broker, message: DecisionRecorded): Promise<number> {
  const { tenantId, kind } = message;
  const subject = decisionRecorded.subject({ p: partitionOf(tenantId), tenantId, kind });
  return (await broker.publisher.publish(subject, encode(decisionRecorded, message))).seq;
}
