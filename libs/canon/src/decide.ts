import { permitsNothing } from './constraints.ts';
import { type Because, becauseRequest, type DispatchCase, type Gate, type GateAnswer } from './gates/gate.ts';
import { GATES } from './gates/index.ts';
import { type MergedConstraints, mergedConstraints } from './merged-constraints.ts';
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
  readonly answer: GateAnswer;
}

/**
 * The decision on one dispatch. Pure and total: all ten gates are asked, the hardest outcome decides, a tie names
 * the lowest gate, and a gate that throws is unknown, never a pass.
 */
export function decide(input: DispatchCase, gates: readonly Gate[] = GATES): Decision {
  const asked = gates.map((gate, index) => ask(gate, index + 1, input));
  const deciding = hardestOf(asked);
  const { decision } = deciding;
  if (!dispatches(decision)) return refuse(input, asked, deciding);
  const merged = mergedConstraints(asked.flatMap(({ answer }) => answer.constraints ?? NONE));
  const unmet = decision === 'DEGRADE_AND_APPROVE' ? unmetConstraint(input, merged.constraints) : null;
  if (unmet) return refuse(input, withUnmet(asked, unmet), unmet.finding);
  return release(input, asked, deciding, merged);
}

const NONE: readonly never[] = [];

function hardestOf(asked: readonly Asked[]): GateFinding {
  let deciding = asked[0]!.finding;
  let hardness = hardnessOf(deciding.decision);
  for (const { finding } of asked) {
    if (hardnessOf(finding.decision) <= hardness) continue;
    deciding = finding;
    hardness = hardnessOf(finding.decision);
  }
  return deciding;
}

function ask(gate: Gate, number: number, input: DispatchCase): Asked {
  try {
    const answer = gate.ask(input);
    return { finding: finding(gate, number, answer, false), answer };
  } catch {
    const answer = { outcome: gate.faulted, because: [gateFaulted(gate)] };
    return { finding: finding(gate, number, answer, true), answer };
  }
}

const gateFaulted = (gate: Gate): Because =>
  becauseRequest('governance', 'main', gate.blocker, 'gate_faulted', 'orchestrate', 'unknown');

function finding(
  gate: Gate,
  number: number,
  { outcome, because }: GateAnswer,
  faulted: boolean,
): GateFinding {
  const { blocker } = gate;
  const decision = gate.outcomes.find(({ name }) => name === outcome)?.decision;
  if (!decision) throw new TypeError(`gate ${blocker} has no outcome \`${outcome}\``);
  return { gate: number, blocker, outcome, decision, because, faulted };
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
  const blocker = 'reputation_unsafe';
  const answer: GateAnswer<'cap_reached'> = {
    outcome: 'cap_reached',
    because: [
      becauseRequest('pacing', action.mailbox, 'constraints', 'constraint_unsatisfiable', 'orchestrate'),
    ],
    // What is used up of a day comes back with the next one (UTC): without a time nobody would look again.
    releaseAtMs: usedUp && constraints.maxToday !== 0 ? (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS : null,
  };
  const gate = DISPATCH_BLOCKERS.indexOf(blocker) + 1;
  const { outcome, because } = answer;
  return {
    finding: { gate, blocker, outcome, decision: 'HOLD_FOR_REPUTATION', because, faulted: false },
    answer,
  };
}

const withUnmet = (asked: readonly Asked[], unmet: Asked): readonly Asked[] =>
  asked.map((one) => (one.finding.gate === unmet.finding.gate ? unmet : one));

function release(
  input: DispatchCase,
  asked: readonly Asked[],
  deciding: GateFinding,
  { constraints, digest }: MergedConstraints,
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
    rationale: rationaleOf(input, asked, safe),
    mode,
    constraints: degraded ? constraints : null,
    constraintsDigest: degraded ? digest : null,
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
  const unblock: UnblockItem[] = [];
  let unknown = true;
  let releaseMs: number | null = null;
  for (const { finding, answer } of asked) {
    const { releaseAtMs = null } = answer;
    if (releaseAtMs !== null) releaseMs = Math.max(releaseMs ?? releaseAtMs, releaseAtMs);
    if (dispatches(finding.decision)) continue;
    for (const one of finding.because) unblock.push({ ...one, gate: finding.gate });
    if (finding.outcome !== 'unknown' && finding.outcome !== 'stale') unknown = false;
  }
  const safe: RationaleAnswer<'whyDispatchSafe'> = {
    question: 'whyDispatchSafe',
    code: unknown ? 'unknown' : 'not_safe',
    evidence: [],
  };
  const final = deciding.decision === 'BLOCK';
  return {
    ...named(deciding),
    gates: asked.map((one) => one.finding),
    rationale: rationaleOf(input, asked, safe),
    mode: input.reading.truth?.mode ?? null,
    constraints: null,
    constraintsDigest: null,
    review: null,
    approvalId: null,
    budgetIds: [],
    unblock,
    lane: final ? null : laneOf(unblock.map((one) => one.owner)),
    earliestReleaseMs: final ? null : releaseMs,
  };
}

const named = (deciding: GateFinding) => ({
  decision: deciding.decision,
  decidingGate: deciding.gate,
  decidingBlocker: deciding.blocker,
  decidingOutcome: deciding.outcome,
});

/** As gate 9 heard them; where it did not, or failed in asking, they are asked for here. */
function rationaleOf(
  input: DispatchCase,
  asked: readonly Asked[],
  safe: RationaleAnswer,
): readonly RationaleAnswer[] {
  const heard = asked.find(({ answer }) => answer.rationale)?.answer.rationale ?? answersTo(input);
  return heard.toSpliced(SAFE, 0, safe);
}

const SAFE = RATIONALE_QUESTIONS.indexOf('whyDispatchSafe');

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
