import { z } from 'zod';
import { SECTORS } from './facts.ts';
import { digestOf } from './fingerprint.ts';
import { GOVERNANCE_MODES } from './words.ts';

const seconds = z.number().int().min(0).max(31_536_000);
const share = z.number().min(0).max(1);
const count = z.number().int().min(0).max(10_000_000);
const mode = z.enum(GOVERNANCE_MODES);

/** What a degraded dispatch must honour; an unset field means unlimited. Units last in the names. */
export const constraintsSchema = z.strictObject({
  maxToday: count.optional(),
  maxPerHour: count.optional(),
  minGapSec: seconds.optional(),
  canary: z
    .strictObject({ size: count, holdSec: seconds, stopUnsub: count, stopComplaint: count })
    .optional(),
  recipientProvidersAllow: z.array(z.enum(['google', 'microsoft', 'yahoo', 'other'])).optional(),
  verifiedRecipientsOnly: z.boolean().optional(),
  newProspects: z.boolean().optional(),
  plainTextOnly: z.boolean().optional(),
  openTracking: z.boolean().optional(),
  clickTracking: z.boolean().optional(),
  maxLinks: count.optional(),
  attachments: z.boolean().optional(),
  aiGeneration: z.enum(['off', 'approved_template_only']).optional(),
  requireOneClick: z.boolean().optional(),
  sendDelaySec: seconds.optional(),
  budgetIds: z.array(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}:[a-z0-9][a-z0-9_-]{0,63}$/)).optional(),
  expiresAtMs: z.number().int().optional(),
});
export type Constraints = z.infer<typeof constraintsSchema>;

const band = z.strictObject({ complaint: share, hardBounce: share });

/** What a policy may demand: only what a reservation or a sender really holds to. */
const degradation = constraintsSchema.omit({ maxPerHour: true, minGapSec: true, canary: true });

/** Every threshold of the product, in one versioned document. Its digest stands in every decision. */
export const policySchema = z.strictObject({
  version: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/),
  maxAgeSec: z.strictObject({
    billing: seconds.min(120),
    dns: seconds.min(120),
    deliveredProof: seconds.min(120),
    token: seconds.min(120),
    scopes: seconds.min(120),
    providerHealth: seconds.min(120),
    config: seconds.min(120),
    feedbackLoop: seconds.min(120),
    campaign: seconds.min(120),
    bindings: seconds.min(120),
    import: seconds.min(120),
  }),
  heartbeatMaxSec: seconds.min(10),
  firstCheckSec: seconds.min(1),
  /** Tries without any answer, in number or in time, after which a person is called. */
  check: z.strictObject({ triesMax: count.min(1), exhaustedSec: seconds.min(1) }),
  /** Of numbers that are told by their band: left at this share of the edge; `low` is this share of what is allowed. */
  bands: z.strictObject({ leaveFactor: share, headroomLowShare: share }),
  billing: z.strictObject({ pastDueGraceDays: count, incompleteSec: seconds, entitlementLowSends: count }),
  sendingDomain: z.strictObject({
    graceSec: seconds,
    graceResetSec: seconds,
    spfLookupsMax: count,
    spfVoidLookupsMax: count,
  }),
  mailbox: z.strictObject({ throttleSec: seconds, probationReports: count.min(1) }),
  providerHealth: z.strictObject({
    samplesMin: count,
    p95BandsMs: z.tuple([count, count, count]),
    errorRatioMax: share,
    cooldownSec: seconds,
    probationReports: count.min(1),
  }),
  continuity: z.strictObject({ overdueCadences: count, clockSkewMaxMs: count, leaseSec: seconds.min(1) }),
  pacing: z.strictObject({
    sampleFloorDelivered: count,
    watch: band,
    throttled: band,
    quarantined: band,
    blocked: band,
    quarantineComplaints7d: count,
    smallSampleDelivered: count,
    leaveFactor: share,
    quarantineSec: seconds,
    /** The window of the counts, days. */
    windowDays: count.min(1),
    probationDelivered: count.min(1),
    capPerMailboxDay: count,
    minGapSec: seconds,
  }),
  campaign: z.strictObject({
    autoPauseSec: seconds,
    leaseSec: seconds.min(1),
    probationReports: count.min(1),
  }),
  data: z.strictObject({
    verifiedShareMin: share,
    provenanceShareMin: share,
    suppressionSyncMaxSec: seconds,
    importStaleH: count,
    importMaxSec: seconds.min(1),
  }),
  risk: z.strictObject({
    senderAgeDaysMin: count,
    volumeRatioMax: z.number().min(1),
    unknownShareMax: share,
    hardBounceDeliveredMin: count,
    unsubShareMax: share,
    unresolvedMin: count,
    unresolvedShareMax: share,
  }),
  sectorFloors: z.record(z.enum(SECTORS), mode),
  regulatedSectors: z.array(z.enum(SECTORS)),
  dispatch: z.strictObject({
    truthCadences: count.min(1),
    cadenceSec: seconds.min(1),
    staleWaitSec: seconds,
    decisionValidSec: seconds.min(1),
    holdValidSec: seconds.min(1),
    approvalValidSec: seconds.min(1),
    reviewWithinSec: seconds.min(1),
    explorationPerMailboxDay: count,
    explorationPerDomainDay: count,
    touchesMax: count,
    stepIntervalSec: seconds,
    /** Mailboxes whose headroom differs by no more than this share of their caps are equally good. */
    headroomTieShare: share,
  }),
  degradations: z.strictObject({
    not_entitled_grace: degradation,
    identity_soft: degradation,
    identity_grace_proven: degradation,
    mailbox_limited: degradation,
    reputation_watch: degradation,
    reputation_probation: degradation,
    reputation_sample_unknown_budgeted: degradation,
    context_no_ai: degradation,
  }),
});
export type Policy = z.infer<typeof policySchema>;

/** SHA-256 (hex) over the policy's canonical JSON: equal thresholds give equal digests. */
export function policyDigestOf(policy: Policy): string {
  return digestOf(policy);
}
