import { describe, expect, test } from 'vitest';
import { conditionWith, NOW_MS, POLICY } from '../dispatch-case.test-support.ts';
import { FACTS, type FactSpec, type FactValue, WINDOW_REASONS } from '../facts.ts';
import { CANONICAL_BLOCKER_LAYERS, type CanonicalBlockerLayer } from '../words.ts';
import { ruleOf } from './index.ts';
import type { CauseWanted, KnownFacts } from './layer-rule.ts';

/**
 * What every closed value of every fact means beside answers that are all good: its failure with reason and owner,
 * the cause it calls for, the risks it carries. A value that is not listed passes and carries nothing.
 */
const MEANINGS = `
billing subscriptionStatus past_due: fail hard past_due client, risk billing_grace
billing subscriptionStatus incomplete: fail hard incomplete client, setup incomplete
billing subscriptionStatus incomplete_expired: fail hard incomplete_expired client
billing subscriptionStatus unpaid: fail hard unpaid client
billing subscriptionStatus canceled: fail hard canceled client
billing subscriptionStatus paused: fail hard paused client
billing paymentMethod expiring_30d: fail soft payment_expiring client
billing paymentMethod expired: fail soft payment_expired client
billing paymentMethod missing: fail soft payment_missing client
sending_domain spf fail: fail hard spf_fail client, risk domain_auth_failing
sending_domain spf softfail: fail hard spf_softfail client, risk domain_auth_failing
sending_domain spf neutral: fail hard spf_neutral client, risk domain_auth_failing
sending_domain spf none: fail hard spf_none client, risk domain_auth_failing
sending_domain spf permerror: fail hard spf_permerror client, risk domain_auth_failing
sending_domain dkim weak: fail soft dkim_weak client, risk weak_dkim
sending_domain dkim revoked: fail hard dkim_revoked client, risk domain_auth_failing
sending_domain dkim malformed: fail hard dkim_malformed client, risk domain_auth_failing
sending_domain dkim missing: fail hard dkim_missing client, risk domain_auth_failing
sending_domain dkim not_discoverable: fail hard dkim_not_discoverable client, risk domain_auth_failing
sending_domain dmarc none: fail hard dmarc_none client, risk domain_auth_failing
sending_domain dmarc multiple: fail hard dmarc_multiple client, risk domain_auth_failing
sending_domain dmarc invalid: fail hard dmarc_invalid client, risk domain_auth_failing
sending_domain alignment misaligned: fail hard misaligned client, risk domain_auth_failing
sending_domain oneClickSigned false: fail soft one_click_unsigned client
mailbox identityClass app_only_unscoped: hold identity_unscoped, risk identity_unscoped_or_scope_changed
mailbox scopeDrift true: hold scope_drift, risk identity_unscoped_or_scope_changed
mailbox throttled true: cooldown provider_throttles
mailbox canSend false: fail hard cannot_send client
mailbox canReadReplies false: fail soft replies_unreadable client, risk replies_unreadable
mailbox canSeeBounces false: fail soft bounces_invisible client, risk bounce_blind_mailbox
mailbox token invalid_grant: fail hard invalid_grant client
mailbox token inactive_unspecified: fail hard inactive_unspecified client
provider_health reachable false: unknown none provider_unreachable orchestrate
provider_health errorClass rate_limited: cooldown rate_limited
provider_health errorClass overloaded: cooldown overloaded
provider_health errorClass spend_limit: fail hard spend_limit orchestrate
provider_health errorClass auth: fail hard credential_refused orchestrate
provider_health errorClass timeout: fail soft errors_high orchestrate
provider_health errorClass server: fail soft errors_high orchestrate
provider_health fallbackInUse true: fail soft fallback_in_use orchestrate, risk ai_fallback_or_unlinted_output
provider_health outputLinted false: risk ai_fallback_or_unlinted_output
governance sector finance: risk sector_regulated
governance sector healthcare: risk sector_regulated
governance sector legal: risk sector_regulated
governance sector gambling: risk sector_regulated
governance sector political: risk sector_regulated
governance sector undeclared: fail hard sector_undeclared client
governance jurisdiction undeclared: fail hard jurisdiction_undeclared client, risk jurisdiction_unknown
governance lawfulBasis none: fail hard basis_absent client
governance lawfulBasis unknown: fail hard basis_unknown client
governance policyReadable false: fail hard policy_unreadable orchestrate
governance freeze true: hold freeze
governance auditSink down: fail hard audit_sink_down orchestrate, risk audit_sink_unhealthy
continuity_window window.open false: closure in_hours until an event
continuity_window windowReason tz_unknown: unknown none tz_unknown orchestrate
continuity_window lastRunOutcome never: unknown none never_ran orchestrate
continuity_window lastRunOutcome partial: fail soft last_run_partial orchestrate
continuity_window lastRunOutcome failed: fail soft last_run_failed orchestrate
continuity_window lastRunOutcome missed: fail soft last_run_missed orchestrate
continuity_window run running: lease run_holds_it
pacing band watch: fail soft band_watch orchestrate, risk reputation_watch
pacing band throttled: fail soft band_throttled orchestrate, risk reputation_watch
pacing band quarantined: fail soft band_quarantined orchestrate, cooldown band_quarantined
pacing band blocked: fail soft band_blocked orchestrate, hold band_blocked
pacing band insufficient_sample: unknown none insufficient_sample orchestrate
pacing band unobservable: unknown none unobservable orchestrate
campaign campaignState draft: fail hard campaign_draft client
campaign campaignState paused: closure campaign_paused until an event
campaign campaignState auto_paused: cooldown campaign_auto_paused
campaign campaignState done: closure campaign_done until an event
campaign approval none: fail hard not_approved client
campaign approval drifted: hold digest_drift, risk template_digest_drift
campaign lint warn: fail soft lint_warn client
campaign lint fail: fail hard lint_fail client
campaign address false: fail soft no_postal_address client
campaign optOut false: fail hard no_opt_out client
campaign bindings partial: fail soft bindings_partial client
campaign bindings broken: fail hard bindings_broken client
campaign run running: lease run_holds_it
data importState never: fail hard no_import client
data importState running: unknown none import_running client, setup import_running
data importState failed_client: fail hard import_failed_client client
data importState failed_internal: fail hard import_failed_internal orchestrate
`;

