import type { Reason } from '../condition.ts';
import { isExplorable } from '../facts.ts';
import type { Constraints } from '../policy.ts';
import { standing } from '../standing.ts';
import type { ReadFact } from '../truth-reading.ts';
import {
  type Because,
  because,
  becauseRequest,
  type DispatchCase,
  defineGate,
  Findings,
  type GateAnswer,
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
type Outcome = (typeof ORDER)[number];

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
    const told = toldByPacing(input);
    const { outcome, because } =
      told.explored || input.reservation.slot !== 'free' ? reserved(input, told) : told;
    const releaseAtMs =
      outcome === 'cooling'
        ? told.cooledAtMs
        : outcome === 'cap_reached' || spent(because)
          ? input.reservation.nextSlotAtMs
          : null;
    const constraints = constraintsOf(outcome, input);
    return constraints ? { outcome, because, constraints, releaseAtMs } : { outcome, because, releaseAtMs };
  },
});

/** The same with what could be reserved: a budget to explore under, and a slot. */
function reserved({ action, reservation }: DispatchCase, told: Told): GateAnswer<Outcome> {
  const found = new Findings<Outcome>(ORDER).add(told.outcome, ...told.because);
  if (told.explored) {
    // A budget covers only a sample that is too small to judge, never an expired answer or a fault.
    if (reservation.budget === 'available') found.add('sample_unknown_budgeted', told.band);
    else found.add('unknown', told.band, budgetSpent(action.mailbox));
  }
  if (reservation.slot !== 'free') {
    const reason = reservation.slot === 'gap' ? 'gap_not_over' : 'slot_taken';
    found.add('cap_reached', becauseRequest('pacing', action.mailbox, 'capToday', reason, 'orchestrate'));
  }
  return found.worst();
}

interface Told extends GateAnswer<Outcome> {
  readonly band: Because;
  /** A sample too small to judge: what comes of it is a matter of the budget. */
  readonly explored: boolean;
  readonly cooledAtMs: number | null;
}

/** What the mailbox's counts and causes come to, before its budget and its slot are asked for. */
const toldByPacing = standing(({ reading, action }): Told => {
  const found = new Findings<Outcome>(ORDER);
  const band = reading.fact('pacing', action.mailbox, 'band');
  judgeBand(band, found);
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
  return {
    ...found.worst(),
    band: because(band),
    explored: band.verdict === 'unknown' && isExplorable(band.reason),
    cooledAtMs: Math.max(0, ...cooldowns.map((cooldown) => cooldown.untilMs)) || null,
  };
});

function constraintsOf(outcome: Outcome, input: DispatchCase): Constraints | null {
  const { degradations } = input.policy;
  if (outcome === 'watch') return degradations.reputation_watch;
  if (outcome === 'probation') return degradations.reputation_probation;
  return outcome === 'sample_unknown_budgeted' ? exploring(input) : null;
}

/** By the budgets that are spent, of which a mailbox has few. */
const exploringByBudgets = standing(() => new Map<string, Constraints>());

function exploring(input: DispatchCase): Constraints {
  const { budgetIds } = input.reservation;
  const known = exploringByBudgets(input);
  const key = budgetIds.join('\n');
  let constraints = known.get(key);
  if (!constraints) {
    const { reputation_sample_unknown_budgeted } = input.policy.degradations;
    constraints = { ...reputation_sample_unknown_budgeted, budgetIds: [...budgetIds] };
    known.set(key, constraints);
  }
  return constraints;
}

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

const budgetSpent = (mailbox: string): Because =>
  becauseRequest('pacing', mailbox, 'band', 'budget_spent', 'orchestrate', 'unknown');

function judgeBand(band: ReadFact, found: Findings<Outcome>): void {
  if (band.verdict === 'unknown') {
    if (!isExplorable(band.reason)) found.add(unknownOrStale(band), because(band));
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
