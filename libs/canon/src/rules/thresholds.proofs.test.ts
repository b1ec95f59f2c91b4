import { describe, expect, test } from 'vitest';
import { bandOf } from '../bands.ts';
import { caseWith, conditionWith, DAY_MS, NOW_MS, POLICY } from '../dispatch-case.test-support.ts';
import type { FactValue } from '../facts.ts';
import { type Policy, policySchema } from '../policy.ts';
import { answerRationale } from '../rationale.ts';
import type { CanonicalBlockerLayer, RationaleQuestion } from '../words.ts';
import { ruleOf } from './index.ts';
import type { CauseWanted, KnownFacts } from './layer-rule.ts';
import { pacingBand } from './pacing.ts';

type Facts = Readonly<Record<string, FactValue>>;
/** What a value of this size means under a policy, in words. */
type Look = (value: number, policy: Policy) => string;
interface Edge {
  readonly threshold: string;
  /** How far beside the threshold it is looked at. */
  readonly step: number;
  readonly look: Look;
  readonly below: string;
  readonly at: string;
  readonly above: string;
}

const DELIVERED = 1_000_000;
const HOUR_SEC = 3600;

const knownWith = (layer: CanonicalBlockerLayer, facts: Facts): KnownFacts => {
  const { facts: known } = conditionWith(layer, { facts });
  return Object.fromEntries(known.map(({ fact, value }) => [fact, value])) as KnownFacts;
};

/** The judgement of one fact. */
const judged =
  (layer: CanonicalBlockerLayer, fact: string, factsOf: (value: number) => Facts): Look =>
  (value, policy) => {
    const known = knownWith(layer, factsOf(value));
    return ruleOf(layer).judge(fact as never, known, { policy, atMs: NOW_MS }).reason;
  };
const fact =
  (layer: CanonicalBlockerLayer, name: string): Look =>
  (value, policy) =>
    judged(layer, name, (told) => ({ [name]: told }))(value, policy);

const risks =
  (layer: CanonicalBlockerLayer, factsOf: (value: number) => Facts): Look =>
  (value, policy) => {
    const known = knownWith(layer, factsOf(value));
    return ruleOf(layer).risks!(known, { policy, atMs: NOW_MS }).join(' ') || 'none';
  };

const band =
  (layer: CanonicalBlockerLayer, name: string): Look =>
  (value, policy) =>
    String(bandOf(layer, name, { [name]: value }, undefined, policy));

const reputation =
  (factsOf: (value: number, policy: Policy) => Facts): Look =>
  (value, policy) =>
    String(pacingBand({ hardBounces30d: 0, ...factsOf(value, policy) }, { policy, atMs: NOW_MS }));

/** Where a moment so many seconds from now lies in a span that begins now. */
const span =
  (untilMs: (policy: Policy) => number): Look =>
  (sec, policy) =>
    ['inside', 'end', 'over'][Math.sign(NOW_MS + sec * 1000 - untilMs(policy)) + 1]!;
const causeUntil = (layer: CanonicalBlockerLayer, facts: Facts) =>
  span((policy) => {
    const causes = ruleOf(layer).causes!(knownWith(layer, facts), { policy, atMs: NOW_MS });
    const timed = causes as readonly Extract<CauseWanted, { untilMs: unknown }>[];
    return timed[0]!.untilMs!;
  });

const answer =
  (question: RationaleQuestion, recipientOf: (value: number) => Parameters<typeof caseWith>[0]): Look =>
  (value, policy) => {
    const answers = answerRationale({ ...caseWith(recipientOf(value)), policy });
    return answers.find((one) => one.question === question)!.code;
  };

const edge = (
  threshold: string,
  look: Look,
  [below, at, above]: readonly [string, string, string],
  step = 1,
): Edge => ({ threshold, look, below, at, above, step });

