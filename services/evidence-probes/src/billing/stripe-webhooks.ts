import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@orchestrate/service-kit';
import {
  openEnvelope,
  readEvent,
  type StripeHint,
  type StripeNews,
  type SubscriptionEvent,
} from './stripe-event.ts';

export const STRIPE_WEBHOOKS_PATH = '/stripe/webhooks';

export interface StripeWebhooksOptions {
  readonly host: string;
  readonly port: number;
  /** `whsec_...`, all that are valid now: two while a secret is rolled. */
  readonly signingSecrets: readonly string[];
  /**
   * The event is Stripe's business until this resolves, and is sent again when it rejects. It comes more than once and in
   * any order: `eventId` tells whether it was here before, and of two events of a subscription the one with the later
   * `createdAtMs` is right. Two of the same second are in no order: poll the subscription.
   */
  onSubscription(event: SubscriptionEvent): Promise<void>;
  /** Poll the subscription of this customer. */
  onHint(hint: StripeHint): Promise<void>;
  readonly log: Logger;
  /** Default: this machine's clock. */
  readonly nowMs?: () => number;
  /** For a request to arrive as a whole. Default 10 s. */
  readonly requestTimeoutMs?: number;
}

export const WEBHOOK_OUTCOMES = [
  'subscription',
  'hint',
  'ignored',
  'not_understood',
  'failed',
  'unsigned',
  'forged',
  'stale',
  'not_text',
  'too_large',
] as const;
export type WebhookOutcome = (typeof WEBHOOK_OUTCOMES)[number];

export interface StripeWebhooks extends AsyncDisposable {
  readonly port: number;
  /** Deliveries since the start, by what became of them. */
  counts(): Readonly<Record<WebhookOutcome, number>>;
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

export const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
/** With bodies of full length at the same time this is 64 MiB. */
const CONNECTIONS_MAX = 64;

/** What is said repeats nothing of what was sent. */
const REPLIES: Readonly<Record<WebhookOutcome, Reply>> = {
  subscription: { status: 200, text: 'taken in' },
  hint: { status: 200, text: 'taken in' },
  ignored: { status: 200, text: 'not of interest here' },
  not_understood: { status: 200, text: 'not understood here' },
  failed: { status: 500, text: 'not taken in: send it again' },
  unsigned: { status: 400, text: 'there is no stripe-signature header' },
  forged: { status: 400, text: 'no signature fits the body and a signing secret of this endpoint' },
  stale: { status: 400, text: 'the signature is more than 300 s old' },
  not_text: { status: 400, text: 'the body is not UTF-8' },
  too_large: { status: 413, text: `the body is longer than ${BODY_BYTES_MAX} bytes` },
};

/**
 * Takes in what Stripe posts to `/stripe/webhooks`. It speaks plain HTTP: TLS ends in front of it. Disposing of it hangs
 * up on deliveries under way; Stripe sends again what was not answered.
 */
export async function startStripeWebhooks(options: StripeWebhooksOptions): Promise<StripeWebhooks> {
  const { host, port, signingSecrets, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  assert(signingSecrets.length > 0, 'there is no signing secret');
  assert(
    signingSecrets.every((secret) => secret.trim() !== ''),
    'a signing secret is empty',
  );
  const counts = Object.fromEntries(WEBHOOK_OUTCOMES.map((outcome) => [outcome, 0])) as Record<
    WebhookOutcome,
    number
  >;
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      keepAliveTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
    },
    (request, response) => {
      const elsewhere = elsewhereReply(request);
      if (elsewhere) return answer(response, elsewhere);
      return receive(request, options).then(
        (outcome) => {
          counts[outcome]++;
          answer(response, REPLIES[outcome]);
        },
        // The other end hung up, or took too long.
        () => void response.destroy(),
      );
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    counts: () => ({ ...counts }),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function elsewhereReply({ url, method }: IncomingMessage): Reply | null {
  if (url?.split('?', 1)[0] !== STRIPE_WEBHOOKS_PATH) {
    return { status: 404, text: `no such page: post to ${STRIPE_WEBHOOKS_PATH}` };
  }
  return method === 'POST' ? null : { status: 405, text: 'only POST is answered here' };
}

/** Rejects when the request does not arrive. */
async function receive(request: IncomingMessage, options: StripeWebhooksOptions): Promise<WebhookOutcome> {
  const body = await readBody(request);
  if (!body) return 'too_large';
  const header = request.headers['stripe-signature'];
  const nowMs = options.nowMs?.() ?? Date.now();
  const opened = openEnvelope(body, header?.toString(), options.signingSecrets, nowMs);
  return 'problem' in opened ? opened.problem : handOn(readEvent(opened.text), options);
}

/** Null when it is too long; no more of it is read then. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  if (Number(request.headers['content-length']) > BODY_BYTES_MAX) return null;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function handOn(news: StripeNews, options: StripeWebhooksOptions): Promise<WebhookOutcome> {
  try {
    if (news.kind === 'subscription') await options.onSubscription(news.event);
    if (news.kind === 'hint') await options.onHint(news.event);
    return news.kind;
  } catch (error) {
    const eventId = 'event' in news ? news.event.eventId : null;
    options.log.error({ err: error, eventId }, 'an event of Stripe was not taken in');
    return 'failed';
  }
}

/** After a refusal the connection ends, and with it whatever was still to come. */
function answer(response: ServerResponse, { status, text }: Reply): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'POST' } : {}),
    ...(status >= 400 ? { connection: 'close' } : {}),
  });
  response.end(`${text}\n`);
}
