import { expect, test } from 'vitest';
import { AGE_CLASSES, FACTS, type FactSpec, isExplorable, requiredFacts, UNKNOWN_REASONS } from './facts.ts';
import { CANONICAL_BLOCKER_LAYERS } from './words.ts';

/** The whole catalogue once more: layer, fact, kind of age, whether its layer needs it, what it may be. */
const CATALOGUE = `
billing, subscriptionStatus, billing, required, active trialing past_due incomplete incomplete_expired unpaid canceled paused
billing, paymentMethod, billing, required, valid expiring_30d expired missing
billing, entitlementRemaining, folded, required, sends 0..1e15
billing, pastDueDays, billing, informs, days 0..1e15
billing, trialEndsAt, billing, informs, ms since epoch 0..1e15
sending_domain, spf, dns, required, pass fail softfail neutral none permerror
sending_domain, spfLookups, dns, informs, DNS terms 0..1e15
sending_domain, spfVoidLookups, dns, informs, DNS lookups 0..1e15
sending_domain, dkim, dns, required, valid weak revoked malformed missing not_discoverable
sending_domain, dkimKeyBits, dns, informs, bits 0..1e15
sending_domain, dmarc, dns, required, present none multiple invalid
sending_domain, dmarcPolicy, dns, informs, none quarantine reject
sending_domain, alignment, deliveredProof, required, aligned misaligned, missing no_delivered_proof
sending_domain, oneClickSigned, deliveredProof, informs, yes/no
mailbox, provider, config, informs, gmail graph smtp_imap
mailbox, identityClass, scopes, required, user shared alias group service_delegated app_only_scoped app_only_unscoped consumer role
mailbox, scopeDrift, scopes, informs, yes/no
mailbox, canSend, scopes, required, yes/no
mailbox, canReadReplies, scopes, required, yes/no
mailbox, canSeeBounces, scopes, required, yes/no
mailbox, token, token, required, active refreshable invalid_grant inactive_unspecified
mailbox, throttled, token, informs, yes/no
mailbox, retryAfterSec, token, informs, s 0..1e15
mailbox, quotaUsed, folded, informs, messages 0..1e15
mailbox, quotaDay, folded, informs, messages 0..1e15
mailbox, senderAgeDays, scopes, informs, days 0..1e15
provider_health, reachable, providerHealth, required, yes/no
provider_health, p95Ms, providerHealth, required, ms 0..1e15
provider_health, errorRatio5m, providerHealth, required, share 0..1
provider_health, samples5m, providerHealth, required, requests 0..1e15
provider_health, errorClass, providerHealth, required, none rate_limited overloaded spend_limit auth timeout server
provider_health, fallback, providerHealth, informs, ready none unknown
provider_health, fallbackInUse, providerHealth, informs, yes/no
provider_health, outputLinted, providerHealth, informs, yes/no
provider_health, retryAfterSec, providerHealth, informs, s 0..1e15
provider_health, clientKey, config, informs, yes/no
governance, requestedMode, config, required, autonomous supervised approval_required draft_only
governance, sector, config, required, general technology education finance healthcare legal gambling political undeclared
governance, operatorFloor, folded, informs, autonomous supervised approval_required draft_only
governance, jurisdiction, config, required, eu uk us ca au other undeclared
governance, lawfulBasis, config, required, consent customer legitimate_interest none unknown
governance, policyReadable, folded, informs, yes/no
governance, freeze, folded, required, yes/no
governance, auditSink, folded, informs, healthy down
continuity_window, window.open, folded, required, yes/no
continuity_window, windowReason, folded, required, operator_freeze maintenance tenant_paused tz_unknown holiday quiet_hours out_of_hours in_hours
continuity_window, lastRun, folded, informs, ms since epoch 0..1e15
continuity_window, nextRun, folded, informs, ms since epoch 0..1e15
continuity_window, lastRunOutcome, folded, required, never completed partial failed missed, missing never_ran
continuity_window, cadenceSec, folded, informs, s 0..1e15
continuity_window, clockSkewMs, folded, informs, ms 0..1e15
continuity_window, run, folded, informs, idle running
pacing, sentToday, folded, informs, messages 0..1e15
pacing, capToday, folded, required, messages 0..1e15
pacing, minGapSec, folded, informs, s 0..1e15
pacing, delivered30d, folded, required, messages 0..1e15
pacing, hardBounces30d, folded, required, messages 0..1e15
pacing, complaints30d, feedbackLoop, informs, messages 0..1e15
pacing, complaints7d, feedbackLoop, informs, messages 0..1e15
pacing, unsubs30d, folded, informs, messages 0..1e15
pacing, deferral1h, folded, informs, messages 0..1e15
pacing, hostileReplies24h, folded, informs, messages 0..1e15
pacing, unresolvedOutcomes, folded, informs, messages 0..1e15
pacing, volumeRatio, folded, informs, ratio 0..1e15
pacing, band, folded, required, healthy watch throttled quarantined blocked insufficient_sample unobservable
pacing, deliveredTotal, folded, informs, messages 0..1e15
pacing, hardBouncesTotal, folded, informs, messages 0..1e15
pacing, complaintsTotal, feedbackLoop, informs, messages 0..1e15
campaign, campaignState, campaign, required, draft active paused auto_paused done
campaign, approval, campaign, required, none current drifted
campaign, lint, campaign, required, pass warn fail
campaign, unresolvedVars, campaign, required, variables 0..1e15
campaign, address, campaign, informs, yes/no
campaign, optOut, campaign, required, yes/no
campaign, oneClick, campaign, informs, yes/no
campaign, bindings, bindings, required, bound partial broken
campaign, run, folded, informs, idle running
campaign, cta, campaign, informs, question resource meeting reply_request opt_in breakup multiple_ctas
campaign, tone, campaign, informs, brand_match sector_formal neutral_lint pressure_lint unlinted
data, importState, import, required, never running done failed_client failed_internal
data, queueReady, folded, informs, leads 0..1e15
data, verifiedShare, import, informs, share 0..1
data, provenanceShare, import, informs, share 0..1
data, importAgeH, import, informs, h 0..1e15
data, importDueAt, import, informs, ms since epoch 0..1e15
data, suppressionSyncAgeSec, folded, informs, s 0..1e15
`;

