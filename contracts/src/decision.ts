import {
  CANONICAL_BLOCKER_LAYERS,
  CHECK_VERDICTS,
  CONVERSATION_STATES,
  constraintsSchema,
  DISPATCH_BLOCKERS,
  DISPATCH_DECISIONS,
  type DispatchBlocker,
  FREEZE_CAUSES,
  LANES,
  OWNERS,
  RATIONALE_QUESTIONS,
  REASONS,
  REQUEST_REASONS,
} from '@orchestrate/canon';
import { z } from 'zod';
import {
  citation,
  decidingOutcome,
  gateOutcome,
  isAnswerTo,
  isOutcomeOf,
  RULINGS,
  rationaleCode,
  restsOn,
} from './audit-words.ts';
import { type DraftOf, defineRecord } from './define-message.ts';
import { actionShape } from './dispatch.ts';
import { COMMANDS, commandTarget, INTERVENTION_REASONS } from './operator.ts';
import { OUTCOME_REASONS, SETTLED_OUTCOMES } from './outcome.ts';
import { budgetId, calendarDay, codeVersion, envelope, id, sequence, sha256, timeMs } from './scalars.ts';
import { modeSchema } from './truth.ts';

export const RECORD_KINDS = [
  ...DISPATCH_DECISIONS,
  'OUTCOME',
  'INTERVENTION',
  'APPROVAL',
  'MODE',
  'POLICY',
  'PROBE',
] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

export const DECISION_TRIGGERS = [
  'requested',
  'truth_changed',
  'config_changed',
  'policy_changed',
  'release_due',
  'operator',
  'expired',
] as const;

/** Every record of a tenant follows one before it: the chain is broken where these two do not fit. */
const chain = {
  /** 1 for the tenant's first record. */
  ordinal: z.number().int().min(1),
  /** Stream sequence of the tenant's previous record, 0 for the first. */
  prevSeq: sequence,
  /** SHA-256 of the bytes of the tenant's previous record; 64 zeros for the first. */
  prevHash: sha256,
  codeVersion,
};

const becauseShape = {
  layer: z.enum(CANONICAL_BLOCKER_LAYERS),
  source: id,
  fact: restsOn,
  verdict: z.enum(CHECK_VERDICTS),
  reason: z.enum([...REASONS, ...REQUEST_REASONS]),
  owner: z.enum(OWNERS),
};

const gateNumber = z.number().int().min(1).max(10);
const share = z.number().min(0).max(1);

/** A constraint that a reader does not know must not be dropped: without it more would be allowed than was. */
const constraints = constraintsSchema.extend({ budgetIds: z.array(budgetId).optional() });

function isDecidedBy(decision: { decidingBlocker: DispatchBlocker; decidingOutcome: string }): boolean {
  const { decidingBlocker: blocker, decidingOutcome: outcome } = decision;
  return isOutcomeOf(blocker, outcome) || RULINGS.some((ruling) => ruling === outcome);
}

