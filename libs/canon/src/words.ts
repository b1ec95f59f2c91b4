/**
 * The fixed words of the product, once, as values and as types. Their order carries meaning where it
 * is said so. A word that is not in one of these lists does not exist on the wire.
 */

/** Nine layers, one machine each. The order is the display and the tie order. */
export const CANONICAL_BLOCKER_LAYERS = [
  'billing',
  'sending_domain',
  'mailbox',
  'provider_health',
  'governance',
  'continuity_window',
  'pacing',
  'campaign',
  'data',
] as const;
export type CanonicalBlockerLayer = (typeof CANONICAL_BLOCKER_LAYERS)[number];

export const OWNERS = ['client', 'orchestrate', 'operator'] as const;
export type Owner = (typeof OWNERS)[number];

/** `unknown` means: cannot be evaluated yet. It is never coerced into one of the other two. */
export const CHECK_VERDICTS = ['pass', 'fail', 'unknown'] as const;
export type CheckVerdict = (typeof CHECK_VERDICTS)[number];
/** The verdict of every verification surface, DNS first of all. */
export type CanonicalDnsCheck = CheckVerdict;

export const MANAGED_EXECUTION_STATES = [
  'ready',
  'executing',
  'cooling_down',
  'probation',
  'degraded',
  'grace',
  'unknown',
  'verifying',
  'provisioning',
  'scheduled',
  'client_action',
  'operator_review',
  'internal_fault',
] as const;
export type ManagedExecutionState = (typeof MANAGED_EXECUTION_STATES)[number];

export const READINESS_BUCKETS = [
  'ready_to_execute',
  'executing',
  'recovering',
  'degraded',
  'orchestrate_working',
  'client_action_required',
  'orchestrate_blocked_internal',
] as const;
export type ReadinessBucket = (typeof READINESS_BUCKETS)[number];

const BUCKET_OF: Record<ManagedExecutionState, ReadinessBucket> = {
  ready: 'ready_to_execute',
  executing: 'executing',
  cooling_down: 'recovering',
  probation: 'recovering',
  degraded: 'degraded',
  grace: 'degraded',
  unknown: 'orchestrate_working',
  verifying: 'orchestrate_working',
  provisioning: 'orchestrate_working',
  scheduled: 'orchestrate_working',
  client_action: 'client_action_required',
  operator_review: 'orchestrate_blocked_internal',
  internal_fault: 'orchestrate_blocked_internal',
};

/** Total and deterministic: each of the thirteen states has one of the seven buckets, none stays empty. */
export function stateToBucket(state: ManagedExecutionState): ReadinessBucket {
  return BUCKET_OF[state];
}

/** Worst first: when several causes stand in a layer, the first of these that has one shows. */
export const STATES_WORST_FIRST = [
  'operator_review',
  'client_action',
  'internal_fault',
  'cooling_down',
  'unknown',
  'verifying',
  'probation',
  'provisioning',
  'scheduled',
  'grace',
  'degraded',
  'executing',
  'ready',
] as const satisfies readonly ManagedExecutionState[];

export const LAYER_EVENTS = [
  'check_started',
  'check_passed',
  'check_failed_soft',
  'check_failed_hard',
  'check_inconclusive',
  'fact_expired',
  'check_exhausted',
  'setup_started',
  'setup_done',
  'run_started',
  'run_finished',
  'run_lost',
  'window_closed',
  'window_opened',
  'adverse_event',
  'cooldown_elapsed',
  'probation_passed',
  'probation_failed',
  'grace_expired',
  'operator_hold',
  'operator_released',
  'client_acted',
] as const;
export type LayerEventName = (typeof LAYER_EVENTS)[number];

/** From free to strict. A later one is never less careful than an earlier one. */
export const GOVERNANCE_MODES = ['autonomous', 'supervised', 'approval_required', 'draft_only'] as const;
export type GovernanceMode = (typeof GOVERNANCE_MODES)[number];

export const DISPATCH_DECISIONS = [
  'APPROVE',
  'DEGRADE_AND_APPROVE',
  'HOLD_FOR_CONTEXT',
  'HOLD_FOR_REPUTATION',
  'HOLD_FOR_REPLY_RISK',
  'HOLD_FOR_HUMAN_REVIEW',
  'BLOCK',
] as const;
export type DispatchDecision = (typeof DISPATCH_DECISIONS)[number];

export const DISPATCHING_DECISIONS = [
  'APPROVE',
  'DEGRADE_AND_APPROVE',
] as const satisfies readonly DispatchDecision[];
export type DispatchingDecision = (typeof DISPATCHING_DECISIONS)[number];

