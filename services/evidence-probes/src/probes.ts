import type { Environment, Logger } from '@orchestrate/service-kit';
import { billingProbe } from './billing/billing-probe.ts';
import type { environment } from './config.ts';
import type { Credentials } from './credentials.ts';
import type { DnsResolver } from './dns/dns-answer.ts';
import { domainProbe } from './dns/domain-probe.ts';
import { mailboxProbe } from './mailbox/mailbox-probe.ts';
import type { Probe } from './probe/define-probe.ts';
import type { ProbeWord } from './probe-words.ts';
import { providerProbe } from './provider-health/provider-probe.ts';

export interface ProbeMeans {
  readonly environment: Environment<typeof environment>;
  readonly resolver: DnsResolver;
  readonly credentials: Credentials;
  readonly log: Logger;
}

/**
 * Every probe of this service by the word that switches it on. One more source is a file with `defineProbe` and a line
 * here; a tenant is looked at by those whose sources it declares.
 */
export const PROBES = {
  dns: ({ resolver, environment }) => domainProbe(resolver, environment) as Probe,
  mailbox: (means) => mailboxProbe(means) as Probe,
  provider: ({ credentials }) => providerProbe(credentials) as Probe,
  billing: ({ credentials }) => billingProbe(credentials) as Probe,
} as const satisfies Readonly<Record<Exclude<ProbeWord, 'window'>, (means: ProbeMeans) => Probe>>;