const lines = MEANINGS.trim().split('\n');
const EXPECTED = new Map(lines.map((line) => line.split(': ') as [string, string]));

const said = (cause: CauseWanted): string =>
  `${cause.kind} ${cause.cause}${'untilMs' in cause && cause.untilMs === null ? ' until an event' : ''}`;

const LATER_MS = NOW_MS + 1000;

function meaningOf(
  layer: CanonicalBlockerLayer,
  fact: string,
  told: Readonly<Record<string, FactValue>>,
): string {
  const rule = ruleOf(layer);
  const { facts } = conditionWith(layer, { facts: told });
  const known = Object.fromEntries(facts.map((one) => [one.fact, one.value])) as KnownFacts;
  const context = { policy: POLICY, atMs: NOW_MS };
  const { verdict, severity, reason, owner } = rule.judge(fact as never, known, context);
  const judged = verdict === 'pass' ? [] : [`${verdict} ${severity} ${reason} ${owner ?? rule.owner}`];
  const causes = (rule.causes?.(known, context) ?? []).map(said);
  const risks = (rule.risks?.(known, context) ?? []).map((risk) => `risk ${risk}`);
  return [...judged, ...causes, ...risks].join(', ');
}

const closedFacts = (layer: CanonicalBlockerLayer) =>
  Object.entries(FACTS[layer] as Record<string, FactSpec>).flatMap(([fact, spec]) => {
    if (spec.kind === 'number') return [];
    const values: readonly FactValue[] = spec.kind === 'enum' ? spec.values : [true, false];
    return values.map((value) => [`${layer} ${fact} ${value}`, fact, value] as const);
  });

describe.each(CANONICAL_BLOCKER_LAYERS)('%s [L6]', (layer) => {
  test.each(closedFacts(layer))('%s', (name, fact, value) => {
    expect(meaningOf(layer, fact, { [fact]: value })).toBe(EXPECTED.get(name) ?? '');
  });
});

test('nothing is listed that is no value of a fact [L6]', () => {
  const names: readonly string[] = CANONICAL_BLOCKER_LAYERS.flatMap(closedFacts).map(([name]) => name);
  expect([...EXPECTED.keys()].filter((name) => !names.includes(name))).toEqual([]);
  expect(EXPECTED.size).toBe(lines.length);
});

