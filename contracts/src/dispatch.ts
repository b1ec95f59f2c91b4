import { CONVERSATION_STATES, RATIONALE_CODES } from '@orchestrate/canon';
import { z } from 'zod';
import { type DraftOf, defineMessage, type ObjectBuilder } from './define-message.ts';
import { envelope, id, recipientKey, sha256, timeMs } from './scalars.ts';

export const PROSPECT_CODES = [
  ...RATIONALE_CODES.whyProspect.supports,
  ...RATIONALE_CODES.whyProspect.opposes,
] as const;

/** The action as the requester names it; who the recipient is stays behind a keyed digest. */
export const actionShape = (object: ObjectBuilder) =>
  object({
    campaign: id,
    step: z.number().int().min(1).max(20),
    mailbox: id,
    domain: id,
    importSource: id,
    recipientKey,
    recipientVerified: z.boolean(),
    prospect: z.enum(PROSPECT_CODES),
    conversation: z.enum(CONVERSATION_STATES),
    templateDigest: sha256,
  });

/** May this one message go out now? One request, one effective decision. */
export const dispatchRequested = defineMessage({
  name: 'dispatch.requested',
  stream: 'REQUESTS',
  subject: (at: { tenantId: string; dispatchId: string }) => `dispatch.${at.tenantId}.${at.dispatchId}`,
  schema: (object) =>
    object({
      ...envelope,
      dispatchId: id,
      requestedBy: id,
      requestedAtMs: timeMs,
      action: actionShape(object),
    }),
});
export type DispatchRequested = DraftOf<typeof dispatchRequested>;
