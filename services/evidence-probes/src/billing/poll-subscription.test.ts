import { describe, expect, test, vi } from 'vitest';
import {
  apiError,
  card,
  customerObject,
  DAY_SEC,
  invoice,
  list,
  NOW_MS,
  NOW_SEC,
  SECRET_KEY,
  type StripeReply,
  startStripeApi,
  subscription,
  summary,
} from './billing.test-support.ts';
import { pollSubscription, type SubscriptionQuestion } from './poll-subscription.ts';

const question = (port: number, change: Partial<SubscriptionQuestion> = {}): SubscriptionQuestion => ({
  secretKey: SECRET_KEY,
  host: '127.0.0.1',
  port,
  protocol: 'http',
  customer: 'cus_1',
  nowMs: NOW_MS,
  signal: new AbortController().signal,
  ...change,
});

const allUnknown = (reason: string) => ({
  subscriptionStatus: `?${reason}`,
  paymentMethod: `?${reason}`,
  pastDueDays: `?${reason}`,
  trialEndsAt: `?${reason}`,
});

async function polled(reply: StripeReply, change: Partial<SubscriptionQuestion> = {}) {
  await using api = await startStripeApi(() => reply);
  const answers = await pollSubscription(question(api.port, change));
  return { told: summary(answers), answers, asked: api.asked };
}

describe('what Stripe tells', () => {
  test('becomes facts, asked for in one request with the key', async () => {
    const { told, asked } = await polled({ body: list([subscription({ trial_end: NOW_SEC })]) });
    expect(told).toEqual({ subscriptionStatus: 'active', paymentMethod: 'valid', trialEndsAt: NOW_MS });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      path: '/v1/subscriptions',
      headers: { authorization: `Bearer ${SECRET_KEY}` },
    });
    expect(Object.fromEntries(asked[0]!.query)).toMatchObject({
      customer: 'cus_1',
      'expand[0]': 'data.default_payment_method',
    });
  });

  test('of several subscriptions the newest counts that has not ended', async () => {
    const { told } = await polled({
      body: list([
        subscription({ id: 'sub_4', status: 'incomplete_expired', created: 4 }),
        subscription({ id: 'sub_2', status: 'active', created: 2 }),
        subscription({ id: 'sub_3', status: 'paused', created: 3 }),
      ]),
    });
    expect(told.subscriptionStatus).toBe('paused');
  });

  test('where all have ended it is the newest', async () => {
    await using api = await startStripeApi(({ query }) => ({
      body: list(
        query.get('status') === 'all'
          ? [
              subscription({ status: 'incomplete_expired', created: 1 }),
              subscription({ status: 'canceled', created: 2 }),
            ]
          : [subscription({ status: 'incomplete_expired', created: 1 })],
      ),
    }));
    expect(summary(await pollSubscription(question(api.port)))).toMatchObject({
      subscriptionStatus: 'canceled',
    });
  });

  test('a customer without any subscription has no status that another word would fit', async () => {
    const { told, asked } = await polled({ body: list([]) });
    expect(told).toEqual({ subscriptionStatus: '?unrecognised_value' });
    expect(asked.map(({ query }) => query.get('status'))).toEqual([null, 'all']);
  });

  test('the method that is missing on the subscription is found at the customer', async () => {
    const customer = customerObject({ invoice_settings: { default_payment_method: card(5, 2026) } });
    const { told } = await polled({ body: list([subscription({ default_payment_method: null, customer })]) });
    expect(told.paymentMethod).toBe('expired');
  });
});

describe('a subscription that is past due', () => {
  const pastDue = subscription({ status: 'past_due', latest_invoice: invoice() });
  const told = async (invoices: StripeReply) => {
    await using api = await startStripeApi(({ path }) =>
      path === '/v1/invoices' ? invoices : { body: list([pastDue]) },
    );
    const answers = summary(await pollSubscription(question(api.port)));
    expect(Object.fromEntries(api.asked[1]!.query)).toMatchObject({ subscription: 'sub_1', status: 'open' });
    return answers;
  };

  test('is past due since its oldest open invoice', async () => {
    const oldest = invoice({ id: 'in_0', due_date: NOW_SEC - 9 * DAY_SEC });
    expect(await told({ body: list([invoice(), oldest]) })).toEqual({
      subscriptionStatus: 'past_due',
      paymentMethod: 'valid',
      pastDueDays: 9,
    });
  });

  test.each<[string, string, StripeReply]>([
    ['refused', 'may not be read', { status: 403, body: apiError({ type: 'invalid_request_error' }) }],
    ['no_answer', 'fail', { status: 500, body: apiError({ type: 'api_error' }) }],
    ['no_answer', 'are none', { body: list([{ object: 'customer' }]) }],
    ['unreachable', 'break off', (response) => response.destroy()],
  ])('has no age that is too young (%s) when the invoices %s', async (reason, _, reply) => {
    expect(await told(reply)).toEqual({
      subscriptionStatus: 'past_due',
      paymentMethod: 'valid',
      pastDueDays: `?${reason}`,
    });
  });
});

