import { CANONICAL_BLOCKER_LAYERS, type CanonicalBlockerLayer, requiredFacts } from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import { DAY_MS, type Facts, GOOD, HOUR_MS, SEC_MS, Story, T0 } from './layer-source.test-support.ts';

describe.each(CANONICAL_BLOCKER_LAYERS)('%s [L16]', (layer) => {
  test('is unknown before anybody looked, and ready when every answer is good', () => {
    expect(Story.of(layer).state).toBe('unknown');
    expect(Story.ready(layer).shows).toBe('ready ok');
  });

  test('is not ready while any one required answer is missing', () => {
    for (const fact of requiredFacts(layer)) {
      const { [fact]: _missing, ...rest } = GOOD[layer];
      // The band of a mailbox is ours to compute, from the counts.
      const without = fact === 'band' ? { capToday: 50 } : rest;
      expect(Story.of(layer).tell(without).state, fact).not.toBe('ready');
    }
  });
});

type Row = [string, Facts, string];
const shows = (layer: CanonicalBlockerLayer, rows: Row[]) =>
  describe(`${layer} that was ready before [L16]`, () => {
    test.each(rows)('%s', (_, facts, expected) => {
      expect(Story.ready(layer).after(SEC_MS).tell(facts).shows).toBe(expected);
    });
  });
const never = (layer: CanonicalBlockerLayer, rows: Row[]) =>
  describe(`${layer} that never was ready [L16]`, () => {
    test.each(rows)('%s', (_, facts, expected) => {
      expect(Story.of(layer).tellAll(facts).shows).toBe(expected);
    });
  });

