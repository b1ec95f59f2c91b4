import { mergeConstraints, permitsNothing } from './constraints.ts';
import { digestOf } from './fingerprint.ts';
import { type Because, becauseRequest, type DispatchCase, type Gate } from './gates/gate.ts';
import { GATES } from './gates/index.ts';
import type { ResolvedMode } from './mode.ts';
import type { Constraints } from './policy.ts';
import { answerRationale, type RationaleAnswer, UNANSWERED } from './rationale.ts';
import {
  DISPATCH_BLOCKERS,
  type DispatchBlocker,
  type DispatchDecision,
  dispatches,
  hardnessOf,
  type Lane,
  type Owner,
  RATIONALE_QUESTIONS,
} from './words.ts';

/** What one gate found. All ten are in every decision, so that the audit shows the whole picture. */
export interface GateFinding {
  readonly gate: number;
  readonly blocker: DispatchBlocker;
  readonly outcome: string;
  readonly decision: DispatchDecision;
  readonly because: readonly Because[];
  readonly faulted: boolean;
}

export interface UnblockItem extends Because {
  readonly gate: number;
}

export interface Decision {
  readonly decision: DispatchDecision;
  /** The lowest-numbered gate with the highest outcome: 1 to 10. */
  readonly decidingGate: number;
  readonly decidingBlocker: DispatchBlocker;
  readonly decidingOutcome: string;
  readonly gates: readonly GateFinding[];
  readonly rationale: readonly RationaleAnswer[];
  readonly mode: ResolvedMode | null;
  readonly constraints: Constraints | null;
  readonly constraintsDigest: string | null;
  readonly review: { readonly required: true; readonly dueByMs: number } | null;
  readonly approvalId: string | null;
  readonly budgetIds: readonly string[];
  /** Of a hold: the facts that must change, who owns each, and the earliest moment at which time may do it. */
  readonly unblock: readonly UnblockItem[];
  readonly lane: Lane | null;
  readonly earliestReleaseMs: number | null;
}

const DAY_MS = 86_400_000;

interface Asked {
  readonly finding: GateFinding;
  readonly constraints: Constraints | null;
  readonly releaseAtMs: number | null;
}

/**
 * The decision on one dispatch. Pure and total: all ten gates are asked, the hardest outcome decides, a tie names
 * the lowest gate, and a gate that throws is unknown, never a pass.
 */
export function decide(input: DispatchCase, gates: readonly Gate[] = GATES): Decision {
  const asked = gates.map((gate, index) => ask(gate, index + 1, input));
  const deciding = asked.reduce((worst, next) =>
    hardnessOf(next.finding.decision) > hardnessOf(worst.finding.decision) ? next : worst,
  );
  const { decision } = deciding.finding;
  if (!dispatches(decision)) return refuse(input, asked, deciding.finding);
  const constraints = mergeConstraints(asked.flatMap((one) => one.constraints ?? []));
  const unmet = decision === 'DEGRADE_AND_APPROVE' ? unmetConstraint(input, constraints) : null;
  if (unmet) return refuse(input, withUnmet(asked, unmet), unmet.finding);
  return release(input, asked, deciding.finding, constraints);
}

function ask(gate: Gate, number: number, input: DispatchCase): Asked {
  try {
    const answer = gate.ask(input);
    return {
      finding: finding(gate, number, answer.outcome, answer.because, false),
      constraints: answer.constraints ?? null,
      releaseAtMs: answer.releaseAtMs ?? null,
    };
  } catch {
    const reason = becauseRequest(
      'governance',
      'main',
      gate.blocker,
      'gate_faulted',
      'orchestrate',
      'unknown',
    );
    return {
      finding: finding(gate, number, gate.faulted, [reason], true),
      constraints: null,
      releaseAtMs: null,
    };
  }
}

function finding(
  gate: Gate,
  number: number,
  outcome: string,
  because: readonly Because[],
  faulted: boolean,
): GateFinding {
  const found = gate.outcomes.find((one) => one.name === outcome);
  if (!found) throw new TypeError(`gate ${gate.blocker} has no outcome \`${outcome}\``);
  return { gate: number, blocker: gate.blocker, outcome, decision: found.decision, because, faulted };
}

