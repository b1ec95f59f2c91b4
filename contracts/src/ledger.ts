import { CANONICAL_BLOCKER_LAYERS, DISPATCH_DECISIONS, FREEZE_CAUSES, LANES } from '@orchestrate/canon';
import { z } from 'zod';
import { type DraftOf, defineMessage, type ObjectBuilder } from './define-message.ts';
import { actionShape } from './dispatch.ts';
import {
  calendarDay,
  campaignStep,
  envelope,
  id,
  recipientKey,
  sequence,
  sha256,
  timeMs,
} from './scalars.ts';

export const utcDay = calendarDay;

/** What was done to one recipient, and what of it is still open. */
export const touchShape = (object: ObjectBuilder) =>
  object({
    count: sequence,
    lastAtMs: timeMs,
    mailbox: id,
    /** `campaign:step` of every release. */
    steps: z.array(campaignStep),
    /** Released dispatches whose outcome has not arrived. */
    open: z.array(
      object({ dispatchId: id, seq: sequence, step: campaignStep, constraintsDigest: sha256.nullable() }),
    ),
    /** Dispatches whose outcome is unknown for good. */
    unresolved: z.array(id),
  });

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
      /** By mailbox: what was reserved on its newest day (UTC). */
      mailboxes: z.record(id, object({ day: utcDay, used: sequence, lastNotBeforeMs: timeMs })),
      /** By domain: what the exploration budget spent on its newest day. */
      domains: z.record(id, object({ day: utcDay, explored: sequence })),
      /** By dispatch: an approval that was given and not yet consumed. */
      approvals: z.record(id, object({ approvalId: id, actionDigest: sha256, expiresAtMs: timeMs })),
      /** Freezes that are on record and not lifted. */
      freezes: z.array(z.enum(FREEZE_CAUSES)).default([]),
      /** The record that the tenant leaves is in the chain. */
      offboarded: z.boolean().default(false),
      /**
       * Of a tenant that left: the touches whose releases await an outcome, which is all that is kept of them. Null
       * while it is here, and then touches and holds are saved for themselves.
       */
      awaited: z.record(recipientKey, touchShape(object)).nullable().default(null),
    }),
});
export type LedgerSaved = DraftOf<typeof ledgerSaved>;

/**
 * The touches of a tenant's recipients: of `all` of them, or, of a tenant that has many, of those whose keys begin with
 * one or two hex digits. Where a recipient stands in several, the one that is folded furthest counts.
 */
export const touchesSaved = defineMessage({
  name: 'ledger.touches',
  stream: 'LEDGER',
  subject: (at: { p: number; tenantId: string; bucket: string }) =>
    `ledger.${at.p}.${at.tenantId}.touches.${at.bucket}`,
  schema: (object) =>
    object({
      ...envelope,
      /** The chain up to here is folded into these touches; they may be ahead of the saved state. */
      chainSeq: sequence,
      touches: z.record(recipientKey, touchShape(object)),
    }),
});
export type TouchesSaved = DraftOf<typeof touchesSaved>;
export type Touch = TouchesSaved['touches'][string];

/** A hold that waits: enough to decide again. */
export const holdShape = (object: ObjectBuilder) =>
  object({
    dispatchId: id,
    requestSeq: sequence,
    requestedBy: id,
    requestedAtMs: timeMs,
    action: actionShape(object),
    /** Decisions on this dispatch so far. */
    attempt: sequence,
    kind: z.enum(DISPATCH_DECISIONS),
    /** SHA-256 over kind, cause and unblock set: only a change of these is worth a record. */
    substance: sha256,
    /** Layers that its unblock set is about. */
    layers: z.array(z.enum(CANONICAL_BLOCKER_LAYERS)),
    /** It waits for an answer that grew old rather than for one that has to change. */
    stale: z.boolean(),
    lane: z.enum(LANES).nullable(),
    releaseAtMs: timeMs.nullable(),
    expiresAtMs: timeMs,
    decisionSeq: sequence,
  });

/** An open hold; `hold: null` closes it. */
export const holdSaved = defineMessage({
  name: 'ledger.hold',
  stream: 'LEDGER',
  subject: (at: { p: number; tenantId: string; dispatchId: string }) =>
    `ledger.${at.p}.${at.tenantId}.hold.${at.dispatchId}`,
  schema: (object) => object({ ...envelope, hold: holdShape(object).nullable() }),
});
export type HoldSaved = DraftOf<typeof holdSaved>;
export type OpenHold = NonNullable<HoldSaved['hold']>;
