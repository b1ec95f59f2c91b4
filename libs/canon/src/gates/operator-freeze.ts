import type { Reason } from '../condition.ts';
import { because, defineGate } from './gate.ts';

/** The cause under which governance is held while everything is frozen. */
const FREEZE_ALL: Reason = 'freeze_all';

export const operatorFreezeGate = defineGate({
  blocker: 'operator_freeze',
  outcomes: [
    { name: 'clear', decision: 'APPROVE' },
    { name: 'stale', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'unknown', decision: 'HOLD_FOR_HUMAN_REVIEW' },
    { name: 'frozen', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask({ reading }) {
    const freeze = reading.fact('governance', 'main', 'freeze');
    const reasons = [because(freeze)];
    if (freeze.verdict === 'unknown')
      return { outcome: freeze.stale ? 'stale' : 'unknown', because: reasons };
    // A tenant's own freeze and the one of everything are two causes: ending one leaves the other.
    const frozen = freeze.value === true || reading.holds('governance', 'main').includes(FREEZE_ALL);
    return { outcome: frozen ? 'frozen' : 'clear', because: reasons };
  },
});
