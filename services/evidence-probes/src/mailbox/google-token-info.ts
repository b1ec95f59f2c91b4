import type { UnknownReason } from '@orchestrate/canon';
import { z } from 'zod';
import { untilAborted } from '../probe/until-aborted.ts';
import type { CredentialSource } from './credential.ts';
import { readScopes } from './granted-scopes.ts';
import { askOverHttp, type HttpReply, urlBelow } from './http-reply.ts';
import type { TokenLook } from './introspect-token.ts';

export interface AccessTokenQuestion {
  readonly credential: CredentialSource<{ readonly accessToken: string }>;
  /** Default: the provider's own. */
  readonly baseUrl?: URL;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

const BASE_URL = new URL('https://oauth2.googleapis.com');

const info = z.object({ scope: z.string(), expires_in: z.coerce.number() });
/** The older form of the refusal has a description only. */
const refusal = z.union([
  z.object({ error: z.literal('invalid_token') }),
  z.object({ error: z.undefined().optional(), error_description: z.literal('Invalid Value') }),
]);

/**
 * What Google says of an access token. An expired one is told like a revoked one, so it should be fresh from a refresh.
 * Never rejects.
 */
export async function googleTokenInfo(question: AccessTokenQuestion): Promise<TokenLook> {
  const { nowMs, signal, baseUrl = BASE_URL } = question;
  const credential = await untilAborted(question.credential, signal).catch(() => null);
  if (!credential) return untold(signal.aborted ? 'timeout' : 'probe_fault');
  const url = urlBelow(baseUrl, 'tokeninfo');
  url.searchParams.set('access_token', credential.accessToken);
  const outcome = await askOverHttp({ url, headers: {}, nowMs, signal });
  return outcome.kind === 'none' ? untold(outcome.reason) : meaningOf(outcome);
}

function meaningOf({ status, json, digest }: HttpReply): TokenLook {
  const isInactive = status === 400 && refusal.safeParse(json).success;
  if (isInactive)
    return { answers: [{ fact: 'token', value: 'inactive_unspecified', digest }], granted: null };
  if (status !== 200) return untold('no_answer');
  const parsed = info.safeParse(json);
  if (!parsed.success) return untold('unrecognised_value');
  const value = parsed.data.expires_in > 0 ? 'active' : 'inactive_unspecified';
  return { answers: [{ fact: 'token', value, digest }], granted: readScopes(parsed.data.scope) };
}

function untold(unknown: UnknownReason): TokenLook {
  return { answers: [{ fact: 'token', unknown }], granted: null };
}
