import { z } from 'zod';

/**
 * The few fields of a Stripe subscription that evidence rests on. Stripe tells three things apart, and so does this:
 * null is "there is none", an id in place of an object was not expanded, and `undefined` is a field that is absent or has
 * a shape that is not known here. The last two tell nothing.
 */
function told<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullable().optional().catch(undefined);
}

/** Year 33658: what lies beyond has no date. */
const SECONDS_MAX = 1e12;
const seconds = told(z.number().int().min(0).max(SECONDS_MAX));

/** A two-digit year belongs to no century, so it is no year. */
const expiry = z.object({
  exp_month: z.number().int().min(1).max(12),
  exp_year: z.number().int().min(1970).max(9999),
});
export type CardExpiry = z.infer<typeof expiry>;

/** A payment method, or a card or bank account of the older Sources API, which is its own object. */
const method = z.object({
  object: told(z.string()),
  type: told(z.string()),
  card: told(expiry),
  exp_month: told(expiry.shape.exp_month),
  exp_year: told(expiry.shape.exp_year),
});
const idOr = <Schema extends z.ZodType>(schema: Schema) => told(z.union([z.string(), schema]));
const methodOrId = idOr(method);
export type PaymentMethodView = z.infer<typeof method>;
export type PaymentMethodTold = z.infer<typeof methodOrId>;

const invoice = z.object({
  status: told(z.string()),
  due_date: seconds,
  created: seconds,
  status_transitions: told(z.object({ finalized_at: seconds })),
});
export type InvoiceView = z.infer<typeof invoice>;

const customer = z.object({
  deleted: told(z.boolean()),
  invoice_settings: told(z.object({ default_payment_method: methodOrId })),
  default_source: methodOrId,
});

const subscription = z.object({
  id: told(z.string()),
  status: told(z.string()),
  collection_method: told(z.string()),
  trial_end: seconds,
  default_payment_method: methodOrId,
  default_source: methodOrId,
  customer: idOr(customer),
  latest_invoice: idOr(invoice),
  metadata: told(z.record(z.string(), z.string())),
});
export type SubscriptionView = z.infer<typeof subscription>;

/** Never throws: of what is no subscription at all, nothing is told. */
export function subscriptionView(raw: unknown): SubscriptionView {
  return subscription.catch({}).parse(raw);
}

export function invoiceViews(raw: readonly unknown[]): InvoiceView[] {
  return raw.map((one) => invoice.catch({}).parse(one));
}
