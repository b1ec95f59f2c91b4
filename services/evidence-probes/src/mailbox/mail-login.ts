import type { ConnectionOptions } from 'node:tls';
import type { UnknownReason } from '@orchestrate/canon';
import type { Answer } from '../probe/answer.ts';
import type { CredentialSource, LoginCredential } from './credential.ts';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /**
   * `implicit`: TLS from the first octet. `required`: STARTTLS or nothing. `offered`: STARTTLS where the server offers
   * it, else in the clear; whoever sits in between can strip the offer, so it is for loopback and private networks.
   */
  readonly tls: 'implicit' | 'required' | 'offered';
  /** Who signed the certificate of the server, PEM, where that is nobody whom all trust. */
  readonly ca?: string;
}

export interface MailLoginQuestion {
  readonly server: MailServer;
  readonly credential: CredentialSource<LoginCredential>;
  readonly signal: AbortSignal;
}

/** What became of the credentials: `untold` when the server never said. */
export type Login = 'accepted' | 'refused' | 'untold';

export interface MailLook {
  readonly answers: readonly Answer[];
  readonly login: Login;
}

export function tlsOptionsOf({ ca }: MailServer): ConnectionOptions {
  return { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) };
}

/**
 * `token` of a mailbox without OAuth: the credentials live when one of its servers let them in. Refused means refused by
 * every server that was asked.
 */
export function tokenOfLogins(logins: readonly Login[], unknown: UnknownReason = 'no_answer'): Answer {
  const fact = 'token';
  if (logins.includes('accepted')) return { fact, value: 'active' };
  if (logins.length === 0 || logins.includes('untold')) return { fact, unknown };
  return { fact, value: 'inactive_unspecified' };
}