export function dispatches(decision: DispatchDecision): decision is DispatchingDecision {
  return (DISPATCHING_DECISIONS as readonly DispatchDecision[]).includes(decision);
}

/** The lattice, from permissive to final: of several outcomes the one further right decides. */
export const DECISIONS_MILD_TO_HARD = [
  'APPROVE',
  'DEGRADE_AND_APPROVE',
  'HOLD_FOR_CONTEXT',
  'HOLD_FOR_REPLY_RISK',
  'HOLD_FOR_REPUTATION',
  'HOLD_FOR_HUMAN_REVIEW',
  'BLOCK',
] as const satisfies readonly DispatchDecision[];

export function hardnessOf(decision: DispatchDecision): number {
  return DECISIONS_MILD_TO_HARD.indexOf(decision);
}

/** Hardest gate first: gate n of the audit is entry n - 1 here; a tie names the lowest number. */
export const DISPATCH_BLOCKERS = [
  'operator_freeze',
  'recipient_suppressed',
  'lawful_basis_absent',
  'not_entitled',
  'identity_unauthenticated',
  'mailbox_incapable',
  'reputation_unsafe',
  'reply_or_duplicate_risk',
  'context_insufficient',
  'human_authority_required',
] as const;
export type DispatchBlocker = (typeof DISPATCH_BLOCKERS)[number];

export const RATIONALE_QUESTIONS = [
  'whyProspect',
  'whyNow',
  'whyMailbox',
  'whyCta',
  'whyConfidence',
  'whyTone',
  'whyDispatchSafe',
  'whySilenceNotSafer',
] as const;
export type RationaleQuestion = (typeof RATIONALE_QUESTIONS)[number];

/** Closed answers: the left list supports a dispatch, the right one does not. */
export const RATIONALE_CODES = {
  whyProspect: {
    supports: [
      'icp_rule_match',
      'inbound_interest',
      'existing_customer',
      'referral',
      'prior_conversation',
      'verified_import',
    ],
    opposes: ['none_found', 'unknown'],
  },
  whyNow: {
    supports: ['trigger_recent', 'step_due', 'reply_owed', 'renewal_window', 'reactivation_due'],
    opposes: ['no_time_basis', 'too_soon', 'unknown'],
  },
  whyMailbox: {
    supports: ['thread_owner', 'account_owner', 'provider_match', 'best_headroom', 'only_eligible'],
    opposes: ['rotation_only', 'unknown'],
  },
  whyCta: {
    supports: ['question', 'resource', 'meeting', 'reply_request', 'opt_in', 'breakup'],
    opposes: ['stage_mismatch', 'multiple_ctas', 'unknown'],
  },
  whyConfidence: {
    supports: ['all_fresh_pass', 'pass_soft_fail', 'score_above_floor', 'bounded_unknown'],
    opposes: ['score_below_floor', 'conflicting', 'insufficient'],
  },
  whyTone: {
    supports: ['brand_match', 'thread_match', 'sector_formal', 'neutral_lint'],
    opposes: ['pressure_lint', 'unlinted', 'unknown'],
  },
  whyDispatchSafe: {
    supports: ['gates_pass', 'gates_pass_degraded', 'exploration_budget', 'approval_bound'],
    opposes: ['not_safe', 'unknown'],
  },
  whySilenceNotSafer: {
    supports: ['reply_owed', 'commitment_due', 'opted_in_expectation', 'step_within_touch_budget'],
    opposes: ['silence_safer', 'silence_equal'],
  },
} as const satisfies Record<RationaleQuestion, { supports: readonly string[]; opposes: readonly string[] }>;
export type RationaleCode<Q extends RationaleQuestion = RationaleQuestion> = {
  [K in Q]: (typeof RATIONALE_CODES)[K]['supports'][number] | (typeof RATIONALE_CODES)[K]['opposes'][number];
}[Q];

export function supportsDispatch(question: RationaleQuestion, code: string): boolean {
  return (RATIONALE_CODES[question].supports as readonly string[]).includes(code);
}

export const RISK_LEVELS = ['medium', 'high'] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

/**
 * Every risk has one level, one layer whose condition carries it, and the facts of that layer that it is read from.
 * A latched one is not over when those facts are: it is served first. None is counted while its facts are unknown.
 */