test.each<[string, CanonicalBlockerLayer, Record<string, FactValue>, string, string]>([
  [
    'no payment method in a trial',
    'billing',
    { subscriptionStatus: 'trialing', trialEndsAt: LATER_MS, paymentMethod: 'missing' },
    'paymentMethod',
    'fail hard payment_missing client',
  ],
  [
    'an expired one in a trial',
    'billing',
    { subscriptionStatus: 'trialing', trialEndsAt: LATER_MS, paymentMethod: 'expired' },
    'paymentMethod',
    'fail hard payment_expired client',
  ],
  [
    'no payment method in a trial that tells no end',
    'billing',
    { subscriptionStatus: 'trialing', paymentMethod: 'missing' },
    'paymentMethod',
    'fail soft payment_missing client',
  ],
  [
    'no payment method while all is paid',
    'billing',
    { trialEndsAt: LATER_MS, paymentMethod: 'missing' },
    'paymentMethod',
    'fail soft payment_missing client',
  ],
  [
    'a trial that runs, without a payment method',
    'billing',
    { subscriptionStatus: 'trialing', trialEndsAt: LATER_MS, paymentMethod: 'missing' },
    'subscriptionStatus',
    '',
  ],
  [
    'a trial that is over, without a payment method',
    'billing',
    { subscriptionStatus: 'trialing', trialEndsAt: NOW_MS, paymentMethod: 'missing' },
    'subscriptionStatus',
    'fail hard trial_over client',
  ],
  [
    'a trial that is over, with an expired one',
    'billing',
    { subscriptionStatus: 'trialing', trialEndsAt: NOW_MS, paymentMethod: 'expired' },
    'subscriptionStatus',
    'fail hard trial_over client',
  ],
  [
    'a trial that is over and can be paid',
    'billing',
    { subscriptionStatus: 'trialing', trialEndsAt: NOW_MS },
    'subscriptionStatus',
    '',
  ],
  [
    'a status that nobody knows',
    'billing',
    { subscriptionStatus: 'free_forever' },
    'subscriptionStatus',
    'unknown none unrecognised_value client',
  ],
  ['one send left', 'billing', { entitlementRemaining: 1 }, 'entitlementRemaining', ''],
  [
    'none left',
    'billing',
    { entitlementRemaining: 0 },
    'entitlementRemaining',
    'fail hard entitlement_used_up client',
  ],
  ['a quota of which one message is left', 'mailbox', { quotaUsed: 99, quotaDay: 100 }, 'quotaUsed', ''],
  [
    'a full quota',
    'mailbox',
    { quotaUsed: 100, quotaDay: 100 },
    'quotaUsed',
    'closure quota_full until an event',
  ],
  ['a quota that nobody told', 'mailbox', { quotaUsed: 100 }, 'quotaUsed', ''],
  [
    'a client’s own key that is refused',
    'provider_health',
    { errorClass: 'auth', clientKey: true },
    'errorClass',
    'fail hard credential_refused client',
  ],
  [
    'a client’s own limit',
    'provider_health',
    { errorClass: 'spend_limit', clientKey: true },
    'errorClass',
    'fail hard spend_limit client',
  ],
  ...WINDOW_REASONS.map(
    (windowReason): [string, CanonicalBlockerLayer, Record<string, FactValue>, string, string] => [
      `a window closed: ${windowReason}`,
      'continuity_window',
      { 'window.open': false, windowReason },
      'window.open',
      `closure ${windowReason} until an event`,
    ],
  ),
  [
    'a run overdue while the window is closed',
    'continuity_window',
    { 'window.open': false, nextRun: 1, cadenceSec: 1 },
    'nextRun',
    'closure in_hours until an event',
  ],
  [
    'a run overdue',
    'continuity_window',
    { nextRun: 1, cadenceSec: 1 },
    'nextRun',
    'fail hard run_overdue orchestrate, risk clock_or_scheduler_fault',
  ],
  ['no next run', 'continuity_window', { cadenceSec: 1 }, 'nextRun', ''],
  [
    'the last send of the day',
    'pacing',
    { sentToday: 50 },
    'sentToday',
    'closure cap_reached until an event',
  ],
  ['the last but one', 'pacing', { sentToday: 49 }, 'sentToday', ''],
  [
    'a hostile reply',
    'pacing',
    { hostileReplies24h: 1 },
    'hostileReplies24h',
    'risk hostile_or_legal_reply_24h',
  ],
  [
    'a variable without a value',
    'campaign',
    { unresolvedVars: 1 },
    'unresolvedVars',
    'fail hard variables_unresolved client',
  ],
  ['an import due now', 'data', { importDueAt: NOW_MS }, 'importState', ''],
  [
    'an import overdue',
    'data',
    { importDueAt: NOW_MS - 1 },
    'importState',
    'fail hard import_overdue client',
  ],
  ['an empty queue', 'data', { queueReady: 0 }, 'queueReady', 'closure queue_empty until an event'],
  [
    'an empty queue while nothing was imported',
    'data',
    { queueReady: 0, importState: 'never' },
    'queueReady',
    '',
  ],
])('%s [L6]', (_, layer, facts, fact, meaning) => {
  expect(meaningOf(layer, fact, facts)).toBe(meaning);
});

