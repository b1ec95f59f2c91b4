import type { CanonicalBlockerLayer, FactValue, Policy } from '@orchestrate/canon';
import type { TenantConfig } from '@orchestrate/contracts';
import type { LayerSource, Observation } from '@orchestrate/layer-machines';

/** A source that a tenant's configuration declares, with what the declaration itself says as facts. */
export interface DeclaredSource {
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  readonly enabled: boolean;
  readonly facts: Readonly<Record<string, FactValue>>;
  /** Facts that count only while nothing was observed yet (a new mailbox has sent nothing). */
  readonly initial?: Readonly<Record<string, FactValue>>;
}

/** Every source that a tenant has: which machines run for it, and what its configuration tells them. */
export function declaredSources(config: TenantConfig, policy: Policy): readonly DeclaredSource[] {
  return [
    { layer: 'billing', source: 'main', enabled: true, facts: {} },
    ...config.domains.map(
      (domain): DeclaredSource => ({
        layer: 'sending_domain',
        source: domain.id,
        enabled: domain.enabled,
        facts: {},
      }),
    ),
    ...config.mailboxes.map(
      (mailbox): DeclaredSource => ({
        layer: 'mailbox',
        source: mailbox.id,
        enabled: mailbox.enabled,
        facts: { provider: mailbox.provider },
      }),
    ),
    {
      layer: 'provider_health',
      source: config.aiProvider ?? 'main',
      enabled: config.aiProvider !== null,
      facts: {},
    },
    governanceSource(config),
    { layer: 'continuity_window', source: 'main', enabled: true, facts: {} },
    ...config.mailboxes.map(
      (mailbox): DeclaredSource => ({
        layer: 'pacing',
        source: mailbox.id,
        enabled: mailbox.enabled,
        facts: {
          capToday: mailbox.capPerDay ?? policy.pacing.capPerMailboxDay,
          minGapSec: policy.pacing.minGapSec,
        },
        initial: { delivered30d: 0, hardBounces30d: 0 },
      }),
    ),
    ...config.campaigns.map(campaignSource),
    ...config.imports.map(
      (source): DeclaredSource => ({
        layer: 'data',
        source: source.id,
        enabled: source.enabled,
        facts: {},
        initial: { importState: 'never' },
      }),
    ),
  ];
}

function governanceSource({ governance }: TenantConfig): DeclaredSource {
  return {
    layer: 'governance',
    source: 'main',
    enabled: true,
    facts: {
      requestedMode: governance.mode,
      sector: governance.sector,
      jurisdiction: governance.jurisdiction,
      lawfulBasis: governance.lawfulBasis,
      policyReadable: true,
    },
    initial: { freeze: false },
  };
}

function campaignSource(campaign: TenantConfig['campaigns'][number]): DeclaredSource {
  const approval =
    campaign.approvedDigest === null
      ? 'none'
      : campaign.approvedDigest === campaign.templateDigest
        ? 'current'
        : 'drifted';
  return {
    layer: 'campaign',
    source: campaign.id,
    enabled: campaign.enabled,
    facts: {
      campaignState: campaign.state,
      approval,
      lint: campaign.lint,
      unresolvedVars: campaign.unresolvedVars,
      address: campaign.address,
      optOut: campaign.optOut,
      oneClick: campaign.oneClick,
      bindings: campaign.bindings,
      ...(campaign.cta ? { cta: campaign.cta } : {}),
      ...(campaign.tone ? { tone: campaign.tone } : {}),
    },
  };
}

/** What the configuration says of one source, told to it at this time; an undeclared source learns nothing. */
export function assertDeclared(
  source: LayerSource,
  config: TenantConfig,
  policy: Policy,
  atMs: number,
): LayerSource {
  const declared = declaredSources(config, policy).find(
    (one) => one.layer === source.layer && one.source === source.source,
  );
  return declared ? source.observe(observationsOf(declared.facts, atMs), policy, atMs) : source;
}

export function observationsOf(
  facts: Readonly<Record<string, FactValue>>,
  observedAtMs: number,
): readonly Observation[] {
  return Object.entries(facts).map(([fact, value]) => ({ fact, observedAtMs, outcome: { value } }));
}
