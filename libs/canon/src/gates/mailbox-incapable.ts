import { standing } from '../standing.ts';
import { because, becauseRequest, defineGate, Findings } from './gate.ts';

export const mailboxIncapableGate = defineGate({
  blocker: 'mailbox_incapable',
  outcomes: [
    { name: 'capable', decision: 'APPROVE' },
    { name: 'limited', decision: 'DEGRADE_AND_APPROVE' },
    { name: 'unknown', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'quota_full', decision: 'HOLD_FOR_REPUTATION' },
    { name: 'incapable', decision: 'BLOCK' },
  ],
  faulted: 'unknown',
  ask: standing(({ reading, action, policy }) => {
    const found = new Findings(['capable', 'limited', 'unknown', 'quota_full', 'incapable']);
    const { mailbox } = action;
    for (const fact of reading.required('mailbox', mailbox)) {
      if (fact.verdict === 'unknown') found.add('unknown', because(fact));
      else if (fact.severity === 'hard') found.add('incapable', because(fact));
      else found.add(fact.severity === 'soft' ? 'limited' : 'capable', because(fact));
    }
    const source = reading.fresh ? reading.source('mailbox', mailbox) : undefined;
    if (source?.enabled === false) {
      found.add('incapable', becauseRequest('mailbox', mailbox, 'source', 'source_disabled', 'client'));
    }
    if (source && 'quota_full' in source.causes.closures) {
      found.add('quota_full', because(reading.fact('mailbox', mailbox, 'quotaUsed')));
    }
    if (source && Object.keys(source.causes.holds).length > 0) {
      found.add('incapable', because(reading.fact('mailbox', mailbox, 'identityClass')));
    }
    if (Object.keys(source?.causes.requalifications ?? {}).length > 0) {
      found.add('limited', because(reading.fact('mailbox', mailbox, 'canSend')));
    }
    // A provider that throttles the account says what a full quota says: not now.
    const cooldowns = Object.values(source?.causes.cooldowns ?? {});
    if (cooldowns.length > 0) found.add('quota_full', because(reading.fact('mailbox', mailbox, 'quotaUsed')));
    const worst = found.worst();
    if (worst.outcome === 'quota_full' && cooldowns.length > 0) {
      return { ...worst, releaseAtMs: Math.max(...cooldowns.map((cooldown) => cooldown.untilMs)) };
    }
    return worst.outcome === 'limited'
      ? { ...worst, constraints: policy.degradations.mailbox_limited }
      : worst;
  }),
});
