import { randomInt } from 'node:crypto';
import { type DnsAnswer, type NoAnswer, noAnswer, type Question, type QuestionType } from './dns-answer.ts';
import { type Exchanged, exchangeTcp, exchangeUdp } from './exchange.ts';
import { writeQuery } from './query-message.ts';
import { readAnswer } from './read-answer.ts';
import type { ServerAddress } from './server-address.ts';

export interface Patience {
  /** For one try, the way over TCP included. */
  readonly timeoutMs: number;
  readonly tries: number;
  readonly signal?: AbortSignal | undefined;
}

const ID_COUNT = 65_536;

/** One question to one server. Only silence and noise are tried again: a code that says no is an answer of the server. */
export async function askServer<Type extends QuestionType>(
  server: ServerAddress,
  question: Question<Type>,
  { timeoutMs, tries, signal }: Patience,
): Promise<DnsAnswer<Type>> {
  let failure: NoAnswer = noAnswer('no_answer');
  for (let attempt = 1; attempt <= tries; attempt++) {
    if (signal?.aborted) return abandoned(signal);
    const exchanged = await tryOnce(server, question, timeoutMs, signal);
    if (exchanged.kind === 'response') return readAnswer(exchanged.packet, question);
    failure = noAnswer(exchanged.kind === 'given_up' ? 'timeout' : 'no_answer');
  }
  return signal?.aborted ? abandoned(signal) : failure;
}

export function abandoned(signal: AbortSignal): NoAnswer {
  const isOfTime = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
  return noAnswer(isOfTime ? 'timeout' : 'no_answer');
}

/**
 * Every try has an id and a port of its own, so that guessing one does not help with the next (RFC 5452 9.2). When the
 * time is over, what has arrived meanwhile is read all the same: if this process was busy, the server was not late.
 */
async function tryOnce(
  server: ServerAddress,
  question: Question,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Exchanged> {
  const query = writeQuery(question, randomInt(ID_COUNT));
  const time = new AbortController();
  const timer = setTimeout(() => setImmediate(() => time.abort()), timeoutMs);
  const until = signal === undefined ? time.signal : AbortSignal.any([signal, time.signal]);
  try {
    const exchanged = await exchangeUdp(server, query, until);
    return exchanged.kind === 'truncated' ? await exchangeTcp(server, query, until) : exchanged;
  } finally {
    clearTimeout(timer);
  }
}
