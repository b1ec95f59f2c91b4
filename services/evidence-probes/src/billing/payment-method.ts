import type { Answer } from '../probe/answer.ts';
import type {
  CardExpiry,
  PaymentMethodTold,
  PaymentMethodView,
  SubscriptionView,
} from './subscription-view.ts';

const SOON_MS = 30 * 86_400_000;

/** What would be charged for the next invoice; nothing where the subscription does not tell. */
export function paymentMethodAnswers(subscription: SubscriptionView, nowMs: number): Answer[] {
  // An invoice that is sent is paid by transfer or on a page of Stripe: no method has to be on file.
  if (subscription.collection_method === 'send_invoice') return [{ fact: 'paymentMethod', value: 'valid' }];
  const method = methodInForce(subscription);
  if (method === undefined || typeof method === 'string') return [];
  if (method === null) return [{ fact: 'paymentMethod', value: 'missing' }];
  return [judgedMethod(method, nowMs)];
}

/**
 * Stripe charges the first of these that there is: the default of the subscription, its source, the default of the
 * customer, the customer's source. One that is not told ends the search, because it may be the one.
 */
function methodInForce(subscription: SubscriptionView): PaymentMethodTold {
  const own = firstOf([subscription.default_payment_method, subscription.default_source]);
  if (own !== null) return own;
  const { customer } = subscription;
  if (!customer || typeof customer === 'string') return undefined;
  // With a customer that is deleted its payment methods are gone.
  if (customer.deleted) return null;
  return firstOf([customer.invoice_settings?.default_payment_method, customer.default_source]);
}

function firstOf(methods: readonly PaymentMethodTold[]): PaymentMethodTold {
  const first = methods.find((method) => method !== null);
  return methods.every((method) => method === null) ? null : first;
}

/** Bank debits and wallets have no date on which they end. */
function judgedMethod(method: PaymentMethodView, nowMs: number): Answer {
  if (!method.type && !method.object) return { fact: 'paymentMethod', unknown: 'unrecognised_value' };
  const isCard = method.type === 'card' || method.object === 'card';
  if (!isCard) return { fact: 'paymentMethod', value: 'valid' };
  const expiry = expiryOf(method);
  if (!expiry) return { fact: 'paymentMethod', unknown: 'unrecognised_value' };
  return { fact: 'paymentMethod', value: cardStanding(expiry, nowMs) };
}

function expiryOf({ card, exp_month, exp_year }: PaymentMethodView): CardExpiry | null {
  if (card) return card;
  return exp_month && exp_year ? { exp_month, exp_year } : null;
}

/** A card is good to the end of the month that is printed on it, here in UTC. */
function cardStanding({ exp_month, exp_year }: CardExpiry, nowMs: number) {
  const endsAtMs = Date.UTC(exp_year, exp_month, 1);
  if (nowMs >= endsAtMs) return 'expired';
  return endsAtMs - nowMs <= SOON_MS ? 'expiring_30d' : 'valid';
}
