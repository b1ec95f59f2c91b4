import {
  CANONICAL_BLOCKER_LAYERS,
  CHECK_VERDICTS,
  DISPATCH_DECISIONS,
  GOVERNANCE_MODES,
  MANAGED_EXECUTION_STATES,
  OWNERS,
  READINESS_BUCKETS,
  REASONS,
  RISK_LEVELS,
  RISK_NAMES,
  RISK_PHASES,
} from '@orchestrate/canon';
import {
  approvalRecorded,
  COMMANDS,
  decisionRecorded,
  id,
  interventionRecorded,
  outcomeRecorded,
  outcomeReported,
  sequence,
  sha256,
  tenantConfigured,
  timeMs,
  truthRecorded,
} from '@orchestrate/contracts';
import { doctorReportSchema } from '@orchestrate/doctor';
import { z } from 'zod';
import { EXIT } from './exit-codes.ts';

/**
 * What each command prints with `--json`: one document a line. A field may be added; none is taken away or changes
 * its meaning without a new major version. Times are ms since the epoch (UTC), sequences are positions in a stream.
 */
const layer = z.enum(CANONICAL_BLOCKER_LAYERS);
const state = z.enum(MANAGED_EXECUTION_STATES);
const bucket = z.enum(READINESS_BUCKETS);
const owner = z.enum(OWNERS);
const reason = z.enum(REASONS);
const mode = z.enum(GOVERNANCE_MODES);
const count = z.number().int().min(0);
const share = z.number().min(0).max(1).nullable();
const record = z.union([
  decisionRecorded.strict,
  outcomeRecorded.strict,
  interventionRecorded.strict,
  approvalRecorded.strict,
]);
const storedRecord = z.strictObject({ seq: sequence, digest: sha256, record });
const rejectedRow = z.strictObject({ row: count, field: z.string().nullable(), problem: z.string() });
const campaign = z.strictObject({
  id,
  templateDigest: sha256,
  lint: z.enum(['pass', 'warn', 'fail']),
  problems: z.array(z.string()),
});
const tally = z.strictObject(
  Object.fromEntries(DISPATCH_DECISIONS.map((kind) => [kind, count])) as Record<
    (typeof DISPATCH_DECISIONS)[number],
    typeof count
  >,
);
/** Of a list that is long the first ones are listed, and `...More` says how many followed. */
const importedRows = z.strictObject({
  rows: count,
  accepted: count,
  duplicates: z.array(z.strictObject({ row: count, firstRow: count })),
  duplicatesMore: count,
  rejected: z.array(rejectedRow),
  rejectedMore: count,
  suppressed: count,
  suppressionRejected: z.array(rejectedRow),
  suppressionRejectedMore: count,
  suppressedLeads: count,
  /** Of the accepted, from 0 to 1; null when there is none. */
  verifiedShare: share,
  provenanceShare: share,
});
/** Of a command that a person gave: the record that it has in the tenant's chain. */
const commanded = z.strictObject({
  tenantId: id,
  command: z.enum(COMMANDS),
  ordinal: sequence,
  seq: sequence,
  actor: id,
  reasonCode: z.string(),
});
const target = z.strictObject({ layer, source: id, cause: z.string() });
const source = z.strictObject({
  source: id,
  enabled: z.boolean(),
  state,
  owner,
  reason,
  facts: z.array(
    z.strictObject({
      fact: z.string(),
      /** As it was observed last; of an unknown it is history, not an answer. */
      value: z.union([z.string(), z.number(), z.boolean()]).nullable(),
      verdict: z.enum(CHECK_VERDICTS),
      reason,
      owner,
      required: z.boolean(),
      observedAtMs: timeMs.nullable(),
      expiresAtMs: timeMs.nullable(),
    }),
  ),
});

