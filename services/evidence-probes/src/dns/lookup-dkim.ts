import type { UnknownReason } from '@orchestrate/canon';
import { type Answer, unknownAnswers } from '../probe/answer.ts';
import { digestOf, type Evidence, isNameTooLong } from './answer.ts';
import { type DkimKeyState, readDkimKey } from './dkim-key.ts';
import type { AskOptions, DnsResolver } from './dns-answer.ts';

export const DKIM_FACTS = ['dkim', 'dkimKeyBits'] as const;

export interface DkimQuestion extends Pick<AskOptions, 'signal'> {
  readonly domain: string;
  /** DNS cannot list selectors: without configuration there is nothing to ask for. */
  readonly selectors: readonly string[];
  readonly resolver: DnsResolver;
}

interface Finding {
  readonly state: DkimKeyState | 'missing';
  readonly bits?: number;
  readonly evidence: Evidence;
}

/** What stands at one selector; an unknown says nothing about it. */
type SelectorFinding = Finding | { readonly unknown: UnknownReason };

const BEST_FIRST = ['valid', 'weak', 'malformed', 'revoked', 'missing'] as const;

/**
 * The keys at the configured selectors (RFC 6376 3.6). One valid key carries the domain. Failing that, a
 * selector we know nothing of may hold one: unknown goes before every lesser finding.
 * `dkimKeyBits` goes with the key that counts and is absent where there is none.
 */
export async function lookupDkim(question: DkimQuestion): Promise<Answer[]> {
  const { selectors } = question;
  if (selectors.length === 0) return [{ fact: 'dkim', value: 'not_discoverable', digest: digestOf([]) }];
  const findings = await Promise.all(selectors.map((selector) => findKey(selector, question)));
  const known = findings.filter((finding): finding is Finding => 'state' in finding);
  const unknown = findings.find((finding) => 'unknown' in finding);
  const best = known.toSorted(compareFindings)[0];
  if (unknown !== undefined && best?.state !== 'valid') return unknownAnswers(DKIM_FACTS, unknown.unknown);
  if (best === undefined) return unknownAnswers(DKIM_FACTS, 'probe_fault');

  const digest = digestOf(known.map(({ evidence }) => evidence));
  const answers: Answer[] = [{ fact: 'dkim', value: best.state, digest }];
  if (best.bits !== undefined) answers.push({ fact: 'dkimKeyBits', value: best.bits, digest });
  return answers;
}

async function findKey(
  selector: string,
  { domain, resolver, signal }: DkimQuestion,
): Promise<SelectorFinding> {
  const name = `${selector}._domainkey.${domain}`;
  if (isNameTooLong(name)) return { unknown: 'name_too_long' };
  const answer = await resolver.ask(name, 'TXT', signal && { signal });
  switch (answer.kind) {
    case 'no_answer':
      return { unknown: answer.reason };
    case 'absent':
      return { state: 'missing', evidence: { name, type: 'TXT', outcome: answer.how } };
    case 'records':
      return readKeys(name, answer.records);
  }
}

/** RFC 6376 3.6.2.2: with several records at a selector the result is undefined, so receivers differ. */
function readKeys(name: string, records: readonly string[]): SelectorFinding {
  const [record, ...others] = records;
  if (record === undefined || others.length > 0) return { unknown: 'multiple_keys' };
  const { state, bits } = readDkimKey(record);
  return {
    state,
    ...(bits === undefined ? {} : { bits }),
    evidence: { name, type: 'TXT', outcome: records },
  };
}

function compareFindings(one: Finding, other: Finding): number {
  const rank = BEST_FIRST.indexOf(one.state) - BEST_FIRST.indexOf(other.state);
  return rank === 0 ? (other.bits ?? 0) - (one.bits ?? 0) : rank;
}
