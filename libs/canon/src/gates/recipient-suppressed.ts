import { standing } from '../standing.ts';
import { because, becauseRequest, defineGate, type GateAnswer } from './gate.ts';

export const recipientSuppressedGate = defineGate({
  blocker: 'recipient_suppressed',
  outcomes: [
    { name: 'clear', decision: 'APPROVE' },
    { name: 'unknown', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'suppressed', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask(input) {
    const { recipient } = input;
    const source = input.action.importSource;
    if (recipient.suppression === 'suppressed') {
      const reason = becauseRequest('data', source, 'suppression', 'recipient_suppressed', 'client');
      return { outcome: 'suppressed', because: [reason] };
    }
    if (recipient.suppression === 'unknown') {
      const reason = becauseRequest(
        'data',
        source,
        'suppression',
        'suppression_unknown',
        'orchestrate',
        'unknown',
      );
      return { outcome: 'unknown', because: [reason] };
    }
    return toldByList(input);
  },
});

/** A list that was not synchronised in time may miss the very entry that matters. */
const toldByList = standing(({ reading, action }): GateAnswer<'clear' | 'unknown'> => {
  const sync = reading.fact('data', action.importSource, 'suppressionSyncAgeSec');
  const stale = sync.verdict === 'unknown' && sync.reason !== 'never_observed';
  return { outcome: stale ? 'unknown' : 'clear', because: [because(sync)] };
});
