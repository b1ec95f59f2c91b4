import { Stripe } from 'stripe';
import { z } from 'zod';

/** Stripe delivers an event again until it is answered with 200, for days, and keeps to no order. */
export interface StripeEventMark {
  /** `evt_...`, the same in every delivery of the event. */
  readonly eventId: string;
  /** When it happened, to the second. */
  readonly createdAtMs: number;
}

/** A subscription as it was when the event happened, with nothing expanded. */
export interface SubscriptionEvent extends StripeEventMark {
  readonly customer: string;
  readonly subscription: Stripe.Subscription;
}

/** Something else of the customer changed that billing rests on: ask for the subscription again. */
export interface StripeHint extends StripeEventMark {
  readonly customer: string;
}

export type StripeNews =
  | { readonly kind: 'subscription'; readonly event: SubscriptionEvent }
  | { readonly kind: 'hint'; readonly event: StripeHint }
  /** An event of a kind that says nothing of billing, or of nobody in particular. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'not_understood' };

export type EnvelopeProblem = 'unsigned' | 'forged' | 'stale' | 'not_text';

const TOLERANCE_SEC = 300;
const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The body of a delivery that Stripe signed within the last 300 s with one of the secrets, else what is wrong with it.
 * The library decodes the bytes before it computes the signature, whereby bytes that are no UTF-8 turn into one and the
 * same character and a byte order mark disappears: here such a body is not what was signed.
 */
export function openEnvelope(
  body: Uint8Array,
  header: string | undefined,
  signingSecrets: readonly string[],
  nowMs: number,
): { readonly text: string } | { readonly problem: EnvelopeProblem } {
  if (!header) return { problem: 'unsigned' };
  const decoded = decode(body);
  if (decoded === null) return { problem: 'not_text' };
  const secret = signingSecrets.find((one) => isSigned(decoded, header, one, nowMs, 0));
  if (secret === undefined) return { problem: 'forged' };
  return isSigned(decoded, header, secret, nowMs, TOLERANCE_SEC) ? { text: decoded } : { problem: 'stale' };
}

function decode(body: Uint8Array): string | null {
  try {
    return text.decode(body);
  } catch {
    return null;
  }
}

/** A tolerance of 0 leaves the time out. The library throws errors of several kinds: whatever does not pass is none. */
function isSigned(
  body: string,
  header: string,
  secret: string,
  nowMs: number,
  toleranceSec: number,
): boolean {
  try {
    return Stripe.webhooks.signature!.verifyHeader(body, header, secret, toleranceSec, undefined, nowMs);
  } catch {
    return false;
  }
}

const eventSchema = z.object({
  id: z.string().min(1),
  type: z.string(),
  created: z.number().int().min(0).max(1e12),
  data: z.object({
    object: z.looseObject({}),
    previous_attributes: z.looseObject({}).nullish(),
  }),
});
type StripeEvent = z.infer<typeof eventSchema>;

const SUBSCRIPTIONS = 'customer.subscription.';
/** The default payment method may be that of the customer. */
const HINTS = ['invoice.', 'payment_method.', 'customer.updated', 'customer.deleted', 'customer.source.'];

/** What a genuine delivery says. An API version can be newer than this code: what it does not know it says so of. */
export function readEvent(text: string): StripeNews {
  const event = eventIn(text);
  if (!event) return { kind: 'not_understood' };
  if (event.type.startsWith(SUBSCRIPTIONS)) return subscriptionNews(event);
  return HINTS.some((prefix) => event.type.startsWith(prefix)) ? hintNews(event) : { kind: 'ignored' };
}

function eventIn(text: string): StripeEvent | null {
  try {
    return eventSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

const reference = z.union([z.string().min(1), z.object({ id: z.string().min(1) }).transform(({ id }) => id)]);
const subscriptionSchema = z.object({
  object: z.literal('subscription'),
  id: z.string().min(1),
  status: z.string(),
  customer: reference,
});

function subscriptionNews(event: StripeEvent): StripeNews {
  const read = subscriptionSchema.safeParse(event.data.object);
  if (!read.success) return { kind: 'not_understood' };
  const { customer } = read.data;
  const subscription = event.data.object as unknown as Stripe.Subscription;
  return { kind: 'subscription', event: { customer, subscription, ...markOf(event) } };
}

function hintNews(event: StripeEvent): StripeNews {
  const customer = customerOf(event);
  return customer === null ? { kind: 'ignored' } : { kind: 'hint', event: { customer, ...markOf(event) } };
}

/** A payment method that was detached belongs to nobody, and says whose it was. */
function customerOf({ data: { object, previous_attributes } }: StripeEvent): string | null {
  if (object.object === 'customer') return reference.safeParse(object.id).data ?? null;
  const now = reference.safeParse(object.customer);
  return now.data ?? reference.safeParse(previous_attributes?.customer).data ?? null;
}

function markOf({ id, created }: StripeEvent): StripeEventMark {
  return { eventId: id, createdAtMs: created * 1_000 };
}
