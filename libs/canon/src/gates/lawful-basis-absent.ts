import { standing } from '../standing.ts';
import { because, defineGate, Findings } from './gate.ts';

export const lawfulBasisAbsentGate = defineGate({
  blocker: 'lawful_basis_absent',
  outcomes: [
    { name: 'lawful', decision: 'APPROVE' },
    { name: 'stale', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'unknown', decision: 'HOLD_FOR_HUMAN_REVIEW' },
    { name: 'absent', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask: standing(({ reading }) => {
    const found = new Findings(['lawful', 'stale', 'unknown', 'absent']);
    const basis = reading.fact('governance', 'main', 'lawfulBasis');
    const jurisdiction = reading.fact('governance', 'main', 'jurisdiction');
    found.add('lawful', because(basis), because(jurisdiction));
    for (const fact of [basis, jurisdiction]) {
      if (fact.verdict === 'unknown') found.add(fact.stale ? 'stale' : 'unknown', because(fact));
    }
    if (basis.value === 'none') found.add('absent', because(basis));
    if (basis.value === 'unknown') found.add('unknown', because(basis));
    if (jurisdiction.value === 'undeclared') found.add('unknown', because(jurisdiction));
    return found.worst();
  }),
});
