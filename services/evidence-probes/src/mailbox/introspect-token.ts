import type { UnknownReason } from '@orchestrate/canon';
import { z } from 'zod';
import type { Answer } from '../probe/answer.ts';
import { untilAborted } from '../probe/until-aborted.ts';
import { basicAuthorization, type ClientCredential, type CredentialSource } from './credential.ts';
import { type GrantedScopes, readScopes } from './granted-scopes.ts';
import { askOverHttp, type HttpReply } from './http-reply.ts';

export interface IntrospectionCredential extends ClientCredential {
  readonly token: string;
}

export interface IntrospectionQuestion {
  /** Of the introspection endpoint. */
  readonly url: URL;
  /** Which of the two the token is. A live refresh token says that the grant lives, not that an access token does. */
  readonly kind: 'access_token' | 'refresh_token';
  readonly credential: CredentialSource<IntrospectionCredential>;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

export interface TokenLook {
  readonly answers: readonly Answer[];
  readonly granted: GrantedScopes;
}

const reply = z.object({ active: z.boolean(), scope: z.string().optional() });

/**
 * Token introspection (RFC 7662). A token that is not active is told without a reason (2.2), so none is made up here; a
 * reply that does not say `active` says nothing. Refusing us (401) is about our own client. Never rejects.
 */
export async function introspectToken(question: IntrospectionQuestion): Promise<TokenLook> {
  const { url, kind, nowMs, signal } = question;
  const credential = await untilAborted(question.credential, signal).catch(() => null);
  if (!credential) return untold(signal.aborted ? 'timeout' : 'probe_fault');
  const outcome = await askOverHttp({
    url,
    headers: { authorization: basicAuthorization(credential) },
    form: { token: credential.token, token_type_hint: kind },
    nowMs,
    signal,
  });
  return outcome.kind === 'none' ? untold(outcome.reason) : meaningOf(outcome, kind);
}

function meaningOf({ status, json, digest }: HttpReply, kind: IntrospectionQuestion['kind']): TokenLook {
  if (status === 401 || status === 403) return untold('probe_fault');
  if (status !== 200) return untold('no_answer');
  const parsed = reply.safeParse(json);
  if (!parsed.success) return untold('unrecognised_value');
  const { active, scope } = parsed.data;
  if (!active) return { answers: [{ fact: 'token', value: 'inactive_unspecified', digest }], granted: null };
  const value = kind === 'access_token' ? 'active' : 'refreshable';
  return { answers: [{ fact: 'token', value, digest }], granted: readScopes(scope) };
}

function untold(unknown: UnknownReason): TokenLook {
  return { answers: [{ fact: 'token', unknown }], granted: null };
}
