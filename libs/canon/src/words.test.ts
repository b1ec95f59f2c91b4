import { expect, test } from 'vitest';
import {
  CANONICAL_BLOCKER_LAYERS,
  CHECK_VERDICTS,
  CONVERSATION_STATES,
  DECISIONS_MILD_TO_HARD,
  DISPATCH_BLOCKERS,
  DISPATCH_DECISIONS,
  dispatches,
  FREEZE_CAUSES,
  GOVERNANCE_MODES,
  hardnessOf,
  LANES,
  LAYER_EVENTS,
  MANAGED_EXECUTION_STATES,
  OWNERS,
  RATIONALE_CODES,
  RATIONALE_QUESTIONS,
  READINESS_BUCKETS,
  RISK_LEVELS,
  RISK_NAMES,
  RISK_PHASES,
  RISKS,
  STATES_WORST_FIRST,
  stateToBucket,
  supportsDispatch,
} from './words.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

test('the fixed words are these, in this order [L1]', () => {
  expect(CANONICAL_BLOCKER_LAYERS).toEqual(
    words('billing sending_domain mailbox provider_health governance continuity_window pacing campaign data'),
  );
  expect(CHECK_VERDICTS).toEqual(words('pass fail unknown'));
  expect(GOVERNANCE_MODES).toEqual(words('autonomous supervised approval_required draft_only'));
  expect(DISPATCH_DECISIONS).toEqual(
    words(`APPROVE DEGRADE_AND_APPROVE HOLD_FOR_CONTEXT HOLD_FOR_REPUTATION HOLD_FOR_REPLY_RISK
      HOLD_FOR_HUMAN_REVIEW BLOCK`),
  );
  expect(DISPATCH_BLOCKERS).toEqual(
    words(`operator_freeze recipient_suppressed lawful_basis_absent not_entitled identity_unauthenticated
      mailbox_incapable reputation_unsafe reply_or_duplicate_risk context_insufficient human_authority_required`),
  );
  expect(RATIONALE_QUESTIONS).toEqual(
    words(`whyProspect whyNow whyMailbox whyCta whyConfidence whyTone whyDispatchSafe whySilenceNotSafer`),
  );
  expect(LAYER_EVENTS).toEqual(
    words(`check_started check_passed check_failed_soft check_failed_hard check_inconclusive fact_expired
      check_exhausted setup_started setup_done run_started run_finished run_lost window_closed window_opened
      adverse_event cooldown_elapsed probation_passed probation_failed grace_expired operator_hold
      operator_released client_acted`),
  );
});

test('thirteen states fall into seven buckets, none of them empty [L3]', () => {
  const found = Object.fromEntries(
    READINESS_BUCKETS.map((bucket) => [
      bucket,
      MANAGED_EXECUTION_STATES.filter((state) => stateToBucket(state) === bucket),
    ]),
  );
  expect(found).toEqual({
    ready_to_execute: ['ready'],
    executing: ['executing'],
    recovering: ['cooling_down', 'probation'],
    degraded: ['degraded', 'grace'],
    orchestrate_working: ['unknown', 'verifying', 'provisioning', 'scheduled'],
    client_action_required: ['client_action'],
    orchestrate_blocked_internal: ['operator_review', 'internal_fault'],
  });
  expect(MANAGED_EXECUTION_STATES).toHaveLength(13);
  expect(READINESS_BUCKETS).toHaveLength(7);
});

test('of two causes in a layer the worse one shows, and every state has its place in that order [L4]', () => {
  expect(STATES_WORST_FIRST).toEqual(
    words(`operator_review client_action internal_fault cooling_down unknown verifying probation provisioning
      scheduled grace degraded executing ready`),
  );
  expect(STATES_WORST_FIRST.toSorted()).toEqual(MANAGED_EXECUTION_STATES.toSorted());
});

test('only the two mildest of seven decisions let a message out [G14]', () => {
  expect(DECISIONS_MILD_TO_HARD).toEqual(
    words(`APPROVE DEGRADE_AND_APPROVE HOLD_FOR_CONTEXT HOLD_FOR_REPLY_RISK HOLD_FOR_REPUTATION
      HOLD_FOR_HUMAN_REVIEW BLOCK`),
  );
  for (const decision of DISPATCH_DECISIONS) {
    expect(dispatches(decision)).toBe(hardnessOf(decision) < hardnessOf('HOLD_FOR_CONTEXT'));
  }
});

