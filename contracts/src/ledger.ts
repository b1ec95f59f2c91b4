import { z } from 'zod';
import { defineMessage, type MessageOf } from './define-message.ts';
import { cause, envelope, id, recipientKey, sequence, sha256, timeMs } from './scalars.ts';

const day = z.string().regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/);

/** A fold of a tenant's chain up to `chainSeq`; it only saves reading the chain again and proves nothing. */
export const ledgerSaved = defineMessage({
  name: 'ledger.state',
  stream: 'LEDGER',
  subject: (at: { p: number; tenantId: string }) => `ledger.${at.p}.${at.tenantId}.state`,
  schema: (object) =>
    object({
      ...envelope,
      chainSeq: sequence,
      chainHash: sha256,
      ordinal: sequence,
      lastRequestSeq: sequence,
      lastCommandSeq: sequence,
      lastOutcomeSeq: sequence,
      days: z.record(
        id,
        object({ day, used: sequence, budgetUsed: sequence, lastNotBeforeMs: timeMs }),
      ),
      domainBudgets: z.record(id, object({ day, used: sequence })),
      touches: z.record(
        recipientKey,
        object({
          count: sequence,
          lastAtMs: timeMs,
          mailbox: id,
          /** `campaign:step` of every release to this recipient. */
          steps: z.array(cause),
          /** Dispatches that are released and whose outcome is not known. */
          unresolved: z.array(id),
        }),
      ),
      approvals: z.record(id, object({ approvalId: id, actionDigest: sha256, expiresAtMs: timeMs })),
      released: z.record(id, object({ seq: sequence, recipientKey, constraintsDigest: sha256.nullable() })),
    }),
});
export type LedgerSaved = MessageOf<typeof ledgerSaved>;

/** An open hold: enough to decide again. `open: false` closes it. */
export const holdSaved = defineMessage({
  name: 'ledger.hold',
  stream: 'LEDGER',
  subject: (at: { p: number; tenantId: string; dispatchId: string }) =>
    `ledger.${at.p}.${at.tenantId}.hold.${at.dispatchId}`,
  schema: (object) =>
    object({
      ...envelope,
      dispatchId: id,
      open: z.boolean(),
      /** The record in DECISIONS that opened or last renewed it. */
      decisionSeq: sequence,
    }),
});
export type HoldSaved = MessageOf<typeof holdSaved>;
