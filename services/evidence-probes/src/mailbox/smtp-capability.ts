import { Socket } from 'node:net';
import type { UnknownReason } from '@orchestrate/canon';
import { createTransport } from 'nodemailer';
import { untilAborted } from '../probe/until-aborted.ts';
import type { CredentialSource, LoginCredential } from './credential.ts';
import { type MailLook, type MailServer, tlsOptionsOf } from './mail-login.ts';
import { noReplyReason } from './no-reply.ts';
import { xoauth2 } from './xoauth2-login.ts';

export interface SmtpQuestion {
  readonly server: MailServer;
  /** Null for a server that takes mail from us by where we are. */
  readonly credential: CredentialSource<LoginCredential> | null;
  readonly signal: AbortSignal;
}

const RESPONSE_OCTETS_MAX = 65_536;
const GOODBYE_MS_MAX = 1_000;

/**
 * Greets a submission server and logs in, without a message (RFC 5321 4.1.1.1, RFC 4954). `false` is the server's own
 * word that it does not let these credentials in: 535. All else, down to a login that cannot be had for the moment (454),
 * is no answer. Never rejects.
 *
 * Credentials are offered even where the server announces no AUTH: that it knows no login does not mean that it takes
 * mail from this mailbox.
 */
export async function smtpCapability({ server, credential, signal }: SmtpQuestion): Promise<MailLook> {
  const login = credential ? await untilAborted(credential, signal).catch(() => null) : undefined;
  if (login === null) return untold(signal.aborted ? 'timeout' : 'probe_fault');
  const socket = new Socket();
  const hangUp = () => void socket.destroy();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    await untilAborted(() => createTransport(optionsOf(server, login, socket)).verify(), signal);
    return { answers: [{ fact: 'canSend', value: true }], login: login ? 'accepted' : 'untold' };
  } catch (error) {
    return meaningOf(error, signal);
  } finally {
    signal.removeEventListener('abort', hangUp);
    // The client says QUIT by itself, and would wait for long until somebody answers that.
    if (signal.aborted) hangUp();
    else setTimeout(hangUp, GOODBYE_MS_MAX).unref();
  }
}

function optionsOf(server: MailServer, login: LoginCredential | undefined, socket: Socket) {
  const { host, port, tls } = server;
  return {
    ...{ host, port, socket },
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    tls: tlsOptionsOf(server),
    logger: false,
    maxResponseSize: RESPONSE_OCTETS_MAX,
    forceAuth: true,
    ...(login ? authOf(login) : {}),
  };
}

/** Under its own name the client would pass the method over for PLAIN, with the token in place of a password. */
const TOKEN_LOGIN = 'TOKEN';

function authOf(login: LoginCredential) {
  if ('password' in login) return { auth: { user: login.user, pass: login.password } };
  return {
    auth: { type: 'custom', method: TOKEN_LOGIN, user: login.user, pass: login.accessToken },
    customAuth: { [TOKEN_LOGIN]: xoauth2 },
  };
}

/** RFC 4954 6; an enhanced code that begins with 4 takes the finality of the 535 back (RFC 3463 2). */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, responseCode, response } = error as Error & Record<string, unknown>;
  return code === 'EAUTH' && responseCode === 535 && !/^535[ -]4\./.test(String(response));
}

function meaningOf(error: unknown, signal: AbortSignal): MailLook {
  if (!signal.aborted && isRefusal(error))
    return { answers: [{ fact: 'canSend', value: false }], login: 'refused' };
  const isNotConfigured = error instanceof Error && 'code' in error && error.code === 'ENOAUTH';
  return untold(isNotConfigured ? 'probe_fault' : noReplyReason(error, signal));
}

function untold(unknown: UnknownReason): MailLook {
  return { answers: [{ fact: 'canSend', unknown }], login: 'untold' };
}
