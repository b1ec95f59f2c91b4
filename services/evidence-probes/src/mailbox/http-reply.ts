import { createHash } from 'node:crypto';
import type { Answer } from '../probe/answer.ts';
import { parseRetryAfter } from '../probe/retry-after.ts';
import { type NoReplyReason, noReplyReason } from './no-reply.ts';
import { NOT_THROTTLED, throttledFor } from './throttled.ts';

export type HttpOutcome = HttpReply | { readonly kind: 'none'; readonly reason: NoReplyReason };

export interface HttpReply {
  readonly kind: 'reply';
  readonly status: number;
  /** What the body holds as JSON; undefined when it holds none. */
  readonly json: unknown;
  readonly retryAfterSec: number | null;
  /** SHA-256 (hex) of the body. */
  readonly digest: string;
}

export interface HttpQuestion {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST as a form; without it the question is a GET. */
  readonly form?: Readonly<Record<string, string>>;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** None of the replies that are asked for comes near this. */
const BODY_OCTETS_MAX = 65_536;

/**
 * One question and its reply. Never rejects. A redirect is a reply like any other: the question carries secrets, which
 * are for nobody but the server that was named.
 */
export async function askOverHttp(question: HttpQuestion): Promise<HttpOutcome> {
  const { url, headers, form, nowMs, signal } = question;
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json', ...headers },
      ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
      redirect: 'manual',
      signal,
    });
    const body = await readBody(response);
    if (body === null) return { kind: 'none', reason: 'no_answer' };
    return {
      kind: 'reply',
      status: response.status,
      json: parseJson(body),
      retryAfterSec: parseRetryAfter(response.headers.get('retry-after'), nowMs) ?? null,
      digest: createHash('sha256').update(body).digest('hex'),
    };
  } catch (error) {
    return { kind: 'none', reason: noReplyReason(error, signal) };
  }
}

/** Null when there is more of it than anybody should read. */
async function readBody(response: Response): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of response.body ?? []) {
    octets += chunk.length;
    if (octets > BODY_OCTETS_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** RFC 6585 4; a 503 that says when to come back is one too. Other trouble of the server says nothing of the kind. */
export function throttleAnswers({ status, retryAfterSec: waitSec }: HttpReply): readonly Answer[] {
  if (status === 429 || (status === 503 && waitSec !== null)) return throttledFor(waitSec);
  return status >= 500 ? [] : NOT_THROTTLED;
}

/** A base URL with a path below it, whether or not the base ends in a slash. */
export function urlBelow({ href }: URL, path: string): URL {
  return new URL(path, href.endsWith('/') ? href : `${href}/`);
}
