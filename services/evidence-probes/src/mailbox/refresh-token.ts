import type { UnknownReason } from '@orchestrate/canon';
import { z } from 'zod';
import type { Answer } from '../probe/answer.ts';
import { untilAborted } from '../probe/until-aborted.ts';
import { basicAuthorization, type ClientCredential, type CredentialSource } from './credential.ts';
import { type GrantedScopes, readScopes } from './granted-scopes.ts';
import { askOverHttp, type HttpReply, throttleAnswers } from './http-reply.ts';

export interface RefreshCredential extends ClientCredential {
  readonly refreshToken: string;
}

export interface RefreshQuestion {
  /** Of the token endpoint. */
  readonly url: URL;
  readonly credential: CredentialSource<RefreshCredential>;
  /**
   * Called before anything is answered when the server hands out another refresh token: the old one is dead or dying.
   * Nobody else keeps it, so a callback that rejects has lost it.
   */
  readonly onRotated: (refreshToken: string) => Promise<void>;
  /** Told of an exchange that was begun, which ends by itself, and perhaps after the answer. */
  readonly onExchange?: (exchange: Promise<unknown>) => void;
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** How long an exchange that nobody waits for any more may go on. */
  readonly exchangeMsMax?: number;
}

export interface RefreshLook {
  readonly answers: readonly Answer[];
  /** Null where the server does not say, which means: as asked for (RFC 6749 5.1). */
  readonly granted: GrantedScopes;
  /** The fresh access token, as a function so that no log writes it out; null when there is none. */
  readonly accessToken: (() => string) | null;
}

const EXCHANGE_MS_MAX = 30_000;

const issued = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  scope: z.string().optional(),
});
const refusal = z.object({ error: z.string() });

/** RFC 6749 5.2: only one of the errors is about the grant. The others say that we asked wrongly. */
const OUR_FAULTS: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]);

/**
 * The refresh grant (RFC 6749 6): the one question to which the answer is certain, since what counts is the last time it
 * worked. Never rejects.
 *
 * Servers that rotate refresh tokens take the old one out of use when they send the new one, and some revoke the grant
 * when the old one comes again. So an exchange that was begun is not cut off: when the signal fires the answer is
 * `timeout`, and the reply is still waited for and handed to `onRotated`. Ask once at a time for each grant.
 */
export async function refreshToken(question: RefreshQuestion): Promise<RefreshLook> {
  const { signal } = question;
  const credential = await untilAborted(question.credential, signal).catch(() => null);
  if (!credential) return untold(signal.aborted ? 'timeout' : 'probe_fault');
  const begin = () => {
    const exchanging = exchange(question, credential);
    question.onExchange?.(exchanging);
    return exchanging;
  };
  return untilAborted(begin, signal).catch(() => untold(signal.aborted ? 'timeout' : 'probe_fault'));
}

async function exchange(question: RefreshQuestion, credential: RefreshCredential): Promise<RefreshLook> {
  const { url, nowMs, onRotated, exchangeMsMax = EXCHANGE_MS_MAX } = question;
  const outcome = await askOverHttp({
    url,
    headers: { authorization: basicAuthorization(credential) },
    form: { grant_type: 'refresh_token', refresh_token: credential.refreshToken },
    nowMs,
    signal: AbortSignal.timeout(exchangeMsMax),
  });
  if (outcome.kind === 'none') return untold(outcome.reason);
  const parsed = issued.safeParse(outcome.json);
  if (outcome.status !== 200 || !parsed.success) return refused(outcome);
  const { access_token: accessToken, refresh_token: next, scope } = parsed.data;
  if (next !== undefined && next !== credential.refreshToken) await onRotated(next);
  return {
    answers: [{ fact: 'token', value: 'active' }, ...throttleAnswers(outcome)],
    granted: readScopes(scope),
    accessToken: () => accessToken,
  };
}

function refused(reply: HttpReply): RefreshLook {
  const { status } = reply;
  // Only these two carry an error of the grant (5.2); anything else may come from whatever stands in between.
  if (status !== 400 && status !== 401)
    return untold(status === 200 ? 'unrecognised_value' : 'no_answer', throttleAnswers(reply));
  const parsed = refusal.safeParse(reply.json);
  if (!parsed.success) return untold('unrecognised_value');
  const { error } = parsed.data;
  if (error !== 'invalid_grant') return untold(OUR_FAULTS.has(error) ? 'probe_fault' : 'unrecognised_value');
  return {
    answers: [{ fact: 'token', value: 'invalid_grant' }, ...throttleAnswers(reply)],
    granted: null,
    accessToken: null,
  };
}

function untold(unknown: UnknownReason, others: readonly Answer[] = []): RefreshLook {
  return { answers: [{ fact: 'token', unknown }, ...others], granted: null, accessToken: null };
}
