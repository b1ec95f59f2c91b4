import { createHash } from 'node:crypto';
import { SUBSCRIPTION_STATUSES } from '@orchestrate/canon';
import type { Stripe } from 'stripe';
import type { Answer } from '../probe/answer.ts';
import { paymentMethodAnswers } from './payment-method.ts';
import {
  type InvoiceView,
  invoiceViews,
  type SubscriptionView,
  subscriptionView,
} from './subscription-view.ts';

/** The facts that Stripe is asked for. What is left of an entitlement it tells only where the metadata says so. */
export const SUBSCRIPTION_FACTS = [
  'subscriptionStatus',
  'paymentMethod',
  'pastDueDays',
  'trialEndsAt',
] as const;

/**
 * Stripe's own entitlements are features that are on or off. How many sends are left is written into the metadata of the
 * subscription by whoever sells them, under this key, as a whole number.
 */
export const ENTITLEMENT_KEY = 'entitlement_remaining';

const DAY_MS = 86_400_000;

/**
 * What a subscription says, as the API or an event gives it, from any API version. It tells more when
 * `default_payment_method`, `default_source`, `latest_invoice` and the defaults of `customer` are expanded: a fact that the
 * object does not tell is left out, and what was known of it stands. `openInvoices` are those of the subscription that are
 * not paid; without them `pastDueDays` counts from the latest.
 */
export function subscriptionAnswers(
  subscription: Stripe.Subscription,
  nowMs: number,
  openInvoices: readonly Stripe.Invoice[] = [],
): Answer[] {
  const view = subscriptionView(subscription);
  const invoices = invoiceViews(openInvoices);
  const answers = [
    statusAnswer(view),
    ...paymentMethodAnswers(view, nowMs),
    ...pastDueAnswers(view, invoices, nowMs),
    ...trialAnswers(view),
    ...entitlementAnswers(view),
  ];
  const digest = createHash('sha256')
    .update(JSON.stringify([view, invoices]))
    .digest('hex');
  return answers.map((answer) => ('unknown' in answer ? answer : { ...answer, digest }));
}

function statusAnswer({ status }: SubscriptionView): Answer {
  const isKnown = (SUBSCRIPTION_STATUSES as readonly unknown[]).includes(status);
  return isKnown
    ? { fact: 'subscriptionStatus', value: status! }
    : { fact: 'subscriptionStatus', unknown: 'unrecognised_value' };
}

/** The end of a trial stays on the subscription when the trial is over. */
function trialAnswers({ trial_end }: SubscriptionView): Answer[] {
  return trial_end ? [{ fact: 'trialEndsAt', value: trial_end * 1_000 }] : [];
}

/** Only while Stripe calls it overdue: an invoice that is being charged in this hour is open as well. */
export function isOverdue(status: unknown): boolean {
  return status === 'past_due' || status === 'unpaid';
}

/** Days, and hundredths of them: a grace that is counted from whole days would be up to a day too long. */
function pastDueAnswers(
  view: SubscriptionView,
  openInvoices: readonly InvoiceView[],
  nowMs: number,
): Answer[] {
  if (!isOverdue(view.status)) return [];
  const { latest_invoice: latest } = view;
  const invoices = latest && typeof latest !== 'string' ? [...openInvoices, latest] : openInvoices;
  const dueAtMs = invoices
    .filter(isUnpaid)
    .map(dueAtMsOf)
    .filter((atMs) => atMs <= nowMs);
  if (dueAtMs.length === 0) return [];
  const days = (nowMs - Math.min(...dueAtMs)) / DAY_MS;
  return [{ fact: 'pastDueDays', value: Math.round(days * 100) / 100 }];
}

const isUnpaid = ({ status }: InvoiceView) => status === 'open' || status === 'uncollectible';

/** An invoice that is charged automatically has no due date: it is due when it is final. */
function dueAtMsOf({ due_date, status_transitions, created }: InvoiceView): number {
  return (due_date ?? status_transitions?.finalized_at ?? created ?? Number.POSITIVE_INFINITY) * 1_000;
}

const WHOLE_NUMBER = /^\d{1,15}$/;

function entitlementAnswers({ metadata }: SubscriptionView): Answer[] {
  const told = metadata?.[ENTITLEMENT_KEY];
  if (told === undefined) return [];
  return WHOLE_NUMBER.test(told)
    ? [{ fact: 'entitlementRemaining', value: Number(told) }]
    : [{ fact: 'entitlementRemaining', unknown: 'unrecognised_value' }];
}
