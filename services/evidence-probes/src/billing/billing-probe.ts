import { z } from 'zod';
import type { Credentials } from '../credentials.ts';
import type { Answer } from '../probe/answer.ts';
import { defineProbe, type Probe } from '../probe/define-probe.ts';
import { pollSubscription } from './poll-subscription.ts';
import { SUBSCRIPTION_FACTS } from './subscription-answers.ts';

const HOUR_MS = 3_600_000;
const WELL: ReadonlySet<unknown> = new Set(['active', 'trialing']);

/** `stripe.json` in the folder of credentials: a restricted key that reads, and the secrets that sign webhooks. */
export const stripeAccess = z.strictObject({
  secretKey: z.string().regex(/^[!-~]+$/),
  webhookSecrets: z.array(z.string().min(1)).max(8).default([]),
  host: z.string().min(1).exactOptional(),
  port: z.number().int().min(1).max(65_535).exactOptional(),
  protocol: z.enum(['http', 'https']).exactOptional(),
});

/** The subscription of every tenant that declares what customer of Stripe's it is. */
export function billingProbe(credentials: Credentials): Probe<string> {
  return defineProbe<string>({
    name: 'billing-probe',
    layer: 'billing',
    facts: SUBSCRIPTION_FACTS,
    targets: ({ billing }) => (billing ? [{ source: 'main', params: billing.stripeCustomer }] : []),
    // By customer, which is what a webhook names.
    asset: (customer) => customer,
    fate: () => 'stripe',
    async look({ params: customer, nowMs, signal }) {
      const access = await credentials.read(['stripe'], stripeAccess);
      if (!access) return { answers: [] };
      const { webhookSecrets: _secrets, ...account } = access;
      return { answers: await pollSubscription({ ...account, customer, nowMs, signal }) };
    },
    /** Webhooks say when something changed; this finds what they did not. */
    cadence: ({ maxAgeSec }) => ({
      intervalMs: (maxAgeSec.billing * 1000) / 4,
      failingMs: Math.min(HOUR_MS, (maxAgeSec.billing * 1000) / 4),
      unknownMs: 60_000,
    }),
    verdict: (answer: Answer) =>
      'value' in answer && answer.fact === 'subscriptionStatus' && !WELL.has(answer.value) ? 'fail' : 'pass',
    timeoutMs: 15_000,
    atATime: 8,
  });
}
