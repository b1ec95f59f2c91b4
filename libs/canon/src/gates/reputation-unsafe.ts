import type { Reason } from '../condition.ts';
import { isExplorable } from '../facts.ts';
import {
  type Because,
  because,
  becauseRequest,
  type DispatchCase,
  defineGate,
  Findings,
  unknownOrStale,
} from './gate.ts';

const ORDER = [
  'healthy',
  'watch',
  'probation',
  'sample_unknown_budgeted',
  'stale',
  'cap_reached',
  'unknown',
  'cooling',
  'blocked',
] as const;

export const reputationUnsafeGate = defineGate({
  blocker: 'reputation_unsafe',
  outcomes: [
    { name: 'healthy', decision: 'APPROVE' },
    { name: 'watch', decision: 'DEGRADE_AND_APPROVE' },
    { name: 'probation', decision: 'DEGRADE_AND_APPROVE' },
    { name: 'sample_unknown_budgeted', decision: 'DEGRADE_AND_APPROVE' },
    { name: 'stale', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'cap_reached', decision: 'HOLD_FOR_REPUTATION' },
    { name: 'unknown', decision: 'HOLD_FOR_REPUTATION' },
    { name: 'cooling', decision: 'HOLD_FOR_REPUTATION' },
    { name: 'blocked', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask(input) {
    const { reading, action, reservation, policy } = input;
    const found = new Findings<(typeof ORDER)[number]>(ORDER);
    const band = reading.fact('pacing', action.mailbox, 'band');
    judgeBand(input, found);
    const causes = reading.fresh ? reading.source('pacing', action.mailbox)?.causes : undefined;
    if (Object.keys(causes?.requalifications ?? {}).length > 0) found.add('probation', because(band));
    const cooldowns = Object.values(causes?.cooldowns ?? {});
    if (cooldowns.length > 0) found.add('cooling', because(band));
    for (const hold of Object.keys(causes?.holds ?? {})) {
      // What a person only has to look at before the mailbox goes on waits; the rest is refused.
      if (hold === RISKS_COMPOUND) found.add('cooling', awaitsRelease(action.mailbox));
      else found.add('blocked', because(band));
    }
    // Our reservations are not all that leaves a mailbox: what it sent otherwise counts against its cap too.
    if ('cap_reached' in (causes?.closures ?? {})) {
      found.add('cap_reached', because(reading.fact('pacing', action.mailbox, 'sentToday')));
    }
    if (reservation.slot !== 'free') {
      const reason = reservation.slot === 'gap' ? 'gap_not_over' : 'slot_taken';
      found.add('cap_reached', becauseRequest('pacing', action.mailbox, 'capToday', reason, 'orchestrate'));
    }
    const worst = found.worst();
    const releaseAtMs =
      worst.outcome === 'cooling'
        ? Math.max(0, ...cooldowns.map((cooldown) => cooldown.untilMs)) || null
        : worst.outcome === 'cap_reached' || spent(worst.because)
          ? reservation.nextSlotAtMs
          : null;
    const degradations = {
      watch: policy.degradations.reputation_watch,
      probation: policy.degradations.reputation_probation,
      sample_unknown_budgeted: {
        ...policy.degradations.reputation_sample_unknown_budgeted,
        budgetIds: [...reservation.budgetIds],
      },
    };
    const constraints = degradations[worst.outcome as keyof typeof degradations];
    return constraints ? { ...worst, constraints, releaseAtMs } : { ...worst, releaseAtMs };
  },
});

/** The cause under which pacing is held when two high risks stood together. */
const RISKS_COMPOUND: Reason = 'risks_compound';

const awaitsRelease = (mailbox: string): Because => ({
  layer: 'pacing',
  source: mailbox,
  fact: 'hold',
  verdict: 'fail',
  reason: RISKS_COMPOUND,
  owner: 'operator',
});

const spent = (reasons: readonly { readonly reason: string }[]): boolean =>
  reasons.some((one) => one.reason === 'budget_spent');

function judgeBand(input: DispatchCase, found: Findings<(typeof ORDER)[number]>): void {
  const { reading, action, reservation } = input;
  const band = reading.fact('pacing', action.mailbox, 'band');
  if (band.verdict === 'unknown') {
    // A budget covers only a sample that is too small to judge, never an expired answer or a fault.
    if (!isExplorable(band.reason)) found.add(unknownOrStale(band), because(band));
    else if (reservation.budget === 'available') found.add('sample_unknown_budgeted', because(band));
    else {
      const reason = becauseRequest(
        'pacing',
        action.mailbox,
        'band',
        'budget_spent',
        'orchestrate',
        'unknown',
      );
      found.add('unknown', because(band), reason);
    }
    return;
  }
  switch (band.value) {
    case 'healthy':
      found.add('healthy', because(band));
      break;
    case 'watch':
    case 'throttled':
      found.add('watch', because(band));
      break;
    case 'quarantined':
      found.add('cooling', because(band));
      break;
    default:
      found.add('blocked', because(band));
  }
}