/** A degraded release whose conditions this very message cannot meet is no release. */
function unmetConstraint(input: DispatchCase, constraints: Constraints): Asked | null {
  const { action, reservation, nowMs } = input;
  const usedUp = constraints.maxToday !== undefined && reservation.usedToday >= constraints.maxToday;
  const unmet =
    usedUp ||
    permitsNothing(constraints, nowMs) ||
    (constraints.verifiedRecipientsOnly === true && !action.recipientVerified) ||
    (constraints.newProspects === false && input.recipient.touches === 0);
  if (!unmet) return null;
  const number = DISPATCH_BLOCKERS.indexOf('reputation_unsafe') + 1;
  return {
    finding: {
      gate: number,
      blocker: 'reputation_unsafe',
      outcome: 'cap_reached',
      decision: 'HOLD_FOR_REPUTATION',
      because: [
        becauseRequest('pacing', action.mailbox, 'constraints', 'constraint_unsatisfiable', 'orchestrate'),
      ],
      faulted: false,
    },
    constraints: null,
    // What is used up of a day comes back with the next one (UTC): without a time nobody would look again.
    releaseAtMs: usedUp && constraints.maxToday !== 0 ? (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS : null,
  };
}

const withUnmet = (asked: readonly Asked[], unmet: Asked): readonly Asked[] =>
  asked.map((one) => (one.finding.gate === unmet.finding.gate ? unmet : one));

function release(
  input: DispatchCase,
  asked: readonly Asked[],
  deciding: GateFinding,
  constraints: Constraints,
): Decision {
  const degraded = deciding.decision === 'DEGRADE_AND_APPROVE';
  const mode = input.reading.truth?.mode ?? null;
  const approved = asked.some((one) => one.finding.outcome === 'approved');
  const budgetIds = constraints.budgetIds ?? [];
  const safe: RationaleAnswer<'whyDispatchSafe'> = {
    question: 'whyDispatchSafe',
    code: approved
      ? 'approval_bound'
      : budgetIds.length > 0
        ? 'exploration_budget'
        : degraded
          ? 'gates_pass_degraded'
          : 'gates_pass',
    evidence: [],
  };
  return {
    ...named(deciding),
    gates: asked.map((one) => one.finding),
    rationale: rationaleOf(input, safe),
    mode,
    constraints: degraded ? constraints : null,
    constraintsDigest: degraded ? digestOf(constraints) : null,
    review:
      mode?.resolved === 'supervised'
        ? { required: true, dueByMs: input.nowMs + input.policy.dispatch.reviewWithinSec * 1000 }
        : null,
    approvalId: approved ? (input.approval?.approvalId ?? null) : null,
    budgetIds,
    unblock: [],
    lane: null,
    earliestReleaseMs: null,
  };
}

function refuse(input: DispatchCase, asked: readonly Asked[], deciding: GateFinding): Decision {
  const findings = asked.map((one) => one.finding);
  const inTheWay = findings.filter((found) => !dispatches(found.decision));
  const unblock = inTheWay.flatMap((found) => found.because.map((one) => ({ ...one, gate: found.gate })));
  const releases = asked.flatMap((one) => (one.releaseAtMs === null ? [] : [one.releaseAtMs]));
  const unknown = inTheWay.every((found) => found.outcome === 'unknown' || found.outcome === 'stale');
  const safe: RationaleAnswer<'whyDispatchSafe'> = {
    question: 'whyDispatchSafe',
    code: unknown ? 'unknown' : 'not_safe',
    evidence: [],
  };
  const final = deciding.decision === 'BLOCK';
  return {
    ...named(deciding),
    gates: findings,
    rationale: rationaleOf(input, safe),
    mode: input.reading.truth?.mode ?? null,
    constraints: null,
    constraintsDigest: null,
    review: null,
    approvalId: null,
    budgetIds: [],
    unblock,
    lane: final ? null : laneOf(unblock.map((one) => one.owner)),
    earliestReleaseMs: final || releases.length === 0 ? null : Math.max(...releases),
  };
}

const named = (deciding: GateFinding) => ({
  decision: deciding.decision,
  decidingGate: deciding.gate,
  decidingBlocker: deciding.blocker,
  decidingOutcome: deciding.outcome,
});

function rationaleOf(input: DispatchCase, safe: RationaleAnswer): readonly RationaleAnswer[] {
  const answers = [...answersTo(input), safe];
  return RATIONALE_QUESTIONS.map((question) => answers.find((answer) => answer.question === question)!);
}

/** A fault here is gate 9's as well, which holds for it. */
function answersTo(input: DispatchCase): readonly RationaleAnswer[] {
  try {
    return answerRationale(input);
  } catch {
    return UNANSWERED;
  }
}

function laneOf(owners: readonly Owner[]): Lane {
  if (owners.includes('operator')) return 'person';
  return owners.includes('client') ? 'client' : 'watch';
}
