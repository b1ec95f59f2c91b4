import { z } from 'zod';
import { type DraftOf, defineMessage } from './define-message.ts';
import { envelope, id, sequence, sha256, timeMs, uuid } from './scalars.ts';

export const SETTLED_OUTCOMES = ['sent', 'not_sent', 'unknown'] as const;
export type SettledOutcome = (typeof SETTLED_OUTCOMES)[number];

export const OUTCOME_REASONS = [
  'accepted_by_server',
  'refused_by_server',
  'server_unavailable',
  'decision_expired',
  'constraint_not_honourable',
  'recipient_missing',
  'content_missing',
  'connection_lost_in_data',
  'sender_lost',
] as const;
export type OutcomeReason = (typeof OUTCOME_REASONS)[number];

/** Which reasons a settled outcome can have. */
const REASONS_OF: Readonly<Record<SettledOutcome, readonly OutcomeReason[]>> = {
  sent: ['accepted_by_server'],
  not_sent: [
    'refused_by_server',
    'server_unavailable',
    'decision_expired',
    'constraint_not_honourable',
    'recipient_missing',
    'content_missing',
  ],
  unknown: ['connection_lost_in_data', 'sender_lost'],
};

/**
 * Nothing -> claimed -> sent | not_sent | unknown, one subject a dispatch, compare-and-set: whoever writes `claimed`
 * first is the only one who may send.
 */
export const outcomeReported = defineMessage({
  name: 'outcome.reported',
  stream: 'OUTCOMES',
  subject: (at: { p: number; tenantId: string; dispatchId: string }) =>
    `outcome.${at.p}.${at.tenantId}.${at.dispatchId}`,
  schema: (object) =>
    object({
      ...envelope,
      dispatchId: id,
      state: z.enum(['claimed', ...SETTLED_OUTCOMES]),
      sender: id,
      /** Distinguishes one life of a sender from its next. */
      senderLife: uuid,
      decisionSeq: sequence,
      /** The digest of the constraints that were honoured; the echo that governance checks. */
      constraintsDigest: sha256.nullable(),
      reason: z.enum(OUTCOME_REASONS).nullable(),
      smtpCode: z.number().int().min(200).max(599).nullable(),
      atMs: timeMs,
    }).superRefine(({ state, reason }, context) => {
      const fits =
        state === 'claimed' ? reason === null : reason !== null && REASONS_OF[state].includes(reason);
      if (fits) return;
      const message =
        state === 'claimed'
          ? 'a claim has no reason yet'
          : `${state} takes one of ${REASONS_OF[state].join(', ')}`;
      context.addIssue({ code: 'custom', path: ['reason'], message });
    }),
});
export type OutcomeReported = DraftOf<typeof outcomeReported>;