const rate = (name: 'complaints30d' | 'hardBounces30d') =>
  reputation((share) => ({ delivered30d: DELIVERED, [name]: share * DELIVERED }));
const rates = (name: 'watch' | 'throttled' | 'quarantined' | 'blocked', milder: string) => [
  edge(`pacing.${name}.complaint`, rate('complaints30d'), [milder, name, name], 1e-6),
  edge(`pacing.${name}.hardBounce`, rate('hardBounces30d'), [milder, name, name], 1e-6),
];
const riskOfRate = (name: 'complaints30d' | 'hardBounces30d') =>
  risks('pacing', (share) => ({ delivered30d: DELIVERED, hardBounces30d: 0, [name]: share * DELIVERED }));
const SPAN = ['inside', 'end', 'over'] as const;

const EDGES: readonly Edge[] = [
  edge(
    'billing.pastDueGraceDays',
    (days, policy) => {
      const known = knownWith('billing', { subscriptionStatus: 'past_due', pastDueDays: days });
      const { graceUntilMs } = ruleOf('billing').judge('subscriptionStatus' as never, known, {
        policy,
        atMs: NOW_MS,
      });
      return `${(graceUntilMs! - NOW_MS) / DAY_MS} days left`;
    },
    ['1 days left', '0 days left', '-1 days left'],
  ),
  edge('billing.incompleteSec', causeUntil('billing', { subscriptionStatus: 'incomplete' }), SPAN),
  edge('billing.entitlementLowSends', band('billing', 'entitlementRemaining'), ['low', 'some', 'some']),
  edge(
    'sendingDomain.graceSec',
    span((policy) => NOW_MS + ruleOf('sending_domain').graceMs!('spf' as never, policy)!),
    SPAN,
  ),
  edge(
    'sendingDomain.spfLookupsMax',
    judged('sending_domain', 'spf', (spfLookups) => ({ spfLookups })),
    ['ok', 'ok', 'spf_too_many_lookups'],
  ),
  edge(
    'sendingDomain.spfVoidLookupsMax',
    judged('sending_domain', 'spf', (spfVoidLookups) => ({ spfVoidLookups })),
    ['ok', 'ok', 'spf_too_many_lookups'],
  ),
  edge('providerHealth.samplesMin', fact('provider_health', 'samples5m'), ['too_few_samples', 'ok', 'ok']),
  edge('providerHealth.samplesMin', band('provider_health', 'samples5m'), ['below', 'at_floor', 'at_floor']),
  edge('providerHealth.p95BandsMs.0', band('provider_health', 'p95Ms'), ['fast', 'fair', 'fair']),
  edge('providerHealth.p95BandsMs.1', band('provider_health', 'p95Ms'), ['fair', 'slow', 'slow']),
  edge('providerHealth.p95BandsMs.2', band('provider_health', 'p95Ms'), ['slow', 'too_slow', 'too_slow']),
  edge('providerHealth.p95BandsMs.2', fact('provider_health', 'p95Ms'), ['ok', 'ok', 'slow']),
  edge(
    'providerHealth.errorRatioMax',
    fact('provider_health', 'errorRatio5m'),
    ['ok', 'ok', 'errors_high'],
    0.001,
  ),
  edge(
    'providerHealth.errorRatioMax',
    band('provider_health', 'errorRatio5m'),
    ['low', 'high', 'high'],
    0.001,
  ),
  edge('mailbox.throttleSec', causeUntil('mailbox', { throttled: true }), SPAN),
  edge('continuity.leaseSec', causeUntil('continuity_window', { run: 'running' }), SPAN),
  edge('campaign.leaseSec', causeUntil('campaign', { run: 'running' }), SPAN),
  edge('data.importMaxSec', causeUntil('data', { importState: 'running' }), SPAN),
  edge(
    'bands.headroomLowShare',
    (left, policy) =>
      String(
        bandOf('mailbox', 'quotaUsed', { quotaUsed: 1000 - 1000 * left, quotaDay: 1000 }, undefined, policy),
      ),
    ['low', 'low', 'some'],
    0.01,
  ),
  edge(
    'bands.leaveFactor',
    (factor, policy) =>
      String(bandOf('mailbox', 'quotaUsed', { quotaUsed: 1000 * factor, quotaDay: 1000 }, 'none', policy)),
    ['low', 'none', 'none'],
    0.01,
  ),
  edge('providerHealth.cooldownSec', causeUntil('provider_health', { errorClass: 'overloaded' }), SPAN),
  edge(
    'continuity.overdueCadences',
    judged('continuity_window', 'nextRun', (cadences) => ({
      cadenceSec: HOUR_SEC,
      nextRun: NOW_MS - cadences * HOUR_SEC * 1000,
    })),
    ['ok', 'ok', 'run_overdue'],
    0.001,
  ),
  edge('continuity.clockSkewMaxMs', fact('continuity_window', 'clockSkewMs'), ['ok', 'ok', 'clock_skew']),
  edge('continuity.clockSkewMaxMs', band('continuity_window', 'clockSkewMs'), ['within', 'over', 'over']),
  edge(
    'continuity.clockSkewMaxMs',
    risks('continuity_window', (clockSkewMs) => ({ clockSkewMs })),
    ['none', 'none', 'clock_or_scheduler_fault'],
  ),
  edge(
    'pacing.sampleFloorDelivered',
    reputation((delivered30d) => ({ delivered30d })),
    ['insufficient_sample', 'healthy', 'healthy'],
  ),
  edge('pacing.sampleFloorDelivered', band('pacing', 'delivered30d'), ['below', 'at_floor', 'at_floor']),
  edge(
    'pacing.sampleFloorDelivered',
    risks('pacing', (delivered30d) => ({ delivered30d, complaints30d: 1, hardBounces30d: 0 })),
    ['none', 'complaint_ge_0_10', 'complaint_ge_0_10'],
  ),
  edge(
    'pacing.sampleFloorDelivered',
    risks('pacing', (delivered30d) => ({ delivered30d, unsubs30d: 50, hardBounces30d: 0 })),
    ['none', 'unsub_ge_1', 'unsub_ge_1'],
  ),
  ...rates('watch', 'healthy'),
  ...rates('throttled', 'watch'),
  ...rates('quarantined', 'throttled'),
  ...rates('blocked', 'quarantined'),
  edge(
    'pacing.quarantined.complaint',
    riskOfRate('complaints30d'),
    ['none', 'complaint_ge_0_10', 'complaint_ge_0_10'],
    1e-6,
  ),
  edge(
    'pacing.quarantined.hardBounce',
    riskOfRate('hardBounces30d'),
    ['none', 'hard_bounce_ge_5', 'hard_bounce_ge_5'],
    1e-6,
  ),
  edge(
    'pacing.quarantineComplaints7d',
    reputation((complaints7d) => ({ delivered30d: 500, complaints7d })),
    ['healthy', 'quarantined', 'quarantined'],
  ),
  edge(
    'pacing.quarantineComplaints7d',
    risks('pacing', (complaints7d) => ({ delivered30d: 500, complaints7d })),
    ['none', 'complaint_ge_0_10', 'complaint_ge_0_10'],
  ),
  edge(
    'pacing.smallSampleDelivered',
    reputation((delivered30d) => ({ delivered30d, complaints7d: 9 })),
    ['quarantined', 'healthy', 'healthy'],
  ),
  edge(
    'pacing.smallSampleDelivered',
    risks('pacing', (delivered30d) => ({ delivered30d, complaints7d: 9 })),
    ['complaint_ge_0_10', 'none', 'none'],
  ),
  ...(['watch', 'throttled', 'quarantined', 'blocked'] as const).map((name, index, bands) =>
    edge(
      'pacing.leaveFactor',
      reputation((factor, { pacing }) => ({
        band: name,
        delivered30d: DELIVERED,
        hardBounces30d: factor * pacing[name].hardBounce * DELIVERED,
      })),
      [bands[index - 1] ?? 'healthy', name, name],
      1e-4,
    ),
  ),
  edge(
    'pacing.windowDays',
    (days, policy) => {
      const servedStop = {
        atMs: NOW_MS - days * DAY_MS,
        counters: { deliveredTotal: 0, hardBouncesTotal: 0 },
      };
      const known = { delivered30d: 2000, hardBounces30d: 300, deliveredTotal: 2000, hardBouncesTotal: 0 };
      return String(pacingBand(known, { policy, atMs: NOW_MS, servedStop }));
    },
    ['healthy', 'blocked', 'blocked'],
  ),
  edge('pacing.quarantineSec', causeUntil('pacing', { band: 'quarantined' }), SPAN),
  edge('campaign.autoPauseSec', causeUntil('campaign', { campaignState: 'auto_paused' }), SPAN),
  edge('data.verifiedShareMin', fact('data', 'verifiedShare'), ['verified_share_low', 'ok', 'ok'], 0.001),
  edge('data.verifiedShareMin', band('data', 'verifiedShare'), ['below', 'at_floor', 'at_floor'], 0.001),
  edge(
    'data.verifiedShareMin',
    risks('data', (verifiedShare) => ({ verifiedShare })),
    ['verified_share_low', 'none', 'none'],
    0.001,
  ),
  edge('data.provenanceShareMin', fact('data', 'provenanceShare'), ['provenance_low', 'ok', 'ok'], 0.001),
  edge('data.provenanceShareMin', band('data', 'provenanceShare'), ['below', 'at_floor', 'at_floor'], 0.001),
  edge(
    'data.provenanceShareMin',
    risks('data', (provenanceShare) => ({ provenanceShare })),
    ['data_provenance_unknown', 'none', 'none'],
    0.001,
  ),
  edge('data.suppressionSyncMaxSec', fact('data', 'suppressionSyncAgeSec'), [
    'ok',
    'ok',
    'suppression_stale',
  ]),
  edge('data.suppressionSyncMaxSec', band('data', 'suppressionSyncAgeSec'), ['fresh', 'stale', 'stale']),
  edge(
    'data.suppressionSyncMaxSec',
    risks('data', (suppressionSyncAgeSec) => ({ suppressionSyncAgeSec })),
    ['none', 'none', 'suppression_sync_stale'],
  ),
  edge(
    'data.importStaleH',
    risks('data', (importAgeH) => ({ importAgeH })),
    ['none', 'none', 'import_stale'],
  ),
  edge(
    'risk.senderAgeDaysMin',
    risks('mailbox', (senderAgeDays) => ({ senderAgeDays })),
    ['sender_age_lt_14d', 'none', 'none'],
  ),
  edge(
    'risk.volumeRatioMax',
    risks('pacing', (volumeRatio) => ({ volumeRatio })),
    ['none', 'none', 'volume_jump_gt_2x'],
    0.001,
  ),
  edge(
    'risk.hardBounceDeliveredMin',
    risks('pacing', (delivered30d) => ({ delivered30d, hardBounces30d: 5 })),
    ['none', 'hard_bounce_ge_5', 'hard_bounce_ge_5'],
  ),
  edge(
    'risk.unsubShareMax',
    risks('pacing', (share) => ({ delivered30d: DELIVERED, unsubs30d: share * DELIVERED })),
    ['none', 'unsub_ge_1', 'unsub_ge_1'],
    1e-6,
  ),
  edge(
    'risk.unresolvedMin',
    risks('pacing', (unresolvedOutcomes) => ({ unresolvedOutcomes, delivered30d: 0 })),
    ['none', 'unresolved_outcomes', 'unresolved_outcomes'],
  ),
  edge(
    'risk.unresolvedShareMax',
    risks('pacing', (share) => ({ sentToday: 1000, unresolvedOutcomes: share * 1000 })),
    ['none', 'unresolved_outcomes', 'unresolved_outcomes'],
    1e-3,
  ),
  edge(
    'dispatch.touchesMax',
    answer('whySilenceNotSafer', (touches) => ({ recipient: { touches } })),
    ['step_within_touch_budget', 'silence_equal', 'silence_equal'],
  ),
  edge(
    'dispatch.headroomTieShare',
    answer('whyMailbox', (share) => ({ reservation: { headroom: { own: 0, best: share, mailboxes: 2 } } })),
    ['best_headroom', 'best_headroom', 'rotation_only'],
    0.01,
  ),
  edge(
    'dispatch.stepIntervalSec',
    answer('whyNow', (sec) => ({
      action: { step: 2 },
      recipient: { touches: 1, lastTouchAtMs: NOW_MS - sec * 1000 },
    })),
    ['too_soon', 'step_due', 'step_due'],
  ),
];

