import type { Answer } from '../probe/answer.ts';
import { googleTokenInfo } from './google-token-info.ts';
import type { GrantedScopes } from './granted-scopes.ts';
import { graphAccount } from './graph-account.ts';
import { introspectToken } from './introspect-token.ts';
import type { Grant } from './mailbox-access.ts';
import { refreshToken } from './refresh-token.ts';
import { type MailboxProvider, scopeAnswers } from './scope-answers.ts';

export interface GrantQuestion {
  readonly provider: MailboxProvider;
  readonly grant: Grant;
  readonly identityClass: string;
  readonly onRotated: (refreshToken: string) => Promise<void>;
  readonly onExchange: (exchange: Promise<unknown>) => void;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

export interface GrantLook {
  readonly answers: readonly Answer[];
  /** Null where the grant gave none. */
  readonly accessToken: (() => string) | null;
}

/**
 * What a grant is worth: it is refreshed, which is the only certain question, and what comes of that is shown to the
 * provider. What the provider then says of the token and its scopes counts.
 */
export async function lookAtGrant(question: GrantQuestion): Promise<GrantLook> {
  const { provider, grant, identityClass, nowMs, signal, onRotated, onExchange } = question;
  const { clientId, clientSecret } = grant;
  const refreshed = await refreshToken({
    url: new URL(grant.tokenUrl),
    credential: async () => ({ clientId, clientSecret, refreshToken: grant.refreshToken }),
    ...{ onRotated, onExchange, nowMs, signal },
  });
  const { accessToken } = refreshed;
  if (!accessToken) return { answers: refreshed.answers, accessToken };
  const shown = await showToken(question, accessToken);
  // A server that names none grants as it did at first (RFC 6749 6), which nobody here saw.
  const granted = shown.granted ?? refreshed.granted;
  const scopes = scopeAnswers({ provider, granted, wanted: grant.scopes, identityClass });
  // That the token was issued is certain; who it was shown to may know better, and may have nothing to say.
  const known = shown.answers.filter((answer) => 'value' in answer);
  return { answers: [...refreshed.answers, ...known, ...scopes], accessToken };
}

async function showToken(
  { provider, grant, nowMs, signal }: GrantQuestion,
  accessToken: () => string,
): Promise<{ readonly answers: readonly Answer[]; readonly granted: GrantedScopes }> {
  const { apiUrl, introspectionUrl, clientId, clientSecret } = grant;
  const question = {
    credential: async () => ({ accessToken: accessToken() }),
    ...(apiUrl === undefined ? {} : { baseUrl: new URL(apiUrl) }),
    ...{ nowMs, signal },
  };
  if (provider === 'gmail') return googleTokenInfo(question);
  if (provider === 'graph') return { answers: await graphAccount(question), granted: null };
  if (introspectionUrl === undefined) return { answers: [], granted: null };
  return introspectToken({
    url: new URL(introspectionUrl),
    kind: 'access_token',
    credential: async () => ({ clientId, clientSecret, token: accessToken() }),
    ...{ nowMs, signal },
  });
}
