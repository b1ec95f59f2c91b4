import { domainToASCII } from 'node:url';
import { type Answer, unknownAnswers } from './answer.ts';
import { DKIM_FACTS, lookupDkim } from './lookup-dkim.ts';
import { DMARC_FACTS, lookupDmarc } from './lookup-dmarc.ts';
import { lookupSpf, SPF_FACTS } from './lookup-spf.ts';
import type { TxtResolver } from './resolver.ts';

export interface DomainQuestion {
  readonly domain: string;
  readonly egressIp: string;
  readonly dkimSelectors: readonly string[];
  readonly resolver: TxtResolver;
}

/**
 * All that DNS says about a sending domain. It proves configuration, never signing: alignment takes a
 * delivered message. A fault in one lookup leaves its own facts unknown and the others alone.
 */
export async function probeDomain(question: DomainQuestion): Promise<Answer[]> {
  const { egressIp, resolver } = question;
  const domain = toQueryName(question.domain);
  const selectors = question.dkimSelectors.map(toQueryName);
  // a name without an encoding is a fault of the configuration: asking for `` would ask for the root
  if ([domain, ...selectors].includes('')) return unknownAnswers(DOMAIN_FACTS, 'probe_fault');
  const answers = await Promise.all([
    settle(SPF_FACTS, () => lookupSpf({ domain, egressIp, resolver })),
    settle(DKIM_FACTS, () => lookupDkim({ domain, selectors, resolver })),
    settle(DMARC_FACTS, () => lookupDmarc({ domain, resolver })),
  ]);
  return answers.flat();
}

const DOMAIN_FACTS = [...SPF_FACTS, ...DKIM_FACTS, ...DMARC_FACTS];

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
