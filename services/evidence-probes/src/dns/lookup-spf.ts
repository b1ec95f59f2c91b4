import type { DNSResolver } from 'mailauth';
import { spf } from 'mailauth/lib/spf/index.js';
import { type Answer, digestOf, type Evidence, isNameTooLong, unknownAnswers } from './answer.ts';
import { codeOf, meaningOf, type NoAnswerReason, type TxtResolver } from './resolver.ts';

export const SPF_FACTS = ['spf', 'spfLookups', 'spfVoidLookups'] as const;

export interface SpfQuestion {
  readonly domain: string;
  /** The address that mail of this domain really leaves from. */
  readonly egressIp: string;
  readonly resolver: TxtResolver;
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
  const { domain, egressIp, resolver, elapsedMsMax = ELAPSED_MS_MAX } = question;
  if (isNameTooLong(domain)) return unknownAnswers(SPF_FACTS, 'name_too_long');
  const watch = watchResolver(resolver);
  const startedAt = performance.now();
  const result = await spf({
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

interface Watch {
  readonly evidence: readonly Evidence[];
  readonly trouble: NoAnswerReason | undefined;
  resolve(name: string, type: string): Promise<unknown>;
}

/** Keeps every record seen and the first question that went unanswered. */
function watchResolver(resolver: TxtResolver): Watch {
  const evidence: Evidence[] = [];
  let trouble: NoAnswerReason | undefined;
  return {
    evidence,
    get trouble() {
      return trouble;
    },
    async resolve(name, type) {
      try {
        const records = await resolver.resolve(name, type);
        evidence.push({ name, type, outcome: asLines(records) });
        refuseHugePolicy(records, type);
        return records;
      } catch (error) {
        const meaning = meaningOf(error);
        if (meaning.kind === 'absent') evidence.push({ name, type, outcome: meaning.how });
        // a name that cannot exist and a policy that is too large are findings about the record
        else if (codeOf(error) !== 'EBADNAME' && codeOf(error) !== HUGE_POLICY) trouble ??= meaning.reason;
        throw error;
      }
    },
  };
}

function asLines(records: unknown): string[] {
  return (Array.isArray(records) ? records : [records]).map((record) => JSON.stringify(record));
}

const HUGE_POLICY = 'ESPFHUGE';

function refuseHugePolicy(records: unknown, type: string): void {
  if (type !== 'TXT' || !Array.isArray(records)) return;
  const texts = records.map((strings: unknown) =>
    Array.isArray(strings) ? strings.join('') : String(strings),
  );
  const huge = texts.find((text) => /^v=spf1(?: |$)/i.test(text) && text.length > RECORD_OCTETS_MAX);
  if (huge === undefined) return;
  const text = `SPF record of ${huge.length} octets`;
  throw Object.assign(new Error(text), { code: HUGE_POLICY, spfResult: { error: 'permerror', text } });
}
