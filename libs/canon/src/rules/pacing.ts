import type { PacingBand } from '../facts.ts';
import type { RiskName } from '../words.ts';
import {
  type CauseWanted,
  days,
  type Judgement,
  type KnownFacts,
  type LayerRule,
  number,
  PASS,
  type RuleContext,
  soft,
  unknown,
} from './layer-rule.ts';

const WORST_FIRST = ['blocked', 'quarantined', 'throttled', 'watch'] as const;

interface Counts {
  readonly delivered: number;
  readonly hardBounces: number;
  readonly complaints: number;
}

/**
 * The counts that a mailbox is judged by: those of the window, or, while a stop that was served lies inside the
 * window, only what came after it. Nobody serves twice for the same messages, and new ones are not outweighed by old.
 */
function countsOf(known: KnownFacts<'pacing'>, { policy, atMs, servedStop }: RuleContext): Counts {
  const window = {
    delivered: number(known.delivered30d),
    hardBounces: number(known.hardBounces30d),
    complaints: number(known.complaints30d),
  };
  if (!servedStop || atMs - servedStop.atMs >= days(policy.pacing.windowDays)) return window;
  const since = (now: KnownFacts<'pacing'>[keyof KnownFacts<'pacing'>], counter: string) => {
    const then = servedStop.counters[counter];
    return typeof now === 'number' && then !== undefined ? Math.max(0, now - then) : undefined;
  };
  const delivered = since(known.deliveredTotal, 'deliveredTotal');
  const hardBounces = since(known.hardBouncesTotal, 'hardBouncesTotal');
  if (delivered === undefined || hardBounces === undefined) return window;
  const complaints = since(known.complaintsTotal, 'complaintsTotal') ?? number(known.complaints7d);
  return { delivered, hardBounces, complaints };
}

/**
 * The reputation band of a mailbox over 30 days. Below the sample floor a rate says nothing, so there is no
 * band at all: complaints can only ever worsen it, their absence is never required as proof. A mailbox whose
 * bounces nobody can see has none either, however much it sends.
 * Hysteresis: a band is left at `leaveFactor` of the edge that it was entered by.
 */
export function pacingBand(known: KnownFacts<'pacing'>, context: RuleContext): PacingBand | undefined {
  if (known.delivered30d === undefined) return undefined;
  const { pacing } = context.policy;
  const { delivered, hardBounces, complaints } = countsOf(known, context);
  const few = delivered < pacing.smallSampleDelivered;
  // In a small sample two complaints weigh as much as a rate does later, and never hide a worse rate.
  const counted =
    few && number(known.complaints7d) >= pacing.quarantineComplaints7d ? 'quarantined' : undefined;
  if (known.hardBounces30d === undefined) return counted ?? 'unobservable';
  if (delivered < pacing.sampleFloorDelivered) return counted ?? 'insufficient_sample';
  for (const band of WORST_FIRST) {
    const factor = stands(known.band, band) ? pacing.leaveFactor : 1;
    const edge = pacing[band];
    const reached =
      reaches(complaints / delivered, edge.complaint * factor) ||
      reaches(hardBounces / delivered, edge.hardBounce * factor);
    if (!reached && band !== counted) continue;
    return band === 'blocked' && onlyTheWindowMoved(known, context) ? 'quarantined' : band;
  }
  return 'healthy';
}

/**
 * While a stop lasts nothing is sent and the window empties, so that the same few complaints become an ever higher
 * share of what is left: without a new one that makes nothing worse.
 */
function onlyTheWindowMoved(known: KnownFacts<'pacing'>, { stoppedAt }: RuleContext): boolean {
  if (stoppedAt?.band !== 'quarantined') return false;
  const more = (fact: 'complaints30d' | 'complaints7d' | 'hardBounces30d') =>
    number(known[fact]) > number(stoppedAt[fact]);
  return !more('complaints30d') && !more('complaints7d') && !more('hardBounces30d');
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
  requalification: { counter: 'deliveredTotal', needed: (policy) => policy.pacing.probationDelivered },
  counters: ['deliveredTotal', 'hardBouncesTotal', 'complaintsTotal'],
  derive(known, context) {
    const band = pacingBand(known, context);
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
  risks(known, context) {
    const { policy } = context;
    const risks: RiskName[] = [];
    const { delivered, hardBounces, complaints } = countsOf(known, context);
    const enough = delivered >= policy.pacing.sampleFloorDelivered;
    const few = delivered < policy.pacing.smallSampleDelivered;
    if (
      (enough && complaints / delivered >= policy.pacing.quarantined.complaint) ||
      (few && number(known.complaints7d) >= policy.pacing.quarantineComplaints7d)
    ) {
      risks.push('complaint_ge_0_10');
    }
    if (
      delivered >= policy.risk.hardBounceDeliveredMin &&
      hardBounces / delivered >= policy.pacing.quarantined.hardBounce
    ) {
      risks.push('hard_bounce_ge_5');
    }
    if (number(known.hostileReplies24h) > 0) risks.push('hostile_or_legal_reply_24h');
    if (number(known.volumeRatio) > policy.risk.volumeRatioMax) risks.push('volume_jump_gt_2x');
    const unresolved = number(known.unresolvedOutcomes);
    const sent = number(known.sentToday);
    if (unresolved >= policy.risk.unresolvedMin && unresolved >= policy.risk.unresolvedShareMax * sent) {
      risks.push('unresolved_outcomes');
    }
    if (known.band === 'watch' || known.band === 'throttled') risks.push('reputation_watch');
    const inWindow = number(known.delivered30d);
    if (
      inWindow >= policy.pacing.sampleFloorDelivered &&
      number(known.unsubs30d) / inWindow >= policy.risk.unsubShareMax
    ) {
      risks.push('unsub_ge_1');
    }
    return risks;
  },
};