/** The decision on a dispatch, which is also its audit record: no send can exist without it. */
export const decisionRecorded = defineRecord({
  name: 'decision.recorded',
  subject: (at: { p: number; tenantId: string; kind: RecordKind }) =>
    `decision.${at.p}.${at.tenantId}.${at.kind}`,
  schema: (object) =>
    object({
      ...envelope,
      ...chain,
      kind: z.enum(DISPATCH_DECISIONS),
      dispatchId: id,
      requestSeq: sequence,
      requestedBy: id,
      requestedAtMs: timeMs,
      /** The n-th decision on this dispatch; the last one is in effect. */
      attempt: z.number().int().min(1),
      trigger: z.enum(DECISION_TRIGGERS),
      decidedAtMs: timeMs,
      action: actionShape(object),
      actionDigest: sha256,
      recipient: object({
        suppression: z.enum(['clear', 'suppressed', 'unknown']),
        conversation: z.enum(CONVERSATION_STATES),
        touches: sequence,
        lastTouchAtMs: timeMs.nullable(),
        lastMailbox: id.nullable(),
        duplicate: z.boolean(),
        unresolvedOutcome: z.boolean(),
      }),
      reservation: object({
        slot: z.enum(['free', 'cap_reached', 'gap']),
        nextSlotAtMs: timeMs.nullable(),
        usedToday: sequence,
        budget: z.enum(['available', 'spent']),
        budgetIds: z.array(budgetId),
        headroom: object({ own: share, best: share, mailboxes: sequence }),
      }),
      /** Freezes on record when this was decided; older records do not say, and then only the truth did. */
      freezes: z.array(z.enum(FREEZE_CAUSES)).default([]),
      /** The slot that this record takes; only a dispatching decision takes one. */
      reserved: object({
        mailbox: id,
        day: calendarDay,
        ordinal: sequence,
      }).nullable(),
      truth: object({ seq: sequence, digest: sha256, fingerprint: sha256, epoch: sequence }).nullable(),
      fresh: z.boolean(),
      policyDigest: sha256,
      decidingGate: gateNumber,
      decidingBlocker: z.enum(DISPATCH_BLOCKERS),
      decidingOutcome,
      gates: z
        .array(
          object({
            gate: gateNumber,
            blocker: z.enum(DISPATCH_BLOCKERS),
            outcome: gateOutcome,
            decision: z.enum(DISPATCH_DECISIONS),
            because: z.array(object(becauseShape)),
            faulted: z.boolean(),
          }).refine(({ blocker, outcome }) => isOutcomeOf(blocker, outcome), {
            path: ['outcome'],
            message: 'not an outcome of this gate',
          }),
        )
        .length(10),
      rationale: z
        .array(
          object({
            question: z.enum(RATIONALE_QUESTIONS),
            code: rationaleCode,
            evidence: z.array(citation),
          }).refine(({ question, code }) => isAnswerTo(question, code), {
            path: ['code'],
            message: 'not an answer to this question',
          }),
        )
        .length(8),
      mode: modeSchema(object).nullable(),
      constraints: constraints.nullable(),
      constraintsDigest: sha256.nullable(),
      review: object({ required: z.literal(true), dueByMs: timeMs }).nullable(),
      approvalId: id.nullable(),
      budgetIds: z.array(budgetId),
      unblock: z.array(object({ ...becauseShape, gate: gateNumber })),
      lane: z.enum(LANES).nullable(),
      earliestReleaseMs: timeMs.nullable(),
      /** Of a hold: it ends in BLOCK / hold_expired after this. */
      expiresAtMs: timeMs.nullable(),
      /** Of a dispatching decision: a sender acts between these two, or not at all. */
      notBeforeMs: timeMs.nullable(),
      validUntilMs: timeMs.nullable(),
    }).refine(isDecidedBy, {
      path: ['decidingOutcome'],
      message: 'neither an outcome of this gate nor a ruling',
    }),
});
export type DecisionRecorded = DraftOf<typeof decisionRecorded>;

/** What became of a released send, in the tenant's own chain. */
export const outcomeRecorded = defineRecord({
  name: 'decision.outcome',
  subject: (at: { p: number; tenantId: string }) => `decision.${at.p}.${at.tenantId}.OUTCOME`,
  schema: (object) =>
    object({
      ...envelope,
      ...chain,
      kind: z.literal('OUTCOME'),
      dispatchId: id,
      recipientKey: sha256,
      outcomeSeq: sequence,
      state: z.enum(SETTLED_OUTCOMES),
      reason: z.enum(OUTCOME_REASONS),
      /** Whether the sender named the very constraints that it was given. */
      echo: z.enum(['matches', 'violated', 'none_required']),
      recordedAtMs: timeMs,
    }),
});
export type OutcomeRecorded = DraftOf<typeof outcomeRecorded>;

export const INTERVENTION_SCOPES = ['tenant', 'all'] as const;

/** A person acted: nothing takes effect without its record. */
export const interventionRecorded = defineRecord({
  name: 'decision.intervention',
  subject: (at: { p: number; tenantId: string }) => `decision.${at.p}.${at.tenantId}.INTERVENTION`,
  schema: (object) =>
    object({
      ...envelope,
      ...chain,
      kind: z.literal('INTERVENTION'),
      command: z.enum(COMMANDS),
      commandSeq: sequence,
      actor: id,
      reasonCode: z.enum(INTERVENTION_REASONS),
      dispatchId: id.nullable(),
      /** Of a hold or release of a layer: which one, and by what cause. */
      target: commandTarget(object).nullable(),
      /** Whether the command was for this tenant or for everyone; older records do not say. */
      scope: z.enum(INTERVENTION_SCOPES).nullable().default(null),
      recordedAtMs: timeMs,
    }),
});
export type InterventionRecorded = DraftOf<typeof interventionRecorded>;

/** A person released one exact action, for a while, once. */
export const approvalRecorded = defineRecord({
  name: 'decision.approval',
  subject: (at: { p: number; tenantId: string }) => `decision.${at.p}.${at.tenantId}.APPROVAL`,
  schema: (object) =>
    object({
      ...envelope,
      ...chain,
      kind: z.literal('APPROVAL'),
      approvalId: id,
      commandSeq: sequence,
      actor: id,
      reasonCode: z.enum(INTERVENTION_REASONS),
      dispatchId: id,
      actionDigest: sha256,
      expiresAtMs: timeMs,
      recordedAtMs: timeMs,
    }),
});
export type ApprovalRecorded = DraftOf<typeof approvalRecorded>;

export type ChainRecord = DecisionRecorded | OutcomeRecorded | InterventionRecorded | ApprovalRecorded;

export const GENESIS_HASH = '0'.repeat(64);
