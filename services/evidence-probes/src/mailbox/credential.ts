/**
 * Secrets are asked for when they are needed and kept nowhere: what looks is handed a way to get at them. It may reject
 * when they cannot be had, which says nothing about the mailbox.
 */
export type CredentialSource<Credential> = () => Promise<Credential>;

/** What an authorization server knows us by (RFC 6749 2.3.1, `client_secret_basic`). */
export interface ClientCredential {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What a mail server lets in: a password (LOGIN, PLAIN), or an access token (XOAUTH2, OAUTHBEARER). */
export type LoginCredential =
  | { readonly user: string; readonly password: string }
  | { readonly user: string; readonly accessToken: string };

/** Both parts are form-encoded before they are joined, so that a colon in either of them is no separator. */
export function basicAuthorization({ clientId, clientSecret }: ClientCredential): string {
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
