import { expect, test } from 'vitest';
import {
  CANONICAL_BLOCKER_LAYERS,
  CHECK_VERDICTS,
  DECISIONS_MILD_TO_HARD,
  DISPATCH_BLOCKERS,
  DISPATCH_DECISIONS,
  dispatches,
  GOVERNANCE_MODES,
  hardnessOf,
  LAYER_EVENTS,
  MANAGED_EXECUTION_STATES,
  RATIONALE_CODES,
  RATIONALE_QUESTIONS,
  READINESS_BUCKETS,
  RISK_NAMES,
  RISKS,
  STATES_WORST_FIRST,
  stateToBucket,
  supportsDispatch,
} from './words.ts';

const words = (text: string): string[] => text.trim().split(/\s+/);

test('the fixed words are these, in this order', () => {
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

test('thirteen states fall into seven buckets, none of them empty', () => {
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

test('of two causes in a layer the worse one shows, and every state has its place in that order', () => {
  expect(STATES_WORST_FIRST).toEqual(
    words(`operator_review client_action internal_fault cooling_down unknown verifying probation provisioning
      scheduled grace degraded executing ready`),
  );
  expect(STATES_WORST_FIRST.toSorted()).toEqual(MANAGED_EXECUTION_STATES.toSorted());
});

test('only the two mildest of seven decisions let a message out', () => {
  expect(DECISIONS_MILD_TO_HARD).toEqual(
    words(`APPROVE DEGRADE_AND_APPROVE HOLD_FOR_CONTEXT HOLD_FOR_REPLY_RISK HOLD_FOR_REPUTATION
      HOLD_FOR_HUMAN_REVIEW BLOCK`),
  );
  for (const decision of DISPATCH_DECISIONS) {
    expect(dispatches(decision)).toBe(hardnessOf(decision) < hardnessOf('HOLD_FOR_CONTEXT'));
  }
});

test('a code that does not support a dispatch is never taken for one that does', () => {
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

test('seventeen high and nine medium risks; five of the high ones are left by way of serving', () => {
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
