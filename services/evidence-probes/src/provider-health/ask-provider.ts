import type { UnknownReason } from '@orchestrate/canon';
import { parseRetryAfter } from '../probe/retry-after.ts';
import { type ProviderTarget, providerRequest } from './provider-request.ts';
import { classOf, type ErrorClass, type ReplyStart } from './reply-class.ts';

export interface ProviderQuestion extends ProviderTarget {
  /** Resolves the reference to the key when it is needed. */
  readonly key: () => Promise<string>;
  /** For the whole look. Longer than the slowest answer that is still to be measured. */
  readonly timeoutMs: number;
}

export interface LookMoment {
  /** When the look begins, ms since the epoch. */
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** What one request came to. Only the provider's own word is an answer; all else is news about the way there. */
export type ProviderLook =
  | {
      readonly kind: 'answered';
      readonly errorClass: ErrorClass;
      readonly elapsedMs: number;
      /** Absent when the provider named no time, or one that cannot be read. */
      readonly retryAfterSec?: number;
    }
  | { readonly kind: 'unknown'; readonly reason: UnknownReason };

/** An error is much shorter, and the beginning of a list is enough. */
const BODY_BYTES_MAX = 65_536;

/**
 * Asks a provider once. Never rejects for what the world does.
 *
 * A provider that we do not reach has said nothing: the connection that is refused, the name that is not found, the
 * certificate that does not verify and the silence until the timeout all look the same when it is our own network
 * that is unplugged. So a timeout is held against the provider only after its answer has begun.
 */
export async function askProvider(question: ProviderQuestion, moment: LookMoment): Promise<ProviderLook> {
  const timeout = AbortSignal.timeout(question.timeoutMs);
  const limit = AbortSignal.any([moment.signal, timeout]);
  const request = await prepared(question, limit);
  if (!request) return unknown(moment.signal.aborted ? 'no_answer' : 'probe_fault');

  const startedAt = performance.now();
  const elapsedMs = () => Math.round(performance.now() - startedAt);
  let response: Response;
  try {
    response = await fetch(request, { signal: limit });
  } catch (error) {
    return unknown(reasonOf(error));
  }
  const retryAfterSec = parseRetryAfter(response.headers.get('retry-after'), moment.nowMs + elapsedMs());
  try {
    const errorClass = classOf(question, await startOf(response));
    return errorClass ? answered(errorClass, elapsedMs(), retryAfterSec) : unknown('unrecognised_value');
  } catch (error) {
    const isLate = timeout.aborted && !moment.signal.aborted;
    return isLate ? answered('timeout', elapsedMs(), retryAfterSec) : unknown(reasonOf(error));
  }
}

function answered(
  errorClass: ErrorClass,
  elapsedMs: number,
  retryAfterSec: number | undefined,
): ProviderLook {
  return {
    kind: 'answered',
    errorClass,
    elapsedMs,
    ...(retryAfterSec === undefined ? {} : { retryAfterSec }),
  };
}

function unknown(reason: UnknownReason): ProviderLook {
  return { kind: 'unknown', reason };
}

/** Undefined when it cannot even be asked. The error goes no further: it may quote the key. */
async function prepared(question: ProviderQuestion, limit: AbortSignal): Promise<Request | undefined> {
  try {
    const key = await before(limit, question.key());
    // without a key the provider would refuse, and its refusal would read as if the key were bad
    return key.trim() === '' ? undefined : providerRequest(question, key);
  } catch {
    return undefined;
  }
}

function before<T>(limit: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: gaveUp, reject } = Promise.withResolvers<never>();
  limit.addEventListener('abort', () => reject(limit.reason), { once: true });
  if (limit.aborted) reject(limit.reason);
  return Promise.race([work, gaveUp]);
}

async function startOf(response: Response): Promise<ReplyStart> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    // leaving the loop closes the connection, so that nobody sends on
    if (bytes > BODY_BYTES_MAX) break;
  }
  const text = Buffer.concat(chunks).subarray(0, BODY_BYTES_MAX).toString();
  return { status: response.status, text, isWhole: bytes <= BODY_BYTES_MAX };
}

/** By the codes of node:net, node:dns and undici. A code that is not listed, those of TLS included, is no answer. */
const REASONS: Readonly<Record<string, UnknownReason>> = {
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ECONNREFUSED: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
};

function reasonOf(error: unknown): UnknownReason {
  if (!(error instanceof Error)) return 'no_answer';
  if (error.name === 'TimeoutError') return 'timeout';
  const { cause } = error;
  return (cause instanceof Error && 'code' in cause && REASONS[String(cause.code)]) || 'no_answer';
}
