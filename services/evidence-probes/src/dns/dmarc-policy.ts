import { readTagList, trimBlanks } from './tag-list.ts';

export const DMARC_POLICIES = ['none', 'quarantine', 'reject'] as const;
export type DmarcPolicy = (typeof DMARC_POLICIES)[number];

/** One policy record (RFC 9989 4.7). */
export interface DmarcRecord {
  /** For the domain of the record; undefined when the record asks for no processing at all. */
  readonly policy: DmarcPolicy | undefined;
  /** For the names below it. */
  readonly subdomainPolicy: DmarcPolicy | undefined;
  /** Whether it ends the tree walk: it is a public suffix (`y`), or an organisational domain (`n`). */
  readonly psd: 'y' | 'n' | 'u';
}

/** RFC 9989 4.7: the version comes first and its value is matched exactly, unlike its name. */
const VERSION = /^[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/;

export function isDmarcRecord(text: string): boolean {
  return VERSION.test(text);
}

/** Undefined where a tag is given twice: RFC 6376 3.2 makes such a list invalid as a whole. */
export function readDmarcRecord(text: string): DmarcRecord | undefined {
  const { tags, hasDuplicate } = readTagList(text);
  if (hasDuplicate) return undefined;
  const psd = tags.get('psd')?.toLowerCase();
  return { ...readPolicies(tags), psd: psd === 'y' || psd === 'n' ? psd : 'u' };
}

/**
 * RFC 9989 4.10.1: without a valid `p`, or with an `sp` or `np` that is not valid, the record acts as `p=none`
 * if somebody at least wants reports, and otherwise as if DMARC were not used.
 */
function readPolicies(tags: ReadonlyMap<string, string>): Pick<DmarcRecord, 'policy' | 'subdomainPolicy'> {
  const [p, sp, np] = ['p', 'sp', 'np'].map((tag) => tags.get(tag)?.toLowerCase());
  const isTest = tags.get('t')?.toLowerCase() === 'y';
  if (isPolicy(p) && (sp === undefined || isPolicy(sp)) && (np === undefined || isPolicy(np))) {
    return { policy: asked(p, isTest), subdomainPolicy: asked(sp ?? p, isTest) };
  }
  return hasReportUri(tags.get('rua'))
    ? { policy: 'none', subdomainPolicy: 'none' }
    : { policy: undefined, subdomainPolicy: undefined };
}

function isPolicy(value: string | undefined): value is DmarcPolicy {
  return (DMARC_POLICIES as readonly (string | undefined)[]).includes(value);
}

/** RFC 9989 4.7: `t=y` asks for the policy one level below. */
function asked(policy: DmarcPolicy, isTest: boolean): DmarcPolicy {
  if (!isTest) return policy;
  return policy === 'reject' ? 'quarantine' : 'none';
}

/** A scheme, a colon and the characters of RFC 3986; a size after `!` is a relic of RFC 7489. */
const REPORT_URI = /^[a-z][a-z0-9+.-]*:(?:[a-z0-9\-._~:/?#[\]@$&'()*+;=]|%[0-9a-f]{2})*$/i;

function hasReportUri(rua: string | undefined): boolean {
  return (rua ?? '')
    .split(',')
    .some((uri) => REPORT_URI.test(trimBlanks(uri).replace(/![0-9]+[kmgt]?$/i, '')));
}