export const RISKS = {
  complaint_ge_0_10: {
    level: 'high',
    layer: 'pacing',
    latched: true,
    facts: ['complaints30d', 'complaints7d'],
  },
  hard_bounce_ge_5: { level: 'high', layer: 'pacing', latched: true, facts: ['hardBounces30d'] },
  domain_auth_failing: {
    level: 'high',
    layer: 'sending_domain',
    latched: false,
    facts: ['spf', 'dkim', 'dmarc', 'alignment'],
  },
  bounce_blind_mailbox: { level: 'high', layer: 'mailbox', latched: false, facts: ['canSeeBounces'] },
  identity_unscoped_or_scope_changed: {
    level: 'high',
    layer: 'mailbox',
    latched: true,
    facts: ['identityClass', 'scopeDrift'],
  },
  sector_regulated: { level: 'high', layer: 'governance', latched: false, facts: ['sector'] },
  jurisdiction_unknown: { level: 'high', layer: 'governance', latched: false, facts: ['jurisdiction'] },
  volume_jump_gt_2x: { level: 'high', layer: 'pacing', latched: false, facts: ['volumeRatio'] },
  hostile_or_legal_reply_24h: { level: 'high', layer: 'pacing', latched: true, facts: ['hostileReplies24h'] },
  template_digest_drift: { level: 'high', layer: 'campaign', latched: true, facts: ['approval'] },
  ai_fallback_or_unlinted_output: {
    level: 'high',
    layer: 'provider_health',
    latched: false,
    facts: ['fallbackInUse', 'outputLinted'],
  },
  data_provenance_unknown: { level: 'high', layer: 'data', latched: false, facts: ['provenanceShare'] },
  suppression_sync_stale: { level: 'high', layer: 'data', latched: false, facts: ['suppressionSyncAgeSec'] },
  unknown_share_ge_25pct: { level: 'high', layer: 'governance', latched: false, facts: [] },
  unresolved_outcomes: { level: 'high', layer: 'pacing', latched: false, facts: ['unresolvedOutcomes'] },
  audit_sink_unhealthy: { level: 'high', layer: 'governance', latched: false, facts: ['auditSink'] },
  clock_or_scheduler_fault: {
    level: 'high',
    layer: 'continuity_window',
    latched: false,
    facts: ['clockSkewMs', 'nextRun'],
  },
  sender_age_lt_14d: { level: 'medium', layer: 'mailbox', latched: false, facts: ['senderAgeDays'] },
  reputation_watch: { level: 'medium', layer: 'pacing', latched: false, facts: ['band'] },
  unsub_ge_1: { level: 'medium', layer: 'pacing', latched: false, facts: ['unsubs30d'] },
  verified_share_low: { level: 'medium', layer: 'data', latched: false, facts: ['verifiedShare'] },
  import_stale: { level: 'medium', layer: 'data', latched: false, facts: ['importAgeH'] },
  weak_dkim: { level: 'medium', layer: 'sending_domain', latched: false, facts: ['dkim'] },
  billing_grace: { level: 'medium', layer: 'billing', latched: false, facts: ['subscriptionStatus'] },
  domain_grace: {
    level: 'medium',
    layer: 'sending_domain',
    latched: false,
    facts: ['spf', 'dkim', 'dmarc', 'alignment'],
  },
  replies_unreadable: { level: 'medium', layer: 'mailbox', latched: false, facts: ['canReadReplies'] },
} as const satisfies Record<
  string,
  { level: RiskLevel; layer: CanonicalBlockerLayer; latched: boolean; facts: readonly string[] }
>;
export type RiskName = keyof typeof RISKS;
export const RISK_NAMES = Object.keys(RISKS) as readonly RiskName[];

/** A latched risk is first active (its own level), then serving (one medium), then cleared (absent). */
export const RISK_PHASES = ['active', 'serving'] as const;
export type RiskPhase = (typeof RISK_PHASES)[number];

/** A hold waits in the lane of the person who can end it, else in the watch lane. */
export const LANES = ['person', 'client', 'watch'] as const;
export type Lane = (typeof LANES)[number];

/** Why nothing may go out: a tenant's own freeze and the one of everything; ending one leaves the other. */
export const FREEZE_CAUSES = ['freeze', 'freeze_all'] as const;
export type FreezeCause = (typeof FREEZE_CAUSES)[number];

/** `reply_owed` and `commitment_due`: the recipient waits for this very message, an answer or what was promised. */
export const CONVERSATION_STATES = [
  'none',
  'replied',
  'out_of_office',
  'touched_by_colleague',
  'unknown',
  'reply_owed',
  'commitment_due',
] as const;
export type ConversationState = (typeof CONVERSATION_STATES)[number];
