import { factValueProblem, SUBSCRIPTION_STATUSES, UNKNOWN_REASONS } from '@orchestrate/canon';
import * as fc from 'fast-check';
import type { Stripe } from 'stripe';
import { describe, expect, test } from 'vitest';
import {
  card,
  customerObject,
  DAY_SEC,
  invoice,
  NOW_MS,
  NOW_SEC,
  subscription,
  summary,
} from './billing.test-support.ts';
import { ENTITLEMENT_KEY, subscriptionAnswers } from './subscription-answers.ts';

const told = (change: object, nowMs = NOW_MS, open?: object[]) =>
  summary(subscriptionAnswers(subscription(change), nowMs, open as unknown as Stripe.Invoice[]));

describe('the status', () => {
  test.each(SUBSCRIPTION_STATUSES)('%s is told in the word of Stripe', (status) => {
    expect(told({ status }).subscriptionStatus).toBe(status);
  });

  test.each(['dormant', 'ACTIVE', '', 'toString', null, 7, undefined])(
    '`%s`, which the catalogue does not know, passes for no other',
    (status) => {
      expect(told({ status }).subscriptionStatus).toBe('?unrecognised_value');
    },
  );
});

describe('the payment method', () => {
  const at = (year: number, month: number, day: number, ms = 0) => Date.UTC(year, month - 1, day) + ms;

  test.each([
    ['valid', 'more than 30 days before its month is over', at(2026, 6, 1) - 1],
    ['expiring_30d', '30 days before its month is over', at(2026, 6, 1)],
    ['expiring_30d', 'in the last millisecond of its month', at(2026, 7, 1, -1)],
    ['expired', 'with the first millisecond of the next', at(2026, 7, 1)],
  ])('is %s for a card %s', (expected, _, nowMs) => {
    expect(told({ default_payment_method: card(6, 2026) }, nowMs).paymentMethod).toBe(expected);
  });

  test('a card of December ends with the year', () => {
    const december = { default_payment_method: card(12, 2026) };
    expect(told(december, at(2027, 1, 1, -1)).paymentMethod).toBe('expiring_30d');
    expect(told(december, at(2027, 1, 1)).paymentMethod).toBe('expired');
  });

  test.each([
    ['a bank debit', { object: 'payment_method', type: 'sepa_debit', sepa_debit: { last4: '3000' } }],
    ['a wallet', { object: 'payment_method', type: 'link', link: {} }],
    ['a bank account of the Sources API', { object: 'bank_account', last4: '6789' }],
  ])('%s does not expire', (_, method) => {
    expect(told({ default_payment_method: method }).paymentMethod).toBe('valid');
  });

  test.each([
    ['a card object', { object: 'card', exp_month: 5, exp_year: 2026 }],
    ['a source of a card', { object: 'source', type: 'card', card: { exp_month: 5, exp_year: 2026 } }],
  ])('%s of the Sources API expires like any card', (_, source) => {
    expect(told({ default_payment_method: null, default_source: source }).paymentMethod).toBe('expired');
  });

  test('is missing only when neither subscription nor customer has one', () => {
    const none = { default_payment_method: null };
    expect(told(none).paymentMethod).toBe('missing');
    expect(
      told({ ...none, customer: { id: 'cus_1', object: 'customer', deleted: true } }).paymentMethod,
    ).toBe('missing');
    const ofCustomer = (method: object) =>
      told({ ...none, customer: customerObject({ invoice_settings: { default_payment_method: method } }) });
    expect(ofCustomer(card(12, 2030)).paymentMethod).toBe('valid');
    expect(ofCustomer(card(5, 2026)).paymentMethod).toBe('expired');
    const source = { object: 'card', exp_month: 12, exp_year: 2030 };
    expect(told({ ...none, customer: customerObject({ default_source: source }) }).paymentMethod).toBe(
      'valid',
    );
  });

  test('the method of the subscription comes before that of the customer', () => {
    const customer = customerObject({ invoice_settings: { default_payment_method: card(12, 2030) } });
    expect(told({ default_payment_method: card(5, 2026), customer }).paymentMethod).toBe('expired');
  });

  test('a paying customer whose method is not expanded in an event is not told to have none', () => {
    for (const change of [
      { default_payment_method: 'pm_1' },
      { default_payment_method: null, customer: 'cus_1' },
      { default_payment_method: null, default_source: 'card_1' },
      { default_payment_method: undefined },
      { default_payment_method: null, customer: customerObject({ default_source: 'card_1' }) },
      { default_payment_method: null, customer: { id: 'cus_1', object: 'customer' } },
    ]) {
      expect(told(change)).not.toHaveProperty('paymentMethod');
    }
  });

  test('whoever pays invoices by hand needs none', () => {
    expect(told({ default_payment_method: null, collection_method: 'send_invoice' }).paymentMethod).toBe(
      'valid',
    );
  });

  test.each([card(13, 2026), card(0, 2026), card(6, 26), { object: 'payment_method', type: 'card' }, {}])(
    'a card without a date that makes sense is not known to be good: %j',
    (method) => {
      expect(told({ default_payment_method: method }).paymentMethod).toBe('?unrecognised_value');
    },
  );
});

