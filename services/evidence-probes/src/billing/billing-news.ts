import type { Broker } from '@orchestrate/messaging';
import type { Logger } from '@orchestrate/service-kit';
import { CredentialFault, type Credentials } from '../credentials.ts';
import { stripeAccess } from './billing-probe.ts';
import { type StripeWebhooks, startStripeWebhooks } from './stripe-webhooks.ts';

/** Between instances, not kept: one that misses it looks by its cadence. */
const SUBJECT = 'probes.billing.changed';

export interface BillingNews extends AsyncDisposable {
  readonly webhooks: StripeWebhooks | null;
}

interface Options {
  readonly broker: Broker;
  readonly credentials: Credentials;
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Look at this customer now. */
  readonly changed: (customer: string) => void;
  readonly log: Logger;
}

/**
 * Takes Stripe's webhooks, and tells all instances whose customer changed: whoever watches it asks Stripe. What an event
 * says is not believed for itself, because events come late, twice and in any order. Throws when a port is to be listened
 * on without secrets to check signatures with.
 */
export async function followBillingNews(options: Options): Promise<BillingNews> {
  const { broker, listen, changed, log } = options;
  const subscription = broker.nc.subscribe(SUBJECT, {
    callback: (error, message) => {
      if (!error) changed(message.string());
    },
  });
  const tell = async ({ customer }: { readonly customer: string }) => broker.nc.publish(SUBJECT, customer);
  const webhooks =
    listen &&
    (await startStripeWebhooks({
      ...listen,
      signingSecrets: await signingSecrets(options.credentials),
      onSubscription: tell,
      onHint: tell,
      log,
    }));
  return {
    webhooks,
    [Symbol.asyncDispose]: async () => {
      subscription.unsubscribe();
      await webhooks?.[Symbol.asyncDispose]();
    },
  };
}

async function signingSecrets(credentials: Credentials): Promise<readonly string[]> {
  const access = await credentials.read(['stripe'], stripeAccess);
  if (access && access.webhookSecrets.length > 0) return access.webhookSecrets;
  throw new CredentialFault('stripe.json: without `webhookSecrets` no webhook can be checked');
}