shows('billing', [
  ['past due for three days', { subscriptionStatus: 'past_due', pastDueDays: 3 }, 'grace past_due'],
  ['past due for eight days', { subscriptionStatus: 'past_due', pastDueDays: 8 }, 'client_action past_due'],
  ['unpaid has no grace for having once been paid', { subscriptionStatus: 'unpaid' }, 'client_action unpaid'],
  ['canceled', { subscriptionStatus: 'canceled' }, 'client_action canceled'],
  ['a trial', { subscriptionStatus: 'trialing', trialEndsAt: T0 + DAY_MS }, 'ready ok'],
  [
    'a trial that cannot be paid',
    { subscriptionStatus: 'trialing', trialEndsAt: T0 + DAY_MS, paymentMethod: 'missing' },
    'grace payment_missing',
  ],
  [
    'a trial that is over',
    { subscriptionStatus: 'trialing', trialEndsAt: T0, paymentMethod: 'missing' },
    'client_action trial_over',
  ],
  ['payment about to expire', { paymentMethod: 'expiring_30d' }, 'degraded payment_expiring'],
  ['nothing left to send', { entitlementRemaining: 0 }, 'client_action entitlement_used_up'],
]);
never('billing', [
  ['incomplete', { subscriptionStatus: 'incomplete' }, 'provisioning incomplete'],
  [
    'incomplete and nothing left',
    { subscriptionStatus: 'incomplete', entitlementRemaining: 0 },
    'provisioning incomplete',
  ],
]);
shows('sending_domain', [
  ['a record that is gone', { spf: 'none' }, 'grace spf_none'],
  ['too many lookups', { spf: 'pass', spfLookups: 11 }, 'grace spf_too_many_lookups'],
  ['lookups told apart from their record', { spfLookups: 11 }, 'grace spf_too_many_lookups'],
  ['a weak key', { dkim: 'weak' }, 'degraded dkim_weak'],
  ['a weak key and no DMARC', { dkim: 'weak', dmarc: 'none' }, 'grace dmarc_none'],
]);
never('sending_domain', [
  ['no DMARC', { dmarc: 'none' }, 'client_action dmarc_none'],
  ['a probe that did not align', { alignment: 'misaligned' }, 'client_action misaligned'],
]);
shows('mailbox', [
  ['a grant taken back', { token: 'invalid_grant' }, 'client_action invalid_grant'],
  ['a send-only mailbox', { canSeeBounces: false, canReadReplies: false }, 'degraded replies_unreadable'],
  ['an unscoped application', { identityClass: 'app_only_unscoped' }, 'operator_review identity_unscoped'],
  ['a quota that is full', { quotaUsed: 100, quotaDay: 100 }, 'scheduled quota_full'],
]);
shows('provider_health', [
  ['not reached from here', { reachable: false }, 'unknown provider_unreachable'],
  ['too few samples', { samples5m: 4 }, 'unknown too_few_samples'],
  ['no money', { errorClass: 'spend_limit' }, 'internal_fault spend_limit'],
  ['the client’s own key', { errorClass: 'auth', clientKey: true }, 'client_action credential_refused'],
  ['overloaded', { errorClass: 'overloaded' }, 'cooling_down overloaded'],
  ['slow', { p95Ms: 20_001 }, 'degraded slow'],
  ['a fallback in use', { fallbackInUse: true }, 'degraded fallback_in_use'],
]);
shows('governance', [
  ['a freeze', { freeze: true }, 'operator_review freeze'],
  ['no basis', { lawfulBasis: 'none' }, 'client_action basis_absent'],
  ['no jurisdiction', { jurisdiction: 'undeclared' }, 'client_action jurisdiction_undeclared'],
  ['no sector', { sector: 'undeclared' }, 'client_action sector_undeclared'],
  ['no audit', { auditSink: 'down' }, 'internal_fault audit_sink_down'],
]);
shows('continuity_window', [
  ['closed', { 'window.open': false, windowReason: 'quiet_hours' }, 'scheduled quiet_hours'],
  ['never ran', { lastRunOutcome: 'never' }, 'provisioning never_ran'],
  ['a run that failed', { lastRunOutcome: 'failed' }, 'degraded last_run_failed'],
  ['an unknown time zone', { windowReason: 'tz_unknown' }, 'unknown tz_unknown'],
  ['a clock that is wrong', { clockSkewMs: 2001 }, 'unknown clock_skew'],
  ['a run long overdue', { nextRun: T0 - 3 * HOUR_MS, cadenceSec: 3600 }, 'internal_fault run_overdue'],
]);
shows('pacing', [
  ['a band to watch', { hardBounces30d: 40 }, 'degraded band_watch'],
  ['a throttled band', { hardBounces30d: 70 }, 'degraded band_throttled'],
  ['a quarantined band', { hardBounces30d: 100 }, 'cooling_down band_quarantined'],
  ['a blocked band', { hardBounces30d: 200 }, 'operator_review band_blocked'],
  ['today’s cap', { sentToday: 50 }, 'scheduled cap_reached'],
]);
never('pacing', [['too small a sample', { delivered30d: 99 }, 'provisioning insufficient_sample']]);
shows('campaign', [
  ['a draft', { campaignState: 'draft' }, 'client_action campaign_draft'],
  ['not approved yet', { approval: 'none' }, 'client_action not_approved'],
  ['changed after approval', { approval: 'drifted' }, 'operator_review digest_drift'],
  ['a finding of the lint', { lint: 'warn' }, 'degraded lint_warn'],
  ['half bound', { bindings: 'partial' }, 'degraded bindings_partial'],
  ['paused by us', { campaignState: 'auto_paused' }, 'cooling_down campaign_auto_paused'],
  ['paused by the client', { campaignState: 'paused' }, 'scheduled campaign_paused'],
  ['no way out', { optOut: false }, 'client_action no_opt_out'],
]);
shows('data', [
  ['an empty queue', { queueReady: 0 }, 'scheduled queue_empty'],
  ['a second import, which is background work', { importState: 'running' }, 'ready ok'],
  ['our own job failed', { importState: 'failed_internal' }, 'internal_fault import_failed_internal'],
  ['few verified addresses', { verifiedShare: 0.5 }, 'degraded verified_share_low'],
  ['an old suppression list', { suppressionSyncAgeSec: 301 }, 'unknown suppression_stale'],
  ['an import that is overdue', { importDueAt: T0 }, 'client_action import_overdue'],
]);
never('data', [
  ['no import ever', { importState: 'never' }, 'client_action no_import'],
  ['the first import', { importState: 'running' }, 'provisioning import_running'],
]);
