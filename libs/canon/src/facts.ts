import type { CanonicalBlockerLayer } from './words.ts';
import { GOVERNANCE_MODES } from './words.ts';

/** A fact's value is a closed word, a boolean, or a number whose unit the catalogue names. */
export type FactValue = string | number | boolean;

/** Names of the maximum ages in the policy (`maxAgeSec`). A folded fact has none: a heartbeat keeps it fresh. */
export const AGE_CLASSES = [
  'billing',
  'dns',
  'deliveredProof',
  'token',
  'scopes',
  'providerHealth',
  'config',
  'feedbackLoop',
  'campaign',
  'bindings',
  'import',
] as const;
export type AgeClass = (typeof AGE_CLASSES)[number];

export type FactSpec = {
  readonly age: AgeClass | 'folded';
  /** Absent on a fact that only informs; a required one without a fresh answer is an honest unknown. */
  readonly required?: true;
  /** Why a required fact that nobody has observed yet has no answer. */
  readonly missing?: 'no_delivered_proof' | 'never_ran';
  /** Measured on a sample that only grows by sending: too little of it is no failure to look. */
  readonly sampled?: true;
} & (
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'number'; readonly unit: string; readonly min: number; readonly max: number }
);

function oneOf(values: readonly string[], age: FactSpec['age'], required?: true): FactSpec {
  return required ? { kind: 'enum', values, age, required } : { kind: 'enum', values, age };
}
function flag(age: FactSpec['age'], required?: true): FactSpec {
  return required ? { kind: 'boolean', age, required } : { kind: 'boolean', age };
}
function amount(unit: string, age: FactSpec['age'], required?: true, max = 1e15): FactSpec {
  const base = { kind: 'number', unit, min: 0, max, age } as const;
  return required ? { ...base, required } : base;
}

function sampled(spec: FactSpec): FactSpec {
  return { ...spec, sampled: true };
}

/** Stripe's eight subscription statuses. Anything else is reported as unknown, never mapped to a neighbour. */
export const SUBSCRIPTION_STATUSES = [
  'active',
  'trialing',
  'past_due',
  'incomplete',
  'incomplete_expired',
  'unpaid',
  'canceled',
  'paused',
] as const;

export const SECTORS = [
  'general',
  'technology',
  'education',
  'finance',
  'healthcare',
  'legal',
  'gambling',
  'political',
  'undeclared',
] as const;
export type Sector = (typeof SECTORS)[number];

export const JURISDICTIONS = ['eu', 'uk', 'us', 'ca', 'au', 'other', 'undeclared'] as const;
export const LAWFUL_BASES = ['consent', 'customer', 'legitimate_interest', 'none', 'unknown'] as const;
export const WINDOW_REASONS = [
  'operator_freeze',
  'maintenance',
  'tenant_paused',
  'tz_unknown',
  'holiday',
  'quiet_hours',
  'out_of_hours',
  'in_hours',
] as const;
export const PACING_BANDS = [
  'healthy',
  'watch',
  'throttled',
  'quarantined',
  'blocked',
  'insufficient_sample',
  'unobservable',
] as const;
export type PacingBand = (typeof PACING_BANDS)[number];
/** Whether a run holds the window or the campaign now. */
export const RUNS = ['idle', 'running'] as const;
export const CTAS = [
  'question',
  'resource',
  'meeting',
  'reply_request',
  'opt_in',
  'breakup',
  'multiple_ctas',
] as const;
export const TONES = ['brand_match', 'sector_formal', 'neutral_lint', 'pressure_lint', 'unlinted'] as const;

/**
 * Every fact of every layer. A fact that is not listed here is refused at the edge.
 * Sources: RFC 7208 (SPF), RFC 6376/8301/8463 (DKIM), RFC 9989 (DMARC), RFC 8058 (one-click), RFC 7662 (tokens).
 */
