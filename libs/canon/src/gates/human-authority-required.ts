import { type NamedSources, standing } from '../standing.ts';
import type { TruthReading } from '../truth-reading.ts';
import {
  type Because,
  because,
  becauseRequest,
  type DispatchCase,
  defineGate,
  type GateAnswer,
  type RequestReason,
} from './gate.ts';

type Outcome = 'free' | 'flagged' | 'approved' | 'stale' | 'unapproved' | 'unknown' | 'draft_only';

export const humanAuthorityRequiredGate = defineGate({
  blocker: 'human_authority_required',
  outcomes: [
    { name: 'free', decision: 'APPROVE' },
    { name: 'flagged', decision: 'APPROVE' },
    { name: 'approved', decision: 'APPROVE' },
    { name: 'stale', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'unapproved', decision: 'HOLD_FOR_HUMAN_REVIEW' },
    { name: 'unknown', decision: 'HOLD_FOR_HUMAN_REVIEW' },
    { name: 'draft_only', decision: 'HOLD_FOR_HUMAN_REVIEW' },
  ],
  faulted: 'unknown',
  ask(input) {
    const told = toldByMode(input);
    // An approval is all that is missing: whether there is one only the request can say.
    const problem = told.outcome === 'approved' ? approvalProblem(input) : null;
    return problem ? { outcome: 'unapproved', because: wants(problem) } : told;
  },
});

const wants = (reason: RequestReason): readonly Because[] => [
  becauseRequest('governance', 'main', 'resolvedMode', reason, 'operator'),
];

/** What the mode and the holds come to, as if there were an approval. */
const toldByMode = standing(({ reading, action }): GateAnswer<Outcome> => {
  const requested = reading.fact('governance', 'main', 'requestedMode');
  const reasons = [because(requested)];
  if (!reading.fresh) return { outcome: 'stale', because: reasons };
  if (requested.verdict === 'unknown') {
    return { outcome: requested.stale ? 'stale' : 'unknown', because: reasons };
  }
  const mode = reading.truth!.mode.resolved;
  if (mode === 'draft_only') return { outcome: 'draft_only', because: wants('draft_only') };
  const held = heldLayers(reading, action);
  if (held.length > 0) return { outcome: 'unapproved', because: held };
  if (mode === 'approval_required') return { outcome: 'approved', because: reasons };
  return { outcome: mode === 'supervised' ? 'flagged' : 'free', because: reasons };
});

/** What a person holds only a person gives back: the layers whose own gates ask for facts and not for holds. */
function heldLayers(reading: TruthReading, action: NamedSources): readonly Because[] {
  const asked = [
    ['billing', 'main'],
    ['sending_domain', action.domain],
    ['governance', 'main'],
    ['continuity_window', 'main'],
  ] as const;
  return asked
    .filter(([layer, source]) => reading.holds(layer, source).length > 0)
    .map(([layer, source]) => ({
      layer,
      source,
      fact: 'hold',
      verdict: 'fail',
      reason: 'operator_hold',
      owner: 'operator',
    }));
}

/** An approval is for the exact action that was looked at, and not for ever. */
function approvalProblem({ approval, action, nowMs }: DispatchCase): RequestReason | null {
  if (!approval) return 'approval_missing';
  if (approval.actionDigest !== action.actionDigest) return 'approval_mismatch';
  return approval.expiresAtMs <= nowMs ? 'approval_expired' : null;
}