test('a quota, a cap and a grace that are told by their facts end when the facts say so [L33]', () => {
  const known = { subscriptionStatus: 'trialing', trialEndsAt: LATER_MS, paymentMethod: 'missing' };
  const context = { policy: POLICY, atMs: NOW_MS };
  expect(ruleOf('billing').judge('paymentMethod' as never, known, context).graceUntilMs).toBe(LATER_MS);
  const retryIn = (retryAfterSec?: number) =>
    ruleOf('provider_health').causes?.(
      { errorClass: 'rate_limited', ...(retryAfterSec ? { retryAfterSec } : {}) },
      context,
    );
  expect(retryIn(7)).toEqual([{ kind: 'cooldown', cause: 'rate_limited', untilMs: NOW_MS + 7000 }]);
  const cooldownMs = POLICY.providerHealth.cooldownSec * 1000;
  expect(retryIn()).toEqual([{ kind: 'cooldown', cause: 'rate_limited', untilMs: NOW_MS + cooldownMs }]);
  expect(ruleOf('data').causes?.({ importState: 'running' }, context)).toEqual([
    { kind: 'setup', cause: 'import_running', untilMs: NOW_MS + 3_600_000 },
  ]);
});

test('the moments at which an answer falls due are those that the facts name [L35]', () => {
  const due = (layer: CanonicalBlockerLayer, facts: KnownFacts) => ruleOf(layer).deadlines?.(facts);
  expect(due('billing', { trialEndsAt: LATER_MS })).toEqual([LATER_MS]);
  expect(due('billing', {})).toEqual([]);
  expect(due('data', { importDueAt: LATER_MS })).toEqual([LATER_MS]);
  expect(due('data', {})).toEqual([]);
});

test('closings and set-ups that follow the facts are named, so that they end with them [L32 L33]', () => {
  const follows = CANONICAL_BLOCKER_LAYERS.map((layer) => [layer, ruleOf(layer).follows ?? []]);
  expect(Object.fromEntries(follows)).toEqual({
    billing: ['incomplete'],
    sending_domain: [],
    mailbox: ['quota_full'],
    provider_health: [],
    governance: [],
    continuity_window: WINDOW_REASONS,
    pacing: ['cap_reached'],
    campaign: ['campaign_paused', 'campaign_done'],
    data: ['import_running', 'queue_empty'],
  });
});

test('a failing record is a medium risk while all that fails runs in its grace, and a high one otherwise [M7]', () => {
  const risks = (graceRunning: boolean) =>
    ruleOf('sending_domain').risks?.({ spf: 'none' }, { policy: POLICY, atMs: NOW_MS, graceRunning });
  expect(risks(true)).toEqual(['domain_grace']);
  expect(risks(false)).toEqual(['domain_auth_failing']);
});

test('a second import that runs takes nothing back of the first [L32]', () => {
  const context = { policy: POLICY, atMs: NOW_MS };
  const { background } = ruleOf('data').judge('importState' as never, { importState: 'running' }, context);
  expect(background).toBe(true);
});

test('the band of a mailbox is computed from its counts once they are there, and is what has to be requalified [L10]', () => {
  const { derive, requalifies } = ruleOf('pacing');
  const context = { policy: POLICY, atMs: NOW_MS };
  expect(requalifies).toBe('band');
  expect(derive?.({ delivered30d: 2000, hardBounces30d: 0 }, context)).toStrictEqual({ band: 'healthy' });
  expect(derive?.({ delivered30d: 2000 }, context)).toStrictEqual({ band: 'unobservable' });
  expect(derive?.({ hardBounces30d: 0 }, context)).toStrictEqual({});
});

test('what nobody told is no risk and calls for nothing [M7]', () => {
  for (const layer of CANONICAL_BLOCKER_LAYERS) {
    const context = { policy: POLICY, atMs: NOW_MS };
    expect(ruleOf(layer).risks?.({}, context) ?? [], layer).toEqual([]);
    expect(ruleOf(layer).causes?.({}, context) ?? [], layer).toEqual([]);
  }
  expect(ruleOf('pacing').causes?.({ capToday: 0 }, { policy: POLICY, atMs: NOW_MS })).toEqual([]);
});

test('a bad band is a failure of the band and not of the counts beside it [L6]', () => {
  const context = { policy: POLICY, atMs: NOW_MS };
  expect(
    ruleOf('pacing').judge('capToday' as never, { band: 'blocked', capToday: 50 }, context).verdict,
  ).toBe('pass');
});

test('a trial that is over is no matter of somebody who pays [L6]', () => {
  const told = { subscriptionStatus: 'active', trialEndsAt: NOW_MS, paymentMethod: 'missing' };
  expect(meaningOf('billing', 'subscriptionStatus', told)).toBe('');
});
