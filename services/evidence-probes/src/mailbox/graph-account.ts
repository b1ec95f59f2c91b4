import { z } from 'zod';
import type { Answer } from '../probe/answer.ts';
import { untilAborted } from '../probe/until-aborted.ts';
import type { AccessTokenQuestion } from './google-token-info.ts';
import { askOverHttp, type HttpReply, throttleAnswers, urlBelow } from './http-reply.ts';

const BASE_URL = new URL('https://graph.microsoft.com');

const account = z.object({ id: z.string().min(1) });
/** Who is refused with one of these was recognised: the token is good, and for something else. */
const forbidden = z.object({
  error: z.object({ code: z.enum(['Authorization_RequestDenied', 'ErrorAccessDenied', 'AccessDenied']) }),
});

/**
 * Asks Microsoft Graph who the token belongs to. It tells `token`, and `throttled` with `retryAfterSec` where Graph says
 * so. An expired access token is refused like a revoked one, so it should be fresh from a refresh. Never rejects.
 */
export async function graphAccount(question: AccessTokenQuestion): Promise<Answer[]> {
  const { nowMs, signal, baseUrl = BASE_URL } = question;
  const credential = await untilAborted(question.credential, signal).catch(() => null);
  if (!credential) return [{ fact: 'token', unknown: signal.aborted ? 'timeout' : 'probe_fault' }];
  const outcome = await askOverHttp({
    url: urlBelow(baseUrl, 'v1.0/me'),
    headers: { authorization: `Bearer ${credential.accessToken}` },
    nowMs,
    signal,
  });
  if (outcome.kind === 'none') return [{ fact: 'token', unknown: outcome.reason }];
  return [tokenOf(outcome), ...throttleAnswers(outcome)];
}

function tokenOf({ status, json, digest }: HttpReply): Answer {
  const fact = 'token';
  if (status === 401) return { fact, value: 'inactive_unspecified', digest };
  if (status !== 200 && status !== 403) return { fact, unknown: 'no_answer' };
  const isRecognised = (status === 200 ? account : forbidden).safeParse(json).success;
  return isRecognised ? { fact, value: 'active', digest } : { fact, unknown: 'unrecognised_value' };
}
