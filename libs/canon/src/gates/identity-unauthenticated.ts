import { standing } from '../standing.ts';
import { because, becauseRequest, defineGate, Findings, unknownOrStale } from './gate.ts';

const PROOFS = ['spf', 'dkim', 'dmarc', 'alignment'] as const;

export const identityUnauthenticatedGate = defineGate({
  blocker: 'identity_unauthenticated',
  outcomes: [
    { name: 'proven', decision: 'APPROVE' },
    { name: 'soft', decision: 'DEGRADE_AND_APPROVE' },
    { name: 'grace_proven', decision: 'DEGRADE_AND_APPROVE' },
    { name: 'stale', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'unknown', decision: 'HOLD_FOR_REPUTATION' },
    { name: 'grace_unproven', decision: 'HOLD_FOR_REPUTATION' },
    { name: 'failing', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask: standing(({ reading, action, policy }) => {
    const found = new Findings([
      'proven',
      'soft',
      'grace_proven',
      'stale',
      'unknown',
      'grace_unproven',
      'failing',
    ]);
    const { domain } = action;
    const alignment = reading.fact('sending_domain', domain, 'alignment');
    for (const name of PROOFS) {
      const fact = reading.fact('sending_domain', domain, name);
      if (fact.verdict === 'unknown') found.add(unknownOrStale(fact), because(fact));
      else if (fact.severity === 'soft') found.add('soft', because(fact));
      else if (fact.severity !== 'hard') found.add('proven', because(fact));
      else if (!reading.inGrace('sending_domain', domain, name)) found.add('failing', because(fact));
      // A message delivered after the failure that still aligned is better evidence than the record.
      else if (alignment.verdict === 'pass' && (alignment.observedAtMs ?? 0) > (fact.observedAtMs ?? 0)) {
        found.add('grace_proven', because(fact), because(alignment));
      } else found.add('grace_unproven', because(fact));
    }
    if (reading.fresh && reading.source('sending_domain', domain)?.enabled === false) {
      found.add(
        'unknown',
        becauseRequest('sending_domain', domain, 'source', 'source_disabled', 'client', 'unknown'),
      );
    }
    const worst = found.worst();
    if (worst.outcome === 'soft') return { ...worst, constraints: policy.degradations.identity_soft };
    if (worst.outcome === 'grace_proven')
      return { ...worst, constraints: policy.degradations.identity_grace_proven };
    return worst;
  }),
});