/** Read where time is kept and messages are counted, or in the tests of the truth and of the decision. */
const READ_ELSEWHERE = [
  ...Object.keys(POLICY.maxAgeSec).map((age) => `maxAgeSec.${age}`),
  'heartbeatMaxSec',
  'firstCheckSec',
  'check.triesMax',
  'check.exhaustedSec',
  'mailbox.probationReports',
  'providerHealth.probationReports',
  'campaign.probationReports',
  'sendingDomain.graceResetSec',
  'pacing.probationDelivered',
  'pacing.capPerMailboxDay',
  'pacing.minGapSec',
  'risk.unknownShareMax',
  'dispatch.truthCadences',
  'dispatch.cadenceSec',
  'dispatch.staleWaitSec',
  'dispatch.decisionValidSec',
  'dispatch.holdValidSec',
  'dispatch.approvalValidSec',
  'dispatch.reviewWithinSec',
  'dispatch.explorationPerMailboxDay',
  'dispatch.explorationPerDomainDay',
];

function numbersIn(value: object, path = ''): readonly [string, number][] {
  return Object.entries(value).flatMap(([name, inner]): readonly [string, number][] => {
    if (typeof inner === 'number') return [[`${path}${name}`, inner]];
    return typeof inner === 'object' ? numbersIn(inner, `${path}${name}.`) : [];
  });
}

