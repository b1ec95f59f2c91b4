import type { DNSResolver } from 'mailauth';
import { spf } from 'mailauth/lib/spf/index.js';
import { type Answer, unknownAnswers } from '../probe/answer.ts';
import { digestOf, type Evidence, isNameTooLong } from './answer.ts';
import type { AskOptions, DnsAnswer, DnsResolver, NoAnswerReason } from './dns-answer.ts';
import { dnsError } from './node-dns-shapes.ts';
import { resolveWith } from './resolve.ts';

export const SPF_FACTS = ['spf', 'spfLookups', 'spfVoidLookups'] as const;

export interface SpfQuestion extends Pick<AskOptions, 'signal'> {
  readonly domain: string;
  /** The address that mail of this domain really leaves from. */
  readonly egressIp: string;
  readonly resolver: DnsResolver;
  /** For the whole evaluation. */
  readonly elapsedMsMax?: number;
}

/** RFC 7208 4.6.4: terms that cause a lookup, and lookups that come back empty. Over either is a permerror. */
const DNS_TERMS_MAX = 10;
const VOID_LOOKUPS_MAX = 2;
/** RFC 7208 4.6.4: an evaluation should be given at least 20 s. */
const ELAPSED_MS_MAX = 20_000;
/** Timers and clocks round differently. */
const TIMER_SLACK_MS = 10;
/** No published policy comes near this; reading on would only be work for whoever sent it. */
const RECORD_OCTETS_MAX = 10_240;

/**
 * The check_host() of RFC 7208 for the egress address.
 *
 * The RFC lets a DNS error pass as "does not match" in a `ptr` term (5.5), after which the evaluation runs on
 * to whatever comes next, `-all` included. A receiver has to answer at once; we do not. So any question that
 * went unanswered makes the whole result unknown, whatever the evaluation said.
 */
export async function lookupSpf(question: SpfQuestion): Promise<Answer[]> {
  const { domain, resolver, signal, elapsedMsMax = ELAPSED_MS_MAX } = question;
  if (isNameTooLong(domain)) return unknownAnswers(SPF_FACTS, 'name_too_long');
  // what is still being asked when the evaluation ends is of no more use to anybody
  const over = new AbortController();
  const until = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const watch = watchResolver(resolver, until);
  const startedAt = performance.now();
  const result = await checkHost(question, watch, elapsedMsMax).finally(() => over.abort());

  const { trouble } = watch;
  if (trouble !== undefined) return unknownAnswers(SPF_FACTS, trouble);
  if (result.status.result === 'temperror') {
    const timedOut = performance.now() - startedAt >= elapsedMsMax - TIMER_SLACK_MS;
    return unknownAnswers(SPF_FACTS, timedOut ? 'timeout' : 'probe_fault');
  }
  // a domain that the evaluator turns down unasked rests on no record, so it is no finding about the tenant
  if (watch.evidence.length === 0) return unknownAnswers(SPF_FACTS, 'probe_fault');
  const digest = digestOf(watch.evidence);
  const isVoid = watch.evidence.length === 1 && typeof watch.evidence[0]?.outcome === 'string';
  return [
    { fact: 'spf', value: result.status.result, digest },
    { fact: 'spfLookups', value: result.lookups?.count ?? 0, digest },
    // the limit is about terms: the query for the domain's own record is not one of them
    { fact: 'spfVoidLookups', value: isVoid ? 0 : (result.lookups?.void ?? 0), digest },
  ];
}

function checkHost({ domain, egressIp }: SpfQuestion, watch: Watch, elapsedMsMax: number) {
  return spf({
    sender: `postmaster@${domain}`,
    helo: domain,
    mta: domain,
    ip: egressIp,
    // its declaration forgets that MX records are objects
    resolver: watch.resolve as DNSResolver,
    strict: true,
    maxResolveCount: DNS_TERMS_MAX,
    maxVoidCount: VOID_LOOKUPS_MAX,
    maxElapsedTime: elapsedMsMax,
  });
}

interface Watch {
  readonly evidence: readonly Evidence[];
  readonly trouble: NoAnswerReason | undefined;
  resolve(name: string, type: string): Promise<unknown>;
}

/**
 * The resolver of the evaluator. It keeps every record seen and the first question that went unanswered; a name that
 * cannot exist and a policy that is too large are findings about the record and no trouble.
 */
function watchResolver(resolver: DnsResolver, signal: AbortSignal): Watch {
  const evidence: Evidence[] = [];
  let trouble: NoAnswerReason | undefined;
  return {
    evidence,
    get trouble() {
      return trouble;
    },
    resolve: resolveWith(resolver, {
      signal,
      seen: (name, type, answer) => {
        if (answer.kind === 'no_answer') {
          trouble ??= answer.reason;
          return;
        }
        evidence.push({ name, type, outcome: outcomeOf(answer) });
        if (answer.kind === 'records') refuseHugePolicy(answer.records);
      },
    }),
  };
}

function outcomeOf(answer: Exclude<DnsAnswer, { kind: 'no_answer' }>): Evidence['outcome'] {
  return answer.kind === 'absent' ? answer.how : answer.records.map((record) => JSON.stringify(record));
}

/** The octets of a record are its characters. */
function refuseHugePolicy(records: readonly unknown[]): void {
  const huge = records.find(
    (record) =>
      typeof record === 'string' && /^v=spf1(?: |$)/i.test(record) && record.length > RECORD_OCTETS_MAX,
  );
  if (huge === undefined) return;
  const text = `SPF record over ${RECORD_OCTETS_MAX} octets`;
  throw Object.assign(dnsError('ESPFHUGE', text), { spfResult: { error: 'permerror', text } });
}
