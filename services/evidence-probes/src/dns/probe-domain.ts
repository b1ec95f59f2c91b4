import { domainToASCII } from 'node:url';
import { type Answer, unknownAnswers } from '../probe/answer.ts';
import type { AskOptions, DnsResolver } from './dns-answer.ts';
import { DKIM_FACTS, lookupDkim } from './lookup-dkim.ts';
import { DMARC_FACTS, lookupDmarc } from './lookup-dmarc.ts';
import { lookupSpf, SPF_FACTS } from './lookup-spf.ts';

export interface DomainQuestion extends Pick<AskOptions, 'signal'> {
  readonly domain: string;
  readonly egressIp: string;
  readonly dkimSelectors: readonly string[];
  readonly resolver: DnsResolver;
}

export interface DomainLook {
  readonly answers: readonly Answer[];
  /** The shortest TTL of all that the answers rest on, what says no included; null when nothing was answered. */
  readonly ttlSec: number | null;
}

/**
 * All that DNS says about a sending domain. It proves configuration, never signing: alignment takes a
 * delivered message. A fault in one lookup leaves its own facts unknown and the others alone.
 */
export async function probeDomain(question: DomainQuestion): Promise<DomainLook> {
  const { egressIp, signal } = question;
  const domain = toQueryName(question.domain);
  const selectors = question.dkimSelectors.map(toQueryName);
  // a name without an encoding is a fault of the configuration: asking for `` would ask for the root
  if ([domain, ...selectors].includes('')) {
    return { answers: unknownAnswers(DOMAIN_FACTS, 'probe_fault'), ttlSec: null };
  }
  const watch = watchTtls(question.resolver, domain);
  const given = { domain, resolver: watch.resolver, ...(signal && { signal }) };
  const answers = await Promise.all([
    settle(SPF_FACTS, () => lookupSpf({ ...given, egressIp })),
    settle(DKIM_FACTS, () => lookupDkim({ ...given, selectors })),
    settle(DMARC_FACTS, () => lookupDmarc(given)),
  ]);
  return { answers: answers.flat(), ttlSec: watch.ttlSec };
}

/**
 * The domain's own names are asked for anew at every look: they are where its owner repairs something and waits for
 * the effect. All others, such as the policies of providers, may be remembered.
 */
function watchTtls(resolver: DnsResolver, domain: string) {
  let ttlSec: number | null = null;
  const watching: DnsResolver = {
    async ask(name, type, options) {
      const answer = await resolver.ask(name, type, { ...options, isFresh: isWithin(name, domain) });
      if (answer.kind !== 'no_answer') ttlSec = Math.min(ttlSec ?? answer.ttlSec, answer.ttlSec);
      return answer;
    },
  };
  return {
    resolver: watching,
    get ttlSec() {
      return ttlSec;
    },
  };
}

function isWithin(name: string, domain: string): boolean {
  const asked = toQueryName(name);
  return asked === domain || asked.endsWith(`.${domain}`);
}

export const DOMAIN_FACTS = [...SPF_FACTS, ...DKIM_FACTS, ...DMARC_FACTS];

async function settle(facts: readonly string[], lookup: () => Promise<Answer[]>): Promise<Answer[]> {
  try {
    return await lookup();
  } catch {
    return unknownAnswers(facts, 'probe_fault');
  }
}

const ASCII = /^[\x20-\x7e]*$/;

/** Lower case, no root dot, A-labels (RFC 5891 5). */
function toQueryName(name: string): string {
  const ascii = ASCII.test(name) ? name : domainToASCII(name);
  return ascii.toLowerCase().replace(/\.$/, '');
}