test('a code that does not support a dispatch is never taken for one that does [G18]', () => {
  const opposing = RATIONALE_QUESTIONS.flatMap((question) => {
    const { supports, opposes } = RATIONALE_CODES[question];
    for (const code of supports) expect(supportsDispatch(question, code)).toBe(true);
    for (const code of opposes) expect(supportsDispatch(question, code)).toBe(false);
    return opposes as readonly string[];
  });
  expect(supportsDispatch('whyNow', 'whatever')).toBe(false);
  expect(opposing).toEqual(
    words(`none_found unknown no_time_basis too_soon unknown rotation_only unknown stage_mismatch multiple_ctas
      unknown score_below_floor conflicting insufficient pressure_lint unlinted unknown not_safe unknown
      silence_safer silence_equal`),
  );
});

test('seventeen high and nine medium risks; five of the high ones are left by way of serving [M7]', () => {
  const named = (filter: (risk: (typeof RISKS)[keyof typeof RISKS]) => boolean) =>
    RISK_NAMES.filter((name) => filter(RISKS[name]));
  expect(named((risk) => risk.level === 'high')).toHaveLength(17);
  expect(named((risk) => risk.level === 'medium')).toEqual(
    words(`sender_age_lt_14d reputation_watch unsub_ge_1 verified_share_low import_stale weak_dkim billing_grace
      domain_grace replies_unreadable`),
  );
  expect(named((risk) => risk.latched)).toEqual(
    words(`complaint_ge_0_10 hard_bounce_ge_5 identity_unscoped_or_scope_changed hostile_or_legal_reply_24h
      template_digest_drift`),
  );
});

test('the smaller lists are these [L1]', () => {
  expect(OWNERS).toEqual(words('client orchestrate operator'));
  expect(RISK_LEVELS).toEqual(words('medium high'));
  expect(RISK_PHASES).toEqual(words('active serving'));
  expect(LANES).toEqual(words('person client watch'));
  expect(FREEZE_CAUSES).toEqual(words('freeze freeze_all'));
  expect(CONVERSATION_STATES).toEqual(
    words('none replied out_of_office touched_by_colleague unknown reply_owed commitment_due'),
  );
});

test('the answers that support a dispatch are these [G18]', () => {
  const supporting = RATIONALE_QUESTIONS.flatMap((question) => RATIONALE_CODES[question].supports);
  expect(supporting).toEqual(
    words(`icp_rule_match inbound_interest existing_customer referral prior_conversation verified_import
      trigger_recent step_due reply_owed renewal_window reactivation_due
      thread_owner account_owner provider_match best_headroom only_eligible
      question resource meeting reply_request opt_in breakup
      all_fresh_pass pass_soft_fail score_above_floor bounded_unknown
      brand_match thread_match sector_formal neutral_lint
      gates_pass gates_pass_degraded exploration_budget approval_bound
      reply_owed commitment_due opted_in_expectation step_within_touch_budget`),
  );
});

test('every risk belongs to the layer whose facts tell it [M7]', () => {
  const byLayer = CANONICAL_BLOCKER_LAYERS.map((layer) => [
    layer,
    RISK_NAMES.filter((name) => RISKS[name].layer === layer).join(' '),
  ]);
  expect(Object.fromEntries(byLayer)).toEqual({
    billing: 'billing_grace',
    sending_domain: 'domain_auth_failing weak_dkim domain_grace',
    mailbox: 'bounce_blind_mailbox identity_unscoped_or_scope_changed sender_age_lt_14d replies_unreadable',
    provider_health: 'ai_fallback_or_unlinted_output',
    governance: 'sector_regulated jurisdiction_unknown unknown_share_ge_25pct audit_sink_unhealthy',
    continuity_window: 'clock_or_scheduler_fault',
    pacing:
      'complaint_ge_0_10 hard_bounce_ge_5 volume_jump_gt_2x hostile_or_legal_reply_24h unresolved_outcomes reputation_watch unsub_ge_1',
    campaign: 'template_digest_drift',
    data: 'data_provenance_unknown suppression_sync_stale verified_share_low import_stale',
  });
});
