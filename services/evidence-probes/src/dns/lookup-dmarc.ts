import { type Answer, unknownAnswers } from '../probe/answer.ts';
import { digestOf, type Evidence, isNameTooLong } from './answer.ts';
import { type DmarcRecord, isDmarcRecord, readDmarcRecord } from './dmarc-policy.ts';
import type { AskOptions, DnsResolver, NoAnswerReason } from './dns-answer.ts';
import { trimBlanks } from './tag-list.ts';

export const DMARC_FACTS = ['dmarc', 'dmarcPolicy'] as const;

export interface DmarcQuestion extends Pick<AskOptions, 'signal'> {
  readonly domain: string;
  readonly resolver: DnsResolver;
}

/** RFC 9989 4.10 step 4: a name of eight labels or more goes on with its last seven, so eight queries do. */
const WALK_LABELS_MAX = 7;

interface Found {
  readonly domain: string;
  readonly record: DmarcRecord;
}

interface Walk {
  readonly found: readonly Found[];
  readonly evidence: readonly Evidence[];
  /** What was thrown away on the way: several records at one name, or a record that is no tag list. */
  readonly discarded: readonly ('multiple' | 'invalid')[];
  readonly noAnswer?: NoAnswerReason;
}

/**
 * The policy that applies to mail from a domain (RFC 9989 4.10). An unanswered question on the way leaves the
 * policy unknown: the level that could not be read is just where another policy may stand.
 * `dmarcPolicy` is what receivers are asked to do, `t=y` taken into account; absent where no policy applies.
 */
export async function lookupDmarc(question: DmarcQuestion): Promise<Answer[]> {
  const { domain } = question;
  if (isNameTooLong(policyName(domain))) return unknownAnswers(DMARC_FACTS, 'name_too_long');
  const walk = await walkTree(question);
  if (walk.noAnswer !== undefined) return unknownAnswers(DMARC_FACTS, walk.noAnswer);

  const digest = digestOf(walk.evidence);
  const applied = selectRecord(domain, walk.found);
  if (applied === undefined) return [{ fact: 'dmarc', value: walk.discarded[0] ?? 'none', digest }];
  const { policy, subdomainPolicy } = applied.record;
  // a domain that sends exists, so `np` is never the one that applies
  const effective = applied.domain === domain ? policy : subdomainPolicy;
  if (effective === undefined) return [{ fact: 'dmarc', value: 'invalid', digest }];
  return [
    { fact: 'dmarc', value: 'present', digest },
    { fact: 'dmarcPolicy', value: effective, digest },
  ];
}

function policyName(domain: string): string {
  return `_dmarc.${domain}`;
}

/** Stops early at a record of the domain itself, since that one applies whatever stands above. */
async function walkTree({ domain, resolver, signal }: DmarcQuestion): Promise<Walk> {
  const found: Found[] = [];
  const evidence: Evidence[] = [];
  const discarded: ('multiple' | 'invalid')[] = [];
  for (const step of walkNames(domain)) {
    const name = policyName(step);
    const answer = await resolver.ask(name, 'TXT', signal && { signal });
    if (answer.kind === 'no_answer') return { found, evidence, discarded, noAnswer: answer.reason };
    evidence.push({ name, type: 'TXT', outcome: answer.kind === 'records' ? answer.records : answer.how });
    const record = answer.kind === 'records' ? readPolicySet(answer.records) : 'none';
    if (record === 'multiple' || record === 'invalid') discarded.push(record);
    else if (record !== 'none') {
      found.push({ domain: step, record });
      if (step === domain || record.psd !== 'u') break;
    }
  }
  return { found, evidence, discarded };
}

function walkNames(domain: string): string[] {
  const labels = domain.split('.');
  const above = labels.slice(Math.max(1, labels.length - WALK_LABELS_MAX));
  return [domain, ...above.map((_, index) => above.slice(index).join('.'))];
}

/** RFC 9989 4.10 steps 2 and 6: other TXT records do not count, and several policies at one name cancel out. */
function readPolicySet(records: readonly string[]): DmarcRecord | 'none' | 'multiple' | 'invalid' {
  const [policy, ...others] = records.map(trimBlanks).filter(isDmarcRecord);
  if (policy === undefined) return 'none';
  if (others.length > 0) return 'multiple';
  return readDmarcRecord(policy) ?? 'invalid';
}

/**
 * RFC 9989 4.10.1 and 4.10.2: the domain's own record; else that of its organisational domain, which is the
 * one marked `psd=n`, or one label below a public suffix, or the highest found; else that of the suffix.
 */
function selectRecord(domain: string, found: readonly Found[]): Found | undefined {
  const own = found.find((entry) => entry.domain === domain);
  const last = found.at(-1);
  if (own !== undefined || last?.record.psd !== 'y') return own ?? last;
  const labels = last.domain.split('.').length + 1;
  const organisational = domain.split('.').slice(-labels).join('.');
  return found.find((entry) => entry.domain === organisational) ?? last;
}
