import type { TenantConfig } from '@orchestrate/contracts';
import { defineProbe, type Probe } from '../probe/define-probe.ts';
import { verdictOf } from './answer.ts';
import type { DnsResolver } from './dns-answer.ts';
import { DOMAIN_FACTS, probeDomain } from './probe-domain.ts';

type Domain = TenantConfig['domains'][number];

export interface DomainCadence {
  /** Of a domain that is well; half of the age that the policy allows when absent, s. */
  readonly DNS_INTERVAL_SEC?: number | undefined;
  readonly DNS_RETRY_SEC: number;
  readonly DNS_UNKNOWN_RETRY_SEC: number;
}

/**
 * A look asks some thirty questions of several servers, each with its own patience. What has no answer by then is unknown
 * for itself, beside what has one.
 */
const LOOK_MS_MAX = 90_000;
/** More take longer in all, and more memory. */
const AT_A_TIME = 48;

/** Every enabled domain of a tenant, as DNS tells of it. */
export function domainProbe(resolver: DnsResolver, wanted: DomainCadence): Probe<Domain> {
  return defineProbe<Domain>({
    name: 'dns-probe',
    layer: 'sending_domain',
    facts: DOMAIN_FACTS,
    targets: ({ domains }) =>
      domains.filter(({ enabled }) => enabled).map((domain) => ({ source: domain.id, params: domain })),
    async look({ params: { name, egressIp, dkimSelectors }, signal }) {
      const until = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS_MAX)]);
      const question = { domain: name, egressIp, dkimSelectors, resolver, signal: until };
      const { answers, ttlSec } = await probeDomain(question);
      return { answers, ...(ttlSec === null ? {} : { ttlMs: ttlSec * 1000 }) };
    },
    cadence: ({ maxAgeSec }) => ({
      intervalMs: (wanted.DNS_INTERVAL_SEC ?? maxAgeSec.dns / 2) * 1000,
      failingMs: wanted.DNS_RETRY_SEC * 1000,
      unknownMs: wanted.DNS_UNKNOWN_RETRY_SEC * 1000,
    }),
    verdict: verdictOf,
    timeoutMs: LOOK_MS_MAX + 10_000,
    atATime: AT_A_TIME,
    // The resolver tries again by itself.
    tries: 1,
  });
}
