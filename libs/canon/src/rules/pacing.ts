import type { PacingBand } from '../facts.ts';
import type { Policy } from '../policy.ts';
import type { RiskName } from '../words.ts';
import {
  type CauseWanted,
  type Judgement,
  type KnownFacts,
  type LayerRule,
  number,
  PASS,
  soft,
  unknown,
} from './layer-rule.ts';

const WORST_FIRST = ['blocked', 'quarantined', 'throttled', 'watch'] as const;

/**
 * The reputation band of a mailbox over 30 days. Below the sample floor a rate says nothing, so there is no
 * band at all: complaints can only ever worsen it, their absence is never required as proof.
 * Hysteresis: a band is left at `leaveFactor` of the edge that it was entered by.
 */
export function pacingBand(known: KnownFacts<'pacing'>, policy: Policy): PacingBand | undefined {
  if (known.delivered30d === undefined || known.hardBounces30d === undefined) return undefined;
  const { pacing } = policy;
  const delivered = number(known.delivered30d);
  const complaints7d = number(known.complaints7d);
  const few = delivered < pacing.smallSampleDelivered;
  // In a small sample two complaints weigh as much as a rate does later, and never hide a worse rate.
  const counted = few && complaints7d >= pacing.quarantineComplaints7d ? 'quarantined' : undefined;
  if (delivered < pacing.sampleFloorDelivered) return counted ?? 'insufficient_sample';
  const complaint = number(known.complaints30d) / delivered;
  const hardBounce = number(known.hardBounces30d) / delivered;
  for (const band of WORST_FIRST) {
    const factor = stands(known.band, band) ? pacing.leaveFactor : 1;
    const edge = pacing[band];
    const reached =
      reaches(complaint, edge.complaint * factor) || reaches(hardBounce, edge.hardBounce * factor);
    if (reached || band === counted) return band;
  }
  return 'healthy';
}

/** At an edge counts, also where a binary fraction lies a hair above the decimal one (0.001 * 0.9). */
const reaches = (rate: number, edge: number): boolean => rate >= edge - 1e-12;

/** Whether the band that stood before is this one or a worse one. */
function stands(before: unknown, band: (typeof WORST_FIRST)[number]): boolean {
  const index = (WORST_FIRST as readonly unknown[]).indexOf(before);
  return index >= 0 && index <= WORST_FIRST.indexOf(band);
}

export const pacingRule: LayerRule<'pacing'> = {
  layer: 'pacing',
  owner: 'orchestrate',
  follows: ['cap_reached'],
  requalifies: 'band',
  derive(known, { policy }) {
    const band = pacingBand(known, policy);
    return band === undefined ? {} : { band };
  },
  judge(fact, known): Judgement {
    if (fact !== 'band') return PASS;
    switch (known.band) {
      case 'healthy':
        return PASS;
      case 'watch':
        return soft('band_watch');
      case 'throttled':
        return soft('band_throttled');
      case 'quarantined':
        return soft('band_quarantined');
      case 'blocked':
        return soft('band_blocked');
      case 'insufficient_sample':
        return unknown('insufficient_sample');
      default:
        return unknown('unobservable');
    }
  },
  causes(known, { policy, atMs }): readonly CauseWanted[] {
    const causes: CauseWanted[] = [];
    if (known.band === 'blocked') causes.push({ kind: 'hold', cause: 'band_blocked' });
    if (known.band === 'quarantined') {
      causes.push({
        kind: 'cooldown',
        cause: 'band_quarantined',
        untilMs: atMs + policy.pacing.quarantineSec * 1000,
      });
    }
    if (
      known.sentToday !== undefined &&
      number(known.sentToday) >= number(known.capToday, Number.POSITIVE_INFINITY)
    ) {
      causes.push({ kind: 'closure', cause: 'cap_reached', untilMs: null });
    }
    return causes;
  },
  risks(known, { policy }) {
    const risks: RiskName[] = [];
    const delivered = number(known.delivered30d);
    const enough = delivered >= policy.pacing.sampleFloorDelivered;
    const complaints = number(known.complaints30d);
    const few = delivered < policy.pacing.smallSampleDelivered;
    if (
      (enough && complaints / delivered >= policy.pacing.quarantined.complaint) ||
      (few && number(known.complaints7d) >= policy.pacing.quarantineComplaints7d)
    ) {
      risks.push('complaint_ge_0_10');
    }
    if (
      delivered >= policy.risk.hardBounceDeliveredMin &&
      number(known.hardBounces30d) / delivered >= policy.pacing.quarantined.hardBounce
    ) {
      risks.push('hard_bounce_ge_5');
    }
    if (number(known.hostileReplies24h) > 0) risks.push('hostile_or_legal_reply_24h');
    if (number(known.volumeRatio) > policy.risk.volumeRatioMax) risks.push('volume_jump_gt_2x');
    const unresolved = number(known.unresolvedOutcomes);
    if (unresolved >= policy.risk.unresolvedMin && unresolved >= policy.risk.unresolvedShareMax * delivered) {
      risks.push('unresolved_outcomes');
    }
    if (known.band === 'watch' || known.band === 'throttled') risks.push('reputation_watch');
    if (enough && number(known.unsubs30d) / delivered >= policy.risk.unsubShareMax) risks.push('unsub_ge_1');
    return risks;
  },
};
