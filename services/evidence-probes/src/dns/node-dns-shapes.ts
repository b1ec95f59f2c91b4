import type { DnsAnswer, NoAnswerReason, QuestionType } from './dns-answer.ts';

/** The errors and records of `node:dns`, which the SPF evaluator is written for. */

export const CODE_OF_ABSENCE = { nxdomain: 'ENOTFOUND', nodata: 'ENODATA' } as const;

export const CODE_OF_REASON: Readonly<Record<NoAnswerReason, string>> = {
  timeout: 'ETIMEOUT',
  servfail: 'ESERVFAIL',
  refused: 'EREFUSED',
  no_answer: 'EBADRESP',
  // `node:dns` asks one server at a time and has no code for it.
  disagreement: 'EDISAGREE',
  probe_fault: 'EBADRESP',
};

const QUESTION_TYPES: readonly string[] = ['A', 'AAAA', 'MX', 'PTR', 'TXT'] satisfies readonly QuestionType[];

export function isQuestionType(type: string): type is QuestionType {
  return QUESTION_TYPES.includes(type);
}

export function dnsError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

/** New objects each time: the evaluator sorts what it gets. */
export function nodeRecords(
  { records }: Extract<DnsAnswer, { kind: 'records' }>,
  type: QuestionType,
): unknown[] {
  if (type === 'TXT') return records.map((record) => [record]);
  return records.map((record) => (typeof record === 'string' ? record : { ...record }));
}
