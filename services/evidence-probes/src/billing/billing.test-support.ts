import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Stripe } from 'stripe';
import type { Answer } from '../probe/answer.ts';

export const NOW_MS = Date.UTC(2026, 5, 15, 12);
export const NOW_SEC = NOW_MS / 1_000;
export const DAY_SEC = 86_400;
export const SECRET_KEY = 'sk_test_planted_key_that_nobody_may_see';
export const SIGNING_SECRET = 'whsec_planted_secret_that_nobody_may_see';

/** `{ spf: 'pass', dkim: '?timeout' }`: values as they are, unknowns with a question mark. */
export function summary(answers: readonly Answer[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    answers.map((answer) => [answer.fact, 'unknown' in answer ? `?${answer.unknown}` : answer.value]),
  );
}

export const card = (exp_month: number, exp_year: number) => ({
  id: 'pm_1',
  object: 'payment_method',
  type: 'card',
  card: { brand: 'visa', exp_month, exp_year, last4: '4242' },
});

export const invoice = (change: object = {}) => ({
  id: 'in_1',
  object: 'invoice',
  status: 'open',
  created: NOW_SEC - 2 * DAY_SEC,
  due_date: null,
  status_transitions: { finalized_at: NOW_SEC - 2 * DAY_SEC, paid_at: null },
  ...change,
});

export const customerObject = (change: object = {}) => ({
  id: 'cus_1',
  object: 'customer',
  default_source: null,
  invoice_settings: { default_payment_method: null, footer: null },
  ...change,
});

/** As the API gives it with everything expanded. */
export function subscription(change: object = {}): Stripe.Subscription {
  return {
    id: 'sub_1',
    object: 'subscription',
    status: 'active',
    created: NOW_SEC - 90 * DAY_SEC,
    collection_method: 'charge_automatically',
    customer: customerObject(),
    default_payment_method: card(12, 2030),
    default_source: null,
    latest_invoice: invoice({ status: 'paid' }),
    metadata: {},
    trial_end: null,
    items: { object: 'list', data: [] },
    ...change,
  } as unknown as Stripe.Subscription;
}

export const list = (data: readonly object[]) => ({ object: 'list', data, has_more: false, url: '/v1/x' });

export const apiError = (error: object) => ({ error: { message: 'it says so', ...error } });

export interface Asked {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

export type StripeReply =
  | { readonly status?: number; readonly body: object | string; readonly headers?: Record<string, string> }
  | ((response: ServerResponse) => void);

/** A server that speaks Stripe's JSON: it says what `replyTo` gives for each request, and keeps what it was asked. */
export async function startStripeApi(replyTo: (asked: Asked) => StripeReply) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://stripe.test');
    const question = { path: pathname, query: searchParams, headers: request.headers };
    asked.push(question);
    const reply = replyTo(question);
    if (typeof reply === 'function') return reply(response);
    const { status = 200, body, headers = {} } = reply;
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_1', ...headers });
    return response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
