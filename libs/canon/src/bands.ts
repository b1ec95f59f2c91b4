import type { FactValue } from './facts.ts';
import type { Policy } from './policy.ts';
import type { CanonicalBlockerLayer } from './words.ts';

/** Edges in ascending order; a value at an edge is in the band above it. */
interface Bands {
  readonly names: readonly string[];
  readonly edges: readonly number[];
}
type Known = Readonly<Record<string, FactValue | undefined>>;

function bandsOf(
  layer: CanonicalBlockerLayer,
  fact: string,
  known: Known,
  policy: Policy,
): Bands | undefined {
  switch (`${layer}.${fact}`) {
    case 'billing.entitlementRemaining':
      return { names: ['none', 'low', 'some'], edges: [1, policy.billing.entitlementLowSends] };
    case 'mailbox.quotaUsed': {
      const day = typeof known.quotaDay === 'number' ? known.quotaDay : Number.POSITIVE_INFINITY;
      return { names: ['some', 'low', 'none'], edges: [day * (1 - policy.bands.headroomLowShare), day] };
    }
    case 'provider_health.p95Ms':
      return { names: ['fast', 'fair', 'slow', 'too_slow'], edges: policy.providerHealth.p95BandsMs };
    case 'provider_health.errorRatio5m':
      return { names: ['low', 'high'], edges: [policy.providerHealth.errorRatioMax] };
    case 'provider_health.samples5m':
      return { names: ['below', 'at_floor'], edges: [policy.providerHealth.samplesMin] };
    case 'pacing.delivered30d':
      return { names: ['below', 'at_floor'], edges: [policy.pacing.sampleFloorDelivered] };
    case 'continuity_window.clockSkewMs':
      return { names: ['within', 'over'], edges: [policy.continuity.clockSkewMaxMs] };
    case 'data.queueReady':
      return { names: ['empty', 'some'], edges: [1] };
    case 'data.verifiedShare':
      return { names: ['below', 'at_floor'], edges: [policy.data.verifiedShareMin] };
    case 'data.provenanceShare':
      return { names: ['below', 'at_floor'], edges: [policy.data.provenanceShareMin] };
    case 'data.suppressionSyncAgeSec':
      return { names: ['fresh', 'stale'], edges: [policy.data.suppressionSyncMaxSec] };
    default:
      return undefined;
  }
}

/**
 * The band of a numeric fact, given the band it was in; undefined for facts that have none. Leaving a band downwards
 * takes the policy's share of the edge by which it was entered.
 */
export function bandOf(
  layer: CanonicalBlockerLayer,
  fact: string,
  known: Known,
  before: string | undefined,
  policy: Policy,
): string | undefined {
  const value = known[fact];
  const bands = bandsOf(layer, fact, known, policy);
  if (!bands || typeof value !== 'number') return undefined;
  const stood = before === undefined ? -1 : bands.names.indexOf(before);
  let index = 0;
  bands.edges.forEach((edge, below) => {
    const factor = stood > below ? policy.bands.leaveFactor : 1;
    if (value >= edge * factor) index = below + 1;
  });
  return bands.names[index];
}
