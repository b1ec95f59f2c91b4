import { because, becauseRequest, defineGate, type DispatchCase, type RequestReason } from './gate.ts';

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
    const requested = input.reading.fact('governance', 'main', 'requestedMode');
    const reasons = [because(requested)];
    if (!input.reading.fresh) return { outcome: 'stale', because: reasons };
    if (requested.verdict === 'unknown') return { outcome: requested.stale ? 'stale' : 'unknown', because: reasons };
    const wants = (reason: RequestReason) => [
      becauseRequest('governance', 'main', 'resolvedMode', reason, 'operator'),
    ];
    switch (input.reading.truth!.mode.resolved) {
      case 'draft_only':
        return { outcome: 'draft_only', because: wants('draft_only') };
      case 'approval_required': {
        const problem = approvalProblem(input);
        return problem ? { outcome: 'unapproved', because: wants(problem) } : { outcome: 'approved', because: reasons };
      }
      case 'supervised':
        return { outcome: 'flagged', because: reasons };
      case 'autonomous':
        return { outcome: 'free', because: reasons };
    }
  },
});

/** An approval is for the exact action that was looked at, and not for ever. */
function approvalProblem({ approval, action, nowMs }: DispatchCase): RequestReason | null {
  if (!approval) return 'approval_missing';
  if (approval.actionDigest !== action.actionDigest) return 'approval_mismatch';
  return approval.expiresAtMs <= nowMs ? 'approval_expired' : null;
}
