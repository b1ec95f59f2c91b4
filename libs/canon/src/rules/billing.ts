import type { Reason } from '../condition.ts';
import {
  days,
  hard,
  type Judgement,
  type KnownFacts,
  type LayerRule,
  number,
  PASS,
  soft,
  unknown,
} from './layer-rule.ts';

/** In a trial nothing is owed yet, so the end of the trial is the deadline; later, Stripe's status says the rest. */
function withoutPayment(reason: Reason, known: KnownFacts<'billing'>): Judgement {
  const trialEndsAtMs = number(known.trialEndsAt);
  const inTrial = known.subscriptionStatus === 'trialing' && trialEndsAtMs > 0;
  return inTrial ? { ...hard(reason), graceUntilMs: trialEndsAtMs } : soft(reason);
}

/**
 * Stripe's subscription life cycle: `past_due` is still being retried and earns grace, `unpaid` is not. Only the
 * facts that date their own deadline have one: a subscription that ended has no grace for having once been paid.
 */
export const billingRule: LayerRule<'billing'> = {
  layer: 'billing',
  owner: 'client',
  follows: ['incomplete'],
  deadlines: (known) => (typeof known.trialEndsAt === 'number' ? [known.trialEndsAt] : []),
  judge(fact, known, { policy, atMs }): Judgement {
    switch (fact) {
      case 'subscriptionStatus':
        switch (known.subscriptionStatus) {
          case 'active':
            return PASS;
          case 'trialing': {
            const over = number(known.trialEndsAt, Number.POSITIVE_INFINITY) <= atMs;
            const unpayable = known.paymentMethod === 'expired' || known.paymentMethod === 'missing';
            return over && unpayable ? hard('trial_over') : PASS;
          }
          case 'past_due': {
            const leftDays = policy.billing.pastDueGraceDays - number(known.pastDueDays);
            return { ...hard('past_due'), graceUntilMs: atMs + days(leftDays) };
          }
          case 'incomplete':
            return hard('incomplete');
          case 'unpaid':
          case 'canceled':
          case 'paused':
          case 'incomplete_expired':
            return hard(known.subscriptionStatus);
          default:
            return unknown('unrecognised_value');
        }
      case 'paymentMethod':
        if (known.paymentMethod === 'valid') return PASS;
        if (known.paymentMethod === 'expiring_30d') return soft('payment_expiring');
        return withoutPayment(
          known.paymentMethod === 'expired' ? 'payment_expired' : 'payment_missing',
          known,
        );
      case 'entitlementRemaining':
        return number(known.entitlementRemaining) > 0 ? PASS : hard('entitlement_used_up');
      default:
        return PASS;
    }
  },
  causes(known, { policy, atMs }) {
    if (known.subscriptionStatus !== 'incomplete') return [];
    return [{ kind: 'setup', cause: 'incomplete', untilMs: atMs + policy.billing.incompleteSec * 1000 }];
  },
  risks: (known) => (known.subscriptionStatus === 'past_due' ? ['billing_grace'] : []),
};
