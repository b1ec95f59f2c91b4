import type { UnknownReason } from '@orchestrate/canon';
import { Stripe } from 'stripe';
import { z } from 'zod';
import { type Answer, unknownAnswers } from '../probe/answer.ts';
import { type StripeAccess, stripeClient } from './stripe-client.ts';
import { isOverdue, SUBSCRIPTION_FACTS, subscriptionAnswers } from './subscription-answers.ts';

export interface SubscriptionQuestion extends StripeAccess {
  /** `cus_...`: whose subscription it is. */
  readonly customer: string;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** For the look as a whole, which takes up to three requests. Default 10 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** Newest first; a customer has one or two. */
const SUBSCRIPTIONS_MAX = 10;
const INVOICES_MAX = 100;
const EXPAND = [
  'data.default_payment_method',
  'data.default_source',
  'data.latest_invoice',
  'data.customer.default_source',
  'data.customer.invoice_settings.default_payment_method',
];

/**
 * Asks Stripe about the subscription of a customer. Never rejects, and asks once: whoever wants another try asks again.
 *
 * That Stripe does not know the customer is no word about the subscription: the id, or the account that the key belongs
 * to, is not the right one. It is `no_answer`, and what was known stands until its own age. A customer without any
 * subscription is something that was seen and that has no word among the statuses, so it takes back what was known:
 * `unrecognised_value`.
 */
export async function pollSubscription(question: SubscriptionQuestion): Promise<Answer[]> {
  const { customer, nowMs, signal, timeoutMs = TIMEOUT_MS, ...access } = question;
  const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const stripe = stripeClient(access, timeoutMs, until);
    const subscription = await subscriptionOf(stripe, customer);
    if (!subscription) return [{ fact: 'subscriptionStatus', unknown: 'unrecognised_value' }];
    if (!isOverdue(subscription.status)) return subscriptionAnswers(subscription, nowMs);
    return await overdueAnswers(stripe, subscription, nowMs, until);
  } catch (error) {
    return unknownAnswers(SUBSCRIPTION_FACTS, reasonOf(error, until));
  }
}

/** The newest that has not ended, else the newest; null when there never was one. */
async function subscriptionOf(stripe: Stripe, customer: string): Promise<Stripe.Subscription | null> {
  const asked = { customer, limit: SUBSCRIPTIONS_MAX, expand: EXPAND };
  const notCanceled = await subscriptionsIn(stripe.subscriptions.list(asked), customer);
  const running = notCanceled.find(({ status }) => status !== 'canceled' && status !== 'incomplete_expired');
  if (running) return running;
  const all = await subscriptionsIn(stripe.subscriptions.list({ ...asked, status: 'all' }), customer);
  return all[0] ?? null;
}

/** Of an invoice that nobody could ask for, its age is not known; the latest would make it younger than it is. */
async function overdueAnswers(
  stripe: Stripe,
  subscription: Stripe.Subscription,
  nowMs: number,
  until: AbortSignal,
): Promise<Answer[]> {
  try {
    const asked = { subscription: subscription.id, status: 'open', limit: INVOICES_MAX } as const;
    const open = await dataIn(stripe.invoices.list(asked), z.object({ object: z.literal('invoice') }));
    return subscriptionAnswers(subscription, nowMs, open);
  } catch (error) {
    const rest = subscriptionAnswers(subscription, nowMs).filter(({ fact }) => fact !== 'pastDueDays');
    return [...rest, { fact: 'pastDueDays', unknown: reasonOf(error, until) }];
  }
}

/** A reply that is none of Stripe's. */
class Unintelligible extends Error {}

const listedFor = (customer: string) =>
  z.object({
    object: z.literal('subscription'),
    id: z.string(),
    status: z.string(),
    created: z.number(),
    // What is told of another customer is no answer.
    customer: z.union([z.literal(customer), z.object({ id: z.literal(customer) })]),
  });

/** Newest first. */
async function subscriptionsIn(
  asked: Stripe.ApiListPromise<Stripe.Subscription>,
  customer: string,
): Promise<Stripe.Subscription[]> {
  const subscriptions = await dataIn(asked, listedFor(customer));
  return subscriptions.toSorted((one, other) => other.created - one.created);
}

/** The library takes any JSON without an `error` for success, whatever its status says, and stumbles over some. */
async function dataIn<Item>(asked: Stripe.ApiListPromise<Item>, item: z.ZodType): Promise<Item[]> {
  const page = await asked.catch((error: unknown) => {
    throw error instanceof Stripe.errors.StripeError ? error : new Unintelligible();
  });
  const isList = page.lastResponse.statusCode === 200 && z.array(item).safeParse(page.data).success;
  if (!isList) throw new Unintelligible();
  return page.data;
}

/** Only the kind of a failure is told on: its message may quote what was sent, the key included. */
function reasonOf(error: unknown, until: AbortSignal): UnknownReason {
  if (until.aborted) return 'timeout';
  if (error instanceof Unintelligible) return 'no_answer';
  if (!(error instanceof Stripe.errors.StripeError)) return 'probe_fault';
  if (error instanceof Stripe.errors.StripeConnectionError) {
    return isTimeout(error.detail) ? 'timeout' : 'unreachable';
  }
  if (error.statusCode === 401 || error.statusCode === 403) return 'refused';
  return error.statusCode === 400 && error.code !== 'resource_missing' ? 'probe_fault' : 'no_answer';
}

const TIMEOUT_CODES = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT']);

function isTimeout(detail: unknown): boolean {
  const { code, cause } = Object(detail) as { code?: string; cause?: { code?: string } };
  return TIMEOUT_CODES.has(code ?? cause?.code ?? '');
}