export const FACTS = {
  billing: {
    subscriptionStatus: oneOf(SUBSCRIPTION_STATUSES, 'billing', true),
    paymentMethod: oneOf(['valid', 'expiring_30d', 'expired', 'missing'], 'billing', true),
    entitlementRemaining: amount('sends', 'folded', true),
    pastDueDays: amount('days', 'billing'),
    trialEndsAt: amount('ms since epoch', 'billing'),
  },
  sending_domain: {
    spf: oneOf(['pass', 'fail', 'softfail', 'neutral', 'none', 'permerror'], 'dns', true),
    spfLookups: amount('DNS terms', 'dns'),
    spfVoidLookups: amount('DNS lookups', 'dns'),
    dkim: oneOf(['valid', 'weak', 'revoked', 'malformed', 'missing', 'not_discoverable'], 'dns', true),
    dkimKeyBits: amount('bits', 'dns'),
    dmarc: oneOf(['present', 'none', 'multiple', 'invalid'], 'dns', true),
    dmarcPolicy: oneOf(['none', 'quarantine', 'reject'], 'dns'),
    alignment: {
      kind: 'enum',
      values: ['aligned', 'misaligned'],
      age: 'deliveredProof',
      required: true,
      missing: 'no_delivered_proof',
    },
    oneClickSigned: flag('deliveredProof'),
  },
  mailbox: {
    provider: oneOf(['gmail', 'graph', 'smtp_imap'], 'config'),
    identityClass: oneOf(
      [
        'user',
        'shared',
        'alias',
        'group',
        'service_delegated',
        'app_only_scoped',
        'app_only_unscoped',
        'consumer',
        'role',
      ],
      'scopes',
      true,
    ),
    scopeDrift: flag('scopes'),
    canSend: flag('scopes', true),
    canReadReplies: flag('scopes', true),
    canSeeBounces: flag('scopes', true),
    token: oneOf(['active', 'refreshable', 'invalid_grant', 'inactive_unspecified'], 'token', true),
    throttled: flag('token'),
    retryAfterSec: amount('s', 'token'),
    quotaUsed: amount('messages', 'folded'),
    quotaDay: amount('messages', 'folded'),
    senderAgeDays: amount('days', 'scopes'),
  },
  provider_health: {
    reachable: flag('providerHealth', true),
    p95Ms: amount('ms', 'providerHealth', true),
    errorRatio5m: amount('share', 'providerHealth', true, 1),
    samples5m: amount('requests', 'providerHealth', true),
    errorClass: oneOf(
      ['none', 'rate_limited', 'overloaded', 'spend_limit', 'auth', 'timeout', 'server'],
      'providerHealth',
      true,
    ),
    fallback: oneOf(['ready', 'none', 'unknown'], 'providerHealth'),
    fallbackInUse: flag('providerHealth'),
    outputLinted: flag('providerHealth'),
    retryAfterSec: amount('s', 'providerHealth'),
    clientKey: flag('config'),
  },
  governance: {
    requestedMode: oneOf(GOVERNANCE_MODES, 'config', true),
    sector: oneOf(SECTORS, 'config', true),
    operatorFloor: oneOf(GOVERNANCE_MODES, 'folded'),
    jurisdiction: oneOf(JURISDICTIONS, 'config', true),
    lawfulBasis: oneOf(LAWFUL_BASES, 'config', true),
    policyReadable: flag('folded'),
    freeze: flag('folded', true),
    auditSink: oneOf(['healthy', 'down'], 'folded'),
  },
  continuity_window: {
    'window.open': flag('folded', true),
    windowReason: oneOf(WINDOW_REASONS, 'folded', true),
    lastRun: amount('ms since epoch', 'folded'),
    nextRun: amount('ms since epoch', 'folded'),
    lastRunOutcome: {
      kind: 'enum',
      values: ['never', 'completed', 'partial', 'failed', 'missed'],
      age: 'folded',
      required: true,
      missing: 'never_ran',
    },
    cadenceSec: amount('s', 'folded'),
    clockSkewMs: amount('ms', 'folded'),
    run: oneOf(RUNS, 'folded'),
  },
  pacing: {
    sentToday: amount('messages', 'folded'),
    capToday: amount('messages', 'folded', true),
    minGapSec: amount('s', 'folded'),
    delivered30d: sampled(amount('messages', 'folded', true)),
    hardBounces30d: sampled(amount('messages', 'folded', true)),
    complaints30d: amount('messages', 'feedbackLoop'),
    complaints7d: amount('messages', 'feedbackLoop'),
    unsubs30d: amount('messages', 'folded'),
    deferral1h: amount('messages', 'folded'),
    hostileReplies24h: amount('messages', 'folded'),
    unresolvedOutcomes: amount('messages', 'folded'),
    volumeRatio: amount('ratio', 'folded'),
    band: sampled(oneOf(PACING_BANDS, 'folded', true)),
    // Counted since the mailbox was connected: what was delivered after a moment is a difference of two of them.
    deliveredTotal: amount('messages', 'folded'),
    hardBouncesTotal: amount('messages', 'folded'),
    complaintsTotal: amount('messages', 'feedbackLoop'),
  },
  campaign: {
    campaignState: oneOf(['draft', 'active', 'paused', 'auto_paused', 'done'], 'campaign', true),
    approval: oneOf(['none', 'current', 'drifted'], 'campaign', true),
    lint: oneOf(['pass', 'warn', 'fail'], 'campaign', true),
    unresolvedVars: amount('variables', 'campaign', true),
    address: flag('campaign'),
    optOut: flag('campaign', true),
    oneClick: flag('campaign'),
    bindings: oneOf(['bound', 'partial', 'broken'], 'bindings', true),
    run: oneOf(RUNS, 'folded'),
    cta: oneOf(CTAS, 'campaign'),
    tone: oneOf(TONES, 'campaign'),
  },
  data: {
    importState: oneOf(['never', 'running', 'done', 'failed_client', 'failed_internal'], 'import', true),
    queueReady: amount('leads', 'folded'),
    verifiedShare: amount('share', 'import', undefined, 1),
    provenanceShare: amount('share', 'import', undefined, 1),
    importAgeH: amount('h', 'import'),
    importDueAt: amount('ms since epoch', 'import'),
    suppressionSyncAgeSec: amount('s', 'folded'),
  },
} as const satisfies Record<CanonicalBlockerLayer, Record<string, FactSpec>>;

