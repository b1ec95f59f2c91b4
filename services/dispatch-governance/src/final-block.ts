import type { Decision } from '@orchestrate/canon';
import type { Ruling } from '@orchestrate/contracts';

/** A person or the clock has the last word: the gates are on record as they stand, the ruling is final. */
export function finalBlock(found: Decision, outcome: Ruling): Decision {
  return {
    ...found,
    decision: 'BLOCK',
    decidingGate: 10,
    decidingBlocker: 'human_authority_required',
    decidingOutcome: outcome,
    constraints: null,
    constraintsDigest: null,
    review: null,
    approvalId: null,
    budgetIds: [],
    unblock: [],
    lane: null,
    earliestReleaseMs: null,
  };
}