describe('the days past due', () => {
  const due = (daysAgo: number) => ({ due_date: NOW_SEC - daysAgo * DAY_SEC });
  const pastDue = { status: 'past_due', latest_invoice: invoice(due(2)) };

  test('are counted from the oldest invoice that is not paid, not from the latest', () => {
    expect(told(pastDue).pastDueDays).toBe(2);
    const open = [invoice(due(2)), invoice(due(33.5)), invoice({ ...due(64), status: 'paid' })];
    expect(told(pastDue, NOW_MS, open).pastDueDays).toBe(33.5);
  });

  test('of an invoice that is charged automatically are counted from when it was final', () => {
    expect(told({ ...pastDue, latest_invoice: invoice({ created: 0 }) }).pastDueDays).toBe(2);
    const unfinished = invoice({ created: NOW_SEC - DAY_SEC, status_transitions: null });
    expect(told({ ...pastDue, latest_invoice: unfinished }).pastDueDays).toBe(1);
  });

  test.each([
    ['paid', invoice({ ...due(2), status: 'paid' })],
    ['void', invoice({ ...due(2), status: 'void' })],
    ['not due yet', invoice(due(-1))],
    ['not expanded', 'in_1'],
    ['not there', null],
  ])('are left out while the latest invoice is %s and no other is known', (_, latest_invoice) => {
    expect(told({ ...pastDue, latest_invoice })).not.toHaveProperty('pastDueDays');
  });

  test('are told of an unpaid subscription, and of no other than these two', () => {
    const telling = SUBSCRIPTION_STATUSES.filter((status) => 'pastDueDays' in told({ ...pastDue, status }));
    expect(telling).toEqual(['past_due', 'unpaid']);
  });
});

test('the end of a trial is told in milliseconds, and left out where there is none', () => {
  expect(told({ status: 'trialing', trial_end: NOW_SEC + DAY_SEC }).trialEndsAt).toBe(
    NOW_MS + DAY_SEC * 1_000,
  );
  expect(told({})).not.toHaveProperty('trialEndsAt');
});

describe('what is left of the entitlement', () => {
  test('is told where the metadata says it', () => {
    expect(told({ metadata: { [ENTITLEMENT_KEY]: '5000' } }).entitlementRemaining).toBe(5_000);
    expect(told({ metadata: { [ENTITLEMENT_KEY]: '0' } }).entitlementRemaining).toBe(0);
  });

  test('is left to whoever counts the sends where it does not', () => {
    expect(told({})).not.toHaveProperty('entitlementRemaining');
    expect(told({ metadata: null })).not.toHaveProperty('entitlementRemaining');
  });

  test.each(['', '-1', '1e9', '5,000', 'unlimited', '9'.repeat(16)])('is not guessed from `%s`', (text) => {
    expect(told({ metadata: { [ENTITLEMENT_KEY]: text } }).entitlementRemaining).toBe('?unrecognised_value');
  });
});

describe('the digest', () => {
  const digest = (change: object, nowMs = NOW_MS) =>
    subscriptionAnswers(subscription(change), nowMs).flatMap((answer) =>
      'digest' in answer ? [answer.digest] : [],
    )[0];

  test('changes with what the answers rest on, and not with the hour or the rest of the subscription', () => {
    expect(digest({})).toMatch(/^[0-9a-f]{64}$/);
    expect(digest({ items: { data: [1] } }, NOW_MS + 1)).toBe(digest({}));
    expect(digest({ default_payment_method: card(11, 2030) })).not.toBe(digest({}));
  });
});

const garbled = fc.record(
  Object.fromEntries(
    Object.keys(subscription()).map((name) => [
      name,
      fc.oneof(fc.jsonValue(), fc.constant((subscription() as unknown as Record<string, unknown>)[name])),
    ]),
  ),
  { requiredKeys: [] },
);

test('whatever JSON comes in place of a subscription, each answer fits the catalogue', async () => {
  await fc.assert(
    fc.property(fc.oneof(garbled, fc.jsonValue()), fc.array(fc.jsonValue()), (raw, invoices) => {
      const answers = subscriptionAnswers(
        raw as unknown as Stripe.Subscription,
        NOW_MS,
        invoices as unknown as Stripe.Invoice[],
      );
      for (const answer of answers) {
        if ('unknown' in answer) expect(UNKNOWN_REASONS).toContain(answer.unknown);
        else expect(factValueProblem('billing', answer.fact, answer.value)).toBeNull();
      }
      expect(new Set(answers.map(({ fact }) => fact)).size).toBe(answers.length);
      expect(answers[0]?.fact).toBe('subscriptionStatus');
    }),
  );
});
