import { standing } from '../standing.ts';
import type { FreezeCause } from '../words.ts';
import { type Because, because, defineGate, type GateAnswer } from './gate.ts';

/** The cause under which governance is held while everything is frozen. */
const FREEZE_ALL: FreezeCause = 'freeze_all';

export const operatorFreezeGate = defineGate({
  blocker: 'operator_freeze',
  outcomes: [
    { name: 'clear', decision: 'APPROVE' },
    { name: 'stale', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'unknown', decision: 'HOLD_FOR_HUMAN_REVIEW' },
    { name: 'frozen', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask(input) {
    const { freezes } = input;
    // A freeze counts from its record on: the truth hears of it on another way, and later.
    return freezes.length > 0 ? { outcome: 'frozen', because: freezes.map(frozenBy) } : toldByTruth(input);
  },
});

const toldByTruth = standing(({ reading }): GateAnswer<'clear' | 'stale' | 'unknown' | 'frozen'> => {
  const freeze = reading.fact('governance', 'main', 'freeze');
  const reasons = [because(freeze)];
  if (freeze.verdict === 'unknown') return { outcome: freeze.stale ? 'stale' : 'unknown', because: reasons };
  // A tenant's own freeze and the one of everything are two causes: ending one leaves the other.
  const causes: FreezeCause[] = [
    ...(freeze.value === true ? (['freeze'] as const) : []),
    ...(reading.holds('governance', 'main').includes(FREEZE_ALL) ? [FREEZE_ALL] : []),
  ];
  if (causes.length > 0) return { outcome: 'frozen', because: causes.map(frozenBy) };
  return { outcome: 'clear', because: reasons };
});

function frozenBy(cause: FreezeCause): Because {
  return {
    layer: 'governance',
    source: 'main',
    fact: 'freeze',
    verdict: 'fail',
    reason: cause,
    owner: 'operator',
  };
}