describe('nothing fails and nothing passes', () => {
  const missing = apiError({ type: 'invalid_request_error', code: 'resource_missing', param: 'customer' });
  const good = list([subscription()]);

  test.each<[string, string, StripeReply]>([
    ['no_answer', 'does not know the customer', { status: 404, body: missing }],
    ['no_answer', 'does not know the customer and calls it a bad request', { status: 400, body: missing }],
    ['probe_fault', 'does not like the question', { status: 400, body: apiError({ param: 'expand' }) }],
    ['refused', 'does not know the key', { status: 401, body: apiError({ type: 'invalid_request_error' }) }],
    ['refused', 'does not let the key read', { status: 403, body: apiError({ code: 'more_permissions' }) }],
    ['no_answer', 'limits the rate', { status: 429, body: apiError({ code: 'rate_limit' }) }],
    ['no_answer', 'fails', { status: 500, body: apiError({ type: 'api_error' }) }],
    [
      'no_answer',
      'fails and asks to try again',
      { status: 503, body: {}, headers: { 'stripe-should-retry': 'true' } },
    ],
    ['no_answer', 'fails with a body like success', { status: 500, body: good }],
    ['no_answer', 'answers with a page', { status: 502, body: '<html>bad gateway</html>' }],
    ['no_answer', 'answers with nothing', { body: '' }],
    ['no_answer', 'answers with half of it', { body: JSON.stringify(good).slice(0, -9) }],
    ['no_answer', 'answers with null', { body: 'null' }],
    ['no_answer', 'answers with a number', { body: '7' }],
    ['no_answer', 'answers with a string', { body: '"x"' }],
    ['no_answer', 'answers with a list', { body: '[]' }],
    ['no_answer', 'answers with an error that is none', { status: 500, body: '{"error":7}' }],
    ['no_answer', 'answers with an error in one word', { status: 500, body: '{"error":"boom"}' }],
    ['no_answer', 'answers with another object', { body: subscription() }],
    ['no_answer', 'lists something else', { body: list([invoice()]) }],
    ['no_answer', 'lists what is of another customer', { body: list([subscription({ customer: 'cus_2' })]) }],
    [
      'no_answer',
      'sends us elsewhere',
      { status: 302, body: good, headers: { location: 'http://127.0.0.1:1/' } },
    ],
    ['no_answer', 'sends more than anybody reads', { body: list([subscription({ x: 'x'.repeat(3e6) })]) }],
    ['unreachable', 'hangs up', (response) => response.destroy()],
    [
      'unreachable',
      'hangs up in the middle',
      (response) => {
        response.writeHead(200, { 'content-length': 1_000 });
        response.write('{"object":', () => response.destroy());
      },
    ],
  ])('(%s) when Stripe %s, and it is asked once', async (reason, _, reply) => {
    const { told, asked, answers } = await polled(reply);
    expect(told).toEqual(allUnknown(reason));
    expect(asked).toHaveLength(1);
    expect(JSON.stringify(answers)).not.toContain(SECRET_KEY);
  });

  test('when nobody listens', async () => {
    const api = await startStripeApi(() => ({ body: good }));
    await api[Symbol.asyncDispose]();
    expect(summary(await pollSubscription(question(api.port)))).toEqual(allUnknown('unreachable'));
  });

  test.each<[string, StripeReply]>([
    ['says nothing', () => undefined],
    [
      'never comes to an end',
      (response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(' '), 5);
        response.on('close', () => clearInterval(drip));
      },
    ],
  ])('when it takes too long, because Stripe %s', async (_, reply) => {
    expect((await polled(reply, { timeoutMs: 100 })).told).toEqual(allUnknown('timeout'));
  });

  test('when nobody waits any more, the request is given up with the wait', async () => {
    const hungUp = Promise.withResolvers<void>();
    await using api = await startStripeApi(() => (response) => void response.on('close', hungUp.resolve));
    const waiting = new AbortController();
    const answers = pollSubscription(question(api.port, { signal: waiting.signal }));
    await vi.waitFor(() => expect(api.asked).toHaveLength(1));
    waiting.abort();
    expect(summary(await answers)).toEqual(allUnknown('timeout'));
    await hungUp.promise;
  });

  test('when nobody waited in the first place, nothing is asked', async () => {
    const { told, asked } = await polled({ body: good }, { signal: AbortSignal.abort() });
    expect(told).toEqual(allUnknown('timeout'));
    expect(asked).toEqual([]);
  });

  test.each(['', `${SECRET_KEY}\nX-Injected: yes`])(
    'with a key that is none, which is not told either',
    async (secretKey) => {
      const { told, asked, answers } = await polled({ body: good }, { secretKey });
      expect(told).toEqual(allUnknown('probe_fault'));
      expect(asked).toEqual([]);
      expect(JSON.stringify(answers)).not.toContain(SECRET_KEY);
    },
  );
});
