import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildTruth,
  type CanonicalBlockerLayer,
  type CanonicalRuntimeTruth,
  type FactValue,
  type LayerCondition,
  type Policy,
  policyDigestOf,
  policySchema,
} from '@orchestrate/canon';
import { LayerSource, type Observation } from '@orchestrate/layer-machines';

export const NOW_MS = Date.parse('2026-03-02T10:00:00Z');
export const DAY_MS = 86_400_000;

const file = join(import.meta.dirname, '../../../policies/default.json');
export const POLICY: Policy = policySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
const POLICY_DIGEST = policyDigestOf(POLICY);

type Facts = Readonly<Record<string, FactValue>>;
type SourceName = `${CanonicalBlockerLayer}/${string}`;

const MAILBOXES = ['anna', 'ben', 'cleo', 'dora', 'emil', 'fay'];
const CAMPAIGNS = ['spring', 'summer', 'autumn', 'winter'];

const eachOf = (layer: CanonicalBlockerLayer, sources: readonly string[], facts: Facts) =>
  sources.map((source): [SourceName, Facts] => [`${layer}/${source}`, facts]);

/** A tenant of some size with nothing wrong, every fact of it answered. */
const SOURCES: readonly [SourceName, Facts][] = [
  ...eachOf('billing', ['main'], {
    subscriptionStatus: 'active',
    paymentMethod: 'valid',
    entitlementRemaining: 5000,
  }),
  ...eachOf('sending_domain', ['acme-example', 'acme-mail-example', 'try-acme-example'], {
    spf: 'pass',
    spfLookups: 4,
    spfVoidLookups: 0,
    dkim: 'valid',
    dkimKeyBits: 2048,
    dmarc: 'present',
    dmarcPolicy: 'reject',
    alignment: 'aligned',
    oneClickSigned: true,
  }),
  ...eachOf('mailbox', MAILBOXES, {
    provider: 'gmail',
    identityClass: 'user',
    scopeDrift: false,
    canSend: true,
    canReadReplies: true,
    canSeeBounces: true,
    token: 'active',
    quotaUsed: 12,
    quotaDay: 2000,
    senderAgeDays: 400,
  }),
  ...eachOf('provider_health', ['llm'], {
    reachable: true,
    p95Ms: 900,
    errorRatio5m: 0,
    samples5m: 40,
    errorClass: 'none',
    fallback: 'ready',
    fallbackInUse: false,
  }),
  ...eachOf('governance', ['main'], {
    requestedMode: 'autonomous',
    sector: 'technology',
    operatorFloor: 'autonomous',
    jurisdiction: 'eu',
    lawfulBasis: 'consent',
    policyReadable: true,
    freeze: false,
    auditSink: 'healthy',
  }),
  ...eachOf('continuity_window', ['main'], {
    'window.open': true,
    windowReason: 'in_hours',
    lastRun: NOW_MS - 60_000,
    nextRun: NOW_MS + 60_000,
    lastRunOutcome: 'completed',
    cadenceSec: 120,
    clockSkewMs: 3,
  }),
  ...eachOf('pacing', MAILBOXES, {
    sentToday: 12,
    capToday: 50,
    minGapSec: 90,
    delivered30d: 2000,
    hardBounces30d: 10,
    complaints30d: 0,
    complaints7d: 0,
    unsubs30d: 2,
    deferral1h: 0,
    hostileReplies24h: 0,
    unresolvedOutcomes: 0,
    volumeRatio: 1,
  }),
  ...eachOf('campaign', CAMPAIGNS, {
    campaignState: 'active',
    approval: 'current',
    lint: 'pass',
    unresolvedVars: 0,
    address: true,
    optOut: true,
    oneClick: true,
    bindings: 'bound',
    cta: 'question',
    tone: 'neutral_lint',
  }),
  ...eachOf('data', ['crm', 'events'], {
    importState: 'done',
    queueReady: 800,
    verifiedShare: 1,
    provenanceShare: 1,
    importAgeH: 20,
    suppressionSyncAgeSec: 30,
  }),
];

const TOLD_MS = NOW_MS - 90_000;
const BETWEEN_MS = 10_000;

/** What a source told after its first facts; a fact that is `unanswered` was never answered. */
type Change = Readonly<Record<string, FactValue>>;
const UNANSWERED = 'unanswered';
/** By source, each after the one before it. */
export type Changes = Readonly<Partial<Record<SourceName, Change | readonly Change[]>>>;

/** The tenant's layers as their machines tell them, each source with what changed since it was first told. */
export function conditionsWith(changes: Changes = {}): readonly LayerCondition[] {
  return SOURCES.map(([name, facts]) => {
    const [layer, source] = name.split('/') as [CanonicalBlockerLayer, string];
    const told = [changes[name] ?? []].flat();
    const isAnswered = ([fact]: [string, FactValue]) => told.every((change) => change[fact] !== UNANSWERED);
    const first = Object.fromEntries(Object.entries(facts).filter(isAnswered));
    const begun = LayerSource.create({ tenantId: 'acme', layer, source, enabled: true });
    return [first, ...told]
      .reduce((known, change, step) => {
        const atMs = TOLD_MS + step * BETWEEN_MS;
        return known.observe(observations(change, atMs), POLICY, atMs);
      }, begun)
      .condition(POLICY, NOW_MS);
  });
}

function observations(facts: Change, observedAtMs: number): readonly Observation[] {
  return Object.entries(facts).map(([fact, value]) => ({
    fact,
    observedAtMs,
    outcome: value === UNANSWERED ? { unknown: 'timeout' } : { value },
  }));
}

export function truthOf(
  conditions: readonly LayerCondition[],
  previous: CanonicalRuntimeTruth | null = null,
): CanonicalRuntimeTruth {
  return buildTruth({
    tenantId: 'acme',
    conditions,
    policy: POLICY,
    policyDigest: POLICY_DIGEST,
    previous,
    atMs: NOW_MS,
  });
}
