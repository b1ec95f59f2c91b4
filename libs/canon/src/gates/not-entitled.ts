import { standing } from '../standing.ts';
import { because, defineGate, Findings } from './gate.ts';

export const notEntitledGate = defineGate({
  blocker: 'not_entitled',
  outcomes: [
    { name: 'entitled', decision: 'APPROVE' },
    { name: 'grace', decision: 'DEGRADE_AND_APPROVE' },
    { name: 'unknown', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'not_entitled', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask: standing(({ reading, policy }) => {
    const found = new Findings(['entitled', 'grace', 'unknown', 'not_entitled']);
    for (const name of ['subscriptionStatus', 'paymentMethod', 'entitlementRemaining']) {
      const fact = reading.fact('billing', 'main', name);
      if (fact.verdict === 'unknown') found.add('unknown', because(fact));
      else if (fact.severity !== 'hard') found.add('entitled', because(fact));
      else if (reading.inGrace('billing', 'main', name)) found.add('grace', because(fact));
      else found.add('not_entitled', because(fact));
    }
    const worst = found.worst();
    return worst.outcome === 'grace'
      ? { ...worst, constraints: policy.degradations.not_entitled_grace }
      : worst;
  }),
});
