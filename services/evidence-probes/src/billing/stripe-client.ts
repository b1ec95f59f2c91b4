import assert from 'node:assert/strict';
import { Stripe } from 'stripe';

/** How to ask Stripe. The key needs to read customers, subscriptions, payment methods and invoices, and nothing else. */
export interface StripeAccess {
  readonly secretKey: string;
  /** Default: `api.stripe.com`, 443, https. */
  readonly host?: string;
  readonly port?: number;
  readonly protocol?: 'http' | 'https';
}

const REPLY_BYTES_MAX = 2 * 1024 * 1024;
const KEY = /^[!-~]+$/;

/**
 * A client for one look. The library's client on `node:http` knows no abort, reads replies of any length and repeats a
 * request whose connection was reset; on `fetch` it does none of this.
 */
export function stripeClient(
  { secretKey, ...place }: StripeAccess,
  timeoutMs: number,
  signal: AbortSignal,
): Stripe {
  assert(KEY.test(secretKey), 'the key for Stripe is empty or has characters that no key has');
  return new Stripe(secretKey, {
    ...place,
    httpClient: Stripe.createFetchHttpClient(boundedFetch(signal)),
    timeout: timeoutMs,
    maxNetworkRetries: 0,
    telemetry: false,
  });
}

/**
 * Follows no redirect: Stripe sends none, and the key is for Stripe. Hands no headers on: among them are words that the
 * library would print as warnings.
 */
function boundedFetch(signal: AbortSignal): typeof fetch {
  return async (input, init) => {
    const signals = [signal, init?.signal].filter((one) => one instanceof AbortSignal);
    const reply = await fetch(input, { ...init, redirect: 'manual', signal: AbortSignal.any(signals) });
    return new Response(await bodyOf(reply), { status: reply.status });
  };
}

const OBJECT = /^\s*\{/;

/**
 * Every reply of Stripe is a JSON object. Nothing stands in place of a body that is none or is too long, and reads as what
 * it is: no answer. A number or a string would make the library throw where nobody can catch it.
 */
async function bodyOf(reply: Response): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of reply.body ?? []) {
    bytes += chunk.length;
    if (bytes > REPLY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  return OBJECT.test(text) ? text : null;
}