function described(fact: string, spec: FactSpec): string {
  const values =
    spec.kind === 'enum'
      ? spec.values.join(' ')
      : spec.kind === 'boolean'
        ? 'yes/no'
        : `${spec.unit} ${spec.min}..${spec.max === 1e15 ? '1e15' : spec.max}`;
  const missing = spec.missing ? [`missing ${spec.missing}`] : [];
  return [fact, spec.age, spec.required ? 'required' : 'informs', values, ...missing].join(', ');
}

test('every fact is as the catalogue says: what it may be, how it ages, whether its layer needs it [L5]', () => {
  const found = CANONICAL_BLOCKER_LAYERS.flatMap((layer) =>
    Object.entries(FACTS[layer] as Record<string, FactSpec>).map(
      ([fact, spec]) => `${layer}, ${described(fact, spec)}`,
    ),
  );
  expect(found).toEqual(CATALOGUE.trim().split('\n'));
});

test('the facts that a layer needs are those, and no other [L8]', () => {
  for (const layer of CANONICAL_BLOCKER_LAYERS) {
    const lines = CATALOGUE.split('\n').filter((line) => line.startsWith(`${layer}, `));
    const needed = lines.filter((line) => line.includes(', required, ')).map((line) => line.split(', ')[1]);
    expect(requiredFacts(layer)).toEqual(needed);
  }
});

test('every kind of age is one that some fact has [L5]', () => {
  const used = CATALOGUE.trim()
    .split('\n')
    .map((line) => line.split(', ')[2]);
  expect(new Set(used)).toEqual(new Set([...AGE_CLASSES, 'folded']));
});

test('a budget explores under two unknowns only, and there are no other unknowns than these [L9 G30]', () => {
  expect(UNKNOWN_REASONS.filter(isExplorable)).toEqual(['insufficient_sample', 'unobservable']);
  expect(UNKNOWN_REASONS.join(' ')).toBe(
    'insufficient_sample unobservable never_ran no_delivered_proof never_observed expired no_answer timeout ' +
      'servfail refused unreachable disagreement multiple_keys name_too_long tz_unknown unrecognised_value ' +
      'too_few_samples recheck_requested probe_fault handler_fault heartbeat_lost truth_stale',
  );
});