export type FactName<L extends CanonicalBlockerLayer = CanonicalBlockerLayer> =
  L extends CanonicalBlockerLayer ? keyof (typeof FACTS)[L] & string : never;

export function factSpec(layer: CanonicalBlockerLayer, fact: string): FactSpec | undefined {
  return Object.hasOwn(FACTS[layer], fact) ? (FACTS[layer] as Record<string, FactSpec>)[fact] : undefined;
}

const REQUIRED_FACTS = new Map(
  Object.entries<Record<string, FactSpec>>(FACTS).map(([layer, facts]) => [
    layer,
    Object.keys(facts).filter((fact) => facts[fact]!.required),
  ]),
);

/** The closed list of facts without which a source of this layer is not ready. */
export function requiredFacts(layer: CanonicalBlockerLayer): readonly string[] {
  return REQUIRED_FACTS.get(layer)!;
}

/** Null when the value fits the catalogue, else what is wrong with it, in words for the person who sent it. */
export function factValueProblem(layer: CanonicalBlockerLayer, fact: string, value: unknown): string | null {
  const spec = factSpec(layer, fact);
  if (!spec)
    return `\`${fact}\` is no fact of ${layer}; its facts are ${Object.keys(FACTS[layer]).join(', ')}`;
  if (spec.kind === 'boolean')
    return typeof value === 'boolean' ? null : `\`${fact}\` takes true or false, not \`${String(value)}\``;
  if (spec.kind === 'enum') {
    return spec.values.includes(value as string)
      ? null
      : `\`${fact}\` takes one of ${spec.values.join(', ')}, not \`${String(value).slice(0, 64)}\``;
  }
  const fits = typeof value === 'number' && Number.isFinite(value) && value >= spec.min && value <= spec.max;
  return fits
    ? null
    : `\`${fact}\` takes a number of ${spec.unit} from ${spec.min} to ${spec.max}, not \`${String(value).slice(0, 64)}\``;
}

/** Why a fact has no answer. The first four are about the sample: more of it is on its way without anybody's act. */
export const SAMPLE_REASONS = [
  'insufficient_sample',
  'unobservable',
  'never_ran',
  'no_delivered_proof',
] as const;
export const UNKNOWN_REASONS = [
  ...SAMPLE_REASONS,
  'never_observed',
  'expired',
  'no_answer',
  'timeout',
  'servfail',
  'refused',
  'unreachable',
  'disagreement',
  'multiple_keys',
  'name_too_long',
  'tz_unknown',
  'unrecognised_value',
  'too_few_samples',
  'recheck_requested',
  'probe_fault',
  'handler_fault',
  'heartbeat_lost',
  'truth_stale',
] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

/** Unknowns under which a named budget may explore: more of the sample only comes by sending. */
export function isExplorable(reason: string): boolean {
  return reason === 'insufficient_sample' || reason === 'unobservable';
}

export function isSampleReason(reason: string): boolean {
  return (SAMPLE_REASONS as readonly string[]).includes(reason);
}