function thresholdIn(policy: Policy, path: string): number {
  return numbersIn(policy).find(([name]) => name === path)![1];
}

/** The same policy but for one threshold, a little higher. */
function raised(policy: Policy, path: string): Policy {
  const before = thresholdIn(policy, path);
  const copy = structuredClone(policy);
  const keys = path.split('.');
  const holder = keys.slice(0, -1).reduce<unknown>((at, key) => (at as never)[key], copy);
  (holder as Record<string, number>)[keys.at(-1)!] = Number.isInteger(before) ? before + 1 : before * 1.1;
  return policySchema.parse(copy);
}

test('every threshold of the policy is looked at from both sides, or read elsewhere [L6]', () => {
  const { version: _version, degradations: _degradations, ...thresholds } = POLICY;
  const looked = [...new Set(EDGES.map((one) => one.threshold))];
  const all = numbersIn(thresholds).map(([name]) => name);
  expect([...looked, ...READ_ELSEWHERE].toSorted()).toEqual(all.toSorted());
});

describe('just below, at, and just above', () => {
  test.each(EDGES)('$threshold: $below, $at, $above [L6]', ({ threshold, step, look, below, at, above }) => {
    for (const policy of [POLICY, raised(POLICY, threshold)]) {
      const value = thresholdIn(policy, threshold);
      const seen = [value - step, value, value + step].map((beside) => look(beside, policy));
      expect(seen).toEqual([below, at, above]);
    }
  });
});
