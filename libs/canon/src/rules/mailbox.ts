import { type CauseWanted, hard, type Judgement, type LayerRule, number, PASS, soft } from './layer-rule.ts';

export const mailboxRule: LayerRule<'mailbox'> = {
  layer: 'mailbox',
  owner: 'client',
  follows: ['quota_full'],
  requalification: { needed: (policy) => policy.mailbox.probationReports },
  judge(fact, known): Judgement {
    switch (fact) {
      case 'token':
        if (known.token === 'invalid_grant' || known.token === 'inactive_unspecified')
          return hard(known.token);
        return PASS;
      case 'canSend':
        return known.canSend === true ? PASS : hard('cannot_send');
      // A send-only grant makes bounces and replies invisible, which is not the same as none.
      case 'canSeeBounces':
        return known.canSeeBounces === true ? PASS : soft('bounces_invisible');
      case 'canReadReplies':
        return known.canReadReplies === true ? PASS : soft('replies_unreadable');
      default:
        return PASS;
    }
  },
  causes(known, { policy, atMs }): readonly CauseWanted[] {
    const causes: CauseWanted[] = [];
    if (known.identityClass === 'app_only_unscoped')
      causes.push({ kind: 'hold', cause: 'identity_unscoped' });
    if (known.scopeDrift === true) causes.push({ kind: 'hold', cause: 'scope_drift' });
    if (number(known.quotaDay, Number.POSITIVE_INFINITY) <= number(known.quotaUsed)) {
      causes.push({ kind: 'closure', cause: 'quota_full', untilMs: null });
    }
    if (known.throttled === true) {
      const waitSec = number(known.retryAfterSec, policy.mailbox.throttleSec);
      causes.push({ kind: 'cooldown', cause: 'provider_throttles', untilMs: atMs + waitSec * 1000 });
    }
    return causes;
  },
  risks(known, { policy }) {
    const risks: ReturnType<NonNullable<LayerRule['risks']>>[number][] = [];
    if (known.canSeeBounces === false) risks.push('bounce_blind_mailbox');
    if (known.canReadReplies === false) risks.push('replies_unreadable');
    if (known.identityClass === 'app_only_unscoped' || known.scopeDrift === true) {
      risks.push('identity_unscoped_or_scope_changed');
    }
    if (number(known.senderAgeDays, Number.POSITIVE_INFINITY) < policy.risk.senderAgeDaysMin) {
      risks.push('sender_age_lt_14d');
    }
    return risks;
  },
};
