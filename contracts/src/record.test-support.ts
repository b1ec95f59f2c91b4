import {
  DISPATCH_BLOCKERS,
  type DispatchBlocker,
  type DispatchDecision,
  digestOf,
  GATES,
  RATIONALE_QUESTIONS,
} from '@orchestrate/canon';
import {
  approvalRecorded,
  type DecisionRecorded,
  decisionRecorded,
  interventionRecorded,
  outcomeRecorded,
} from './decision.ts';
import type { MessageContract } from './define-message.ts';
import { AT_MS, action, DIGEST, envelope } from './message.test-support.ts';

/** One of each kind of record, as governance writes them. No branch of a schema stays without an example. */
const head = () => ({
  ...envelope(),
  ordinal: 12,
  prevSeq: 4711,
  prevHash: DIGEST,
  codeVersion: '0.1.0-beta.1',
});

type Gate = DecisionRecorded['gates'][number];
type Because = Gate['because'][number];

const band: Because = {
  layer: 'pacing',
  source: 'anna',
  fact: 'band',
  verdict: 'unknown',
  reason: 'insufficient_sample',
  owner: 'orchestrate',
};

/** Ten gates of which one found something. */
function gatesWith(found: { blocker: DispatchBlocker; outcome: string; because: Because[] }): Gate[] {
  return DISPATCH_BLOCKERS.map((blocker, index) => {
    const { outcomes } = GATES[index]!;
    const isFound = blocker === found.blocker;
    const outcome = isFound ? found.outcome : outcomes[0]!.name;
    const decision = outcomes.find(({ name }) => name === outcome)!.decision;
    const because = isFound ? found.because : [];
    return { gate: index + 1, blocker, outcome, decision, because, faulted: false };
  });
}

const CODES = {
  whyProspect: 'verified_import',
  whyNow: 'step_due',
  whyMailbox: 'best_headroom',
  whyCta: 'question',
  whyConfidence: 'bounded_unknown',
  whyTone: 'neutral_lint',
  whyDispatchSafe: 'exploration_budget',
  whySilenceNotSafer: 'step_within_touch_budget',
} as const;

function decision(
  kind: DispatchDecision,
  found: Parameters<typeof gatesWith>[0],
  change: Partial<DecisionRecorded>,
): DecisionRecorded {
  return {
    ...head(),
    kind,
    dispatchId: 'd-1',
    requestSeq: 3,
    requestedBy: 'crm',
    requestedAtMs: AT_MS,
    attempt: 2,
    trigger: 'truth_changed',
    decidedAtMs: AT_MS,
    action: { ...action, prospect: 'verified_import', conversation: 'none' },
    actionDigest: DIGEST,
    recipient: {
      suppression: 'clear',
      conversation: 'none',
      touches: 1,
      lastTouchAtMs: AT_MS,
      lastMailbox: 'anna',
      duplicate: false,
      unresolvedOutcome: false,
    },
    reservation: {
      slot: 'free',
      nextSlotAtMs: AT_MS,
      usedToday: 3,
      budget: 'available',
      budgetIds: ['mailbox:anna', 'domain:main'],
      headroom: { own: 0.5, best: 1, mailboxes: 2 },
    },
    freezes: ['freeze', 'freeze_all'],
    reserved: null,
    truth: { seq: 9, digest: DIGEST, fingerprint: DIGEST, epoch: 4 },
    fresh: true,
    policyDigest: DIGEST,
    decidingGate: DISPATCH_BLOCKERS.indexOf(found.blocker) + 1,
    decidingBlocker: found.blocker,
    decidingOutcome: found.outcome,
    gates: gatesWith(found),
    rationale: RATIONALE_QUESTIONS.map((question) => ({
      question,
      code: CODES[question],
      evidence: ['pacing/anna/band', 'continuity_window/main/window.open', 'data/crm/source'],
    })),
    mode: {
      requested: 'autonomous',
      sectorFloor: 'autonomous',
      operatorFloor: 'autonomous',
      riskFloor: 'approval_required',
      resolved: 'approval_required',
      risks: [{ risk: 'bounce_blind_mailbox', level: 'high', phase: 'active' }],
    },
    constraints: null,
    constraintsDigest: null,
    review: null,
    approvalId: null,
    budgetIds: [],
    unblock: [],
    lane: null,
    earliestReleaseMs: null,
    expiresAtMs: null,
    notBeforeMs: null,
    validUntilMs: null,
    ...change,
  };
}

