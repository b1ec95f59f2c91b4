import { because, defineGate } from './gate.ts';

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
    return { outcome: freeze.value === true ? 'frozen' : 'clear', because: reasons };
  },
});
