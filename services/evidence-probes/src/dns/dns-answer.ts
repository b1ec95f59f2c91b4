import type { UnknownReason } from '@orchestrate/canon';

/** Why a question has no answer: news about the way to it, never about the name. */
export type NoAnswerReason = Extract<
  UnknownReason,
  'timeout' | 'servfail' | 'refused' | 'no_answer' | 'disagreement' | 'probe_fault'
>;

export interface MailExchange {
  readonly exchange: string;
  readonly priority: number;
}

/**
 * The data of one record by its type. The strings of a TXT record are joined with nothing between them (RFC 7208 3.3,
 * RFC 6376 3.6.2.2), and each octet becomes the character of that number (latin1): octets that are not ASCII stay
 * apart from all that a valid policy is written with, and none is lost for the digest.
 */
export interface RecordData {
  readonly A: string;
  readonly AAAA: string;
  readonly MX: MailExchange;
  readonly PTR: string;
  readonly TXT: string;
}

export type QuestionType = keyof RecordData;

export interface Question<Type extends QuestionType = QuestionType> {
  readonly name: string;
  readonly type: Type;
}

/** `ttlSec` is the shortest of all that the answer rests on, aliases included. */
export interface Records<Type extends QuestionType = QuestionType> {
  readonly kind: 'records';
  readonly records: readonly RecordData[Type][];
  readonly ttlSec: number;
}

/** The name does not exist (NXDOMAIN, RFC 2308 2.1), or has no such record (NODATA, 2.2). */
export interface Absence {
  readonly kind: 'absent';
  readonly how: 'nxdomain' | 'nodata';
  readonly ttlSec: number;
}

export interface NoAnswer {
  readonly kind: 'no_answer';
  readonly reason: NoAnswerReason;
}

export type DnsAnswer<Type extends QuestionType = QuestionType> = Records<Type> | Absence | NoAnswer;

export interface AskOptions {
  /** Gives up when it fires; the answer is then `no_answer`, or `timeout` where the signal is one of time. */
  readonly signal?: AbortSignal;
  /** Asks anew, whatever is remembered. */
  readonly isFresh?: boolean;
}

export interface DnsResolver {
  /** Never rejects for what the network or a server does. */
  ask<Type extends QuestionType>(name: string, type: Type, options?: AskOptions): Promise<DnsAnswer<Type>>;
}

export function noAnswer(reason: NoAnswerReason): NoAnswer {
  return { kind: 'no_answer', reason };
}