export const OUTPUTS = {
  up: z.strictObject({
    up: z.literal(true),
    natsUrl: z.string(),
    dataDir: z.string(),
    services: z.array(z.string()),
    pid: count,
  }),
  down: z.strictObject({ up: z.literal(false), stopped: z.boolean() }),
  status: z.strictObject({
    up: z.literal(true),
    natsUrl: z.string(),
    startedAt: z.string(),
    services: z.array(
      z.strictObject({
        instance: z.string(),
        pid: count.nullable(),
        metricsUrl: z.url().nullable(),
        ok: z.boolean(),
        /** As the service tells of itself. */
        detail: z.record(z.string(), z.unknown()),
      }),
    ),
  }),
  doctor: doctorReportSchema,
  provision: z.strictObject({ provisioned: z.literal(true), policyDigest: sha256 }),
  'tenant apply': z.strictObject({ tenantId: id, sequence, campaigns: z.array(campaign) }),
  'tenant list': z.strictObject({
    tenantId: id,
    mode: mode.nullable(),
    epoch: sequence.nullable(),
    fresh: z.boolean(),
    notReady: z.array(z.strictObject({ layer, state, bucket, owner, reason })),
  }),
  'tenant show': z.strictObject({ config: tenantConfigured.strict, sequence }),
  'tenant offboard': z.strictObject({
    tenantId: id,
    already: z.boolean(),
    offboardedAtMs: timeMs,
    interventionOrdinal: sequence,
    /** Messages by stream or bucket. */
    erased: z.record(z.string(), count),
    kept: z.record(z.string(), count),
  }),
  'evidence apply': z.strictObject({
    tenantId: id,
    observedAtMs: timeMs,
    published: z.array(z.strictObject({ layer, source: id, sequence })),
  }),
  'leads import': importedRows.extend({ tenantId: id }),
  readiness: z.strictObject({
    tenantId: id,
    /** Where this truth stands in TRUTH. */
    seq: sequence,
    epoch: sequence,
    fingerprint: sha256,
    /** Up to when the truths of this tenant's partition are complete. */
    asOfMs: timeMs.nullable(),
    /** When not, everything reads unknown / truth_stale. */
    fresh: z.boolean(),
    mode: z.strictObject({ requested: mode, resolved: mode }),
    risks: z.array(
      z.strictObject({ risk: z.enum(RISK_NAMES), level: z.enum(RISK_LEVELS), phase: z.enum(RISK_PHASES) }),
    ),
    layers: z
      .array(
        z.strictObject({
          layer,
          owner,
          state,
          bucket,
          reason,
          validUntilMs: timeMs.nullable(),
          sources: z.array(source),
        }),
      )
      .length(CANONICAL_BLOCKER_LAYERS.length),
    unknowns: z.array(
      z.strictObject({ layer, source: id, fact: z.string(), reason, observedAtMs: timeMs.nullable() }),
    ),
    /** Stops that last until a time, and the samples that are taken after them. */
    recovering: z.array(
      z.strictObject({
        layer,
        source: id,
        cause: z.string(),
        untilMs: timeMs.nullable(),
        counted: z.number().nullable(),
      }),
    ),
    /** Sources that were asked in vain for so long that a person should look. */
    attention: z.array(z.strictObject({ layer, source: id })),
  }),
  truth: z.strictObject({
    seq: sequence,
    storedAtMs: timeMs,
    asOfMs: timeMs.nullable(),
    fresh: z.boolean(),
    /** The message as it stands in TRUTH. */
    truth: truthRecorded.strict,
  }),
  dispatch: z.strictObject({
    tenantId: id,
    campaign: id,
    step: count,
    import: importedRows,
    requested: count,
    already: count,
    decisions: tally,
    waiting: count,
    dispatches: z.array(
      z.strictObject({
        dispatchId: id,
        kind: z.enum(DISPATCH_DECISIONS),
        decidingGate: count,
        decidingOutcome: z.string(),
      }),
    ),
  }),
  decisions: storedRecord,
  explain: z.strictObject({
    decision: z.strictObject({ seq: sequence, digest: sha256, record: decisionRecorded.strict }),
    /** Every decision on this dispatch, oldest first. */
    attempts: z.array(
      z.strictObject({
        seq: sequence,
        attempt: count,
        kind: z.enum(DISPATCH_DECISIONS),
        trigger: z.string(),
        decidedAtMs: timeMs,
      }),
    ),
    /** What a sender reported last. */
    outcome: outcomeReported.strict.nullable(),
  }),
  freeze: commanded,
  unfreeze: commanded,
  hold: commanded.extend({ target }),
  release: commanded.extend({ target }),
  approve: commanded.extend({
    dispatchId: id,
    approvalId: id,
    expiresAtMs: timeMs,
    decision: z.enum(DISPATCH_DECISIONS),
  }),
  reject: commanded.extend({ dispatchId: id, decision: z.enum(DISPATCH_DECISIONS) }),
} as const satisfies Record<string, z.ZodType>;
export type OutputName = keyof typeof OUTPUTS;

/** What stands on stderr with `--json` when a command did not end with 0. */
export const ERROR_OUTPUT = z.strictObject({
  error: z.strictObject({
    code: z.enum(Object.keys(EXIT) as [string, ...string[]]),
    exitCode: z.number().int(),
    message: z.string(),
    problems: z
      .array(z.strictObject({ file: z.string(), line: count, path: z.string(), message: z.string() }))
      .optional(),
  }),
});