export const hold = () =>
  decision(
    'HOLD_FOR_REPUTATION',
    {
      blocker: 'reputation_unsafe',
      outcome: 'unknown',
      because: [band, { ...band, reason: 'budget_spent' }],
    },
    { unblock: [{ ...band, gate: 7 }], lane: 'watch', earliestReleaseMs: AT_MS, expiresAtMs: AT_MS },
  );

const CONSTRAINTS: NonNullable<DecisionRecorded['constraints']> = {
  maxToday: 10,
  maxPerHour: 2,
  minGapSec: 60,
  canary: { size: 5, holdSec: 600, stopUnsub: 1, stopComplaint: 1 },
  recipientProvidersAllow: ['google', 'other'],
  verifiedRecipientsOnly: true,
  newProspects: false,
  plainTextOnly: true,
  openTracking: false,
  clickTracking: false,
  maxLinks: 1,
  attachments: false,
  aiGeneration: 'approved_template_only',
  requireOneClick: true,
  sendDelaySec: 5,
  budgetIds: ['domain:main', 'mailbox:anna'],
  expiresAtMs: AT_MS,
};

export const release = () =>
  decision(
    'DEGRADE_AND_APPROVE',
    { blocker: 'reputation_unsafe', outcome: 'sample_unknown_budgeted', because: [band] },
    {
      reserved: { mailbox: 'anna', day: '2026-03-02', ordinal: 4 },
      constraints: CONSTRAINTS,
      constraintsDigest: digestOf(CONSTRAINTS),
      review: { required: true, dueByMs: AT_MS },
      approvalId: 'a-8',
      budgetIds: ['domain:main', 'mailbox:anna'],
      notBeforeMs: AT_MS,
      validUntilMs: AT_MS,
    },
  );

export const block = () =>
  decision(
    'BLOCK',
    {
      blocker: 'recipient_suppressed',
      outcome: 'suppressed',
      because: [
        {
          layer: 'data',
          source: 'crm',
          fact: 'suppression',
          verdict: 'fail',
          reason: 'recipient_suppressed',
          owner: 'client',
        },
      ],
    },
    {},
  );

export const outcome = () => ({
  ...head(),
  kind: 'OUTCOME' as const,
  dispatchId: 'd-1',
  recipientKey: DIGEST,
  outcomeSeq: 5,
  state: 'sent' as const,
  reason: 'accepted_by_server' as const,
  echo: 'matches' as const,
  recordedAtMs: AT_MS,
});

export const intervention = () => ({
  ...head(),
  kind: 'INTERVENTION' as const,
  command: 'hold_layer' as const,
  commandSeq: 6,
  actor: 'olga',
  reasonCode: 'incident' as const,
  dispatchId: 'd-1',
  target: { layer: 'campaign' as const, source: 'spring', cause: 'digest_drift' },
  scope: 'tenant' as const,
  recordedAtMs: AT_MS,
});

export const approval = () => ({
  ...head(),
  kind: 'APPROVAL' as const,
  approvalId: 'a-8',
  commandSeq: 8,
  actor: 'olga',
  reasonCode: 'reviewed' as const,
  dispatchId: 'd-1',
  actionDigest: DIGEST,
  expiresAtMs: AT_MS,
  recordedAtMs: AT_MS,
});

type AnyContract = MessageContract<{ v: string }, never>;
export const RECORDS: readonly (readonly [
  name: string,
  contract: AnyContract,
  record: () => { v: string },
])[] = [
  ['a hold', decisionRecorded, hold],
  ['a release', decisionRecorded, release],
  ['a block', decisionRecorded, block],
  ['an outcome', outcomeRecorded, outcome],
  ['an intervention', interventionRecorded, intervention],
  ['an approval', approvalRecorded, approval],
];
