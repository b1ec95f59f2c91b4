import type { UnknownReason } from '@orchestrate/canon';
import { ImapFlow, type ImapFlowError } from 'imapflow';
import { type Answer, unknownAnswers } from '../probe/answer.ts';
import { untilAborted } from '../probe/until-aborted.ts';
import type { LoginCredential } from './credential.ts';
import {
  type Login,
  type MailLoginQuestion,
  type MailLook,
  type MailServer,
  tlsOptionsOf,
} from './mail-login.ts';
import { noReplyReason } from './no-reply.ts';
import { NOT_THROTTLED, throttledFor } from './throttled.ts';

/** Bounces come to the same INBOX as replies do. */
export const IMAP_FACTS = ['canReadReplies', 'canSeeBounces'] as const;

/** The client keeps a throttled server's reply to itself for half of this at most. */
const SILENCE_MS_MAX = 8_000;

/** Far more than a greeting, a list of capabilities or an INBOX of any size takes to be told. */
const LIMITS = {
  maxLineLength: 65_536,
  maxLiteralSize: 65_536,
  maxResponseSize: 262_144,
  maxResponseTokens: 10_000,
} as const;

/** The answer is known by then, and does not wait for a server that is slow to part. */
const GOODBYE_MS_MAX = 1_000;

/** RFC 5530 3. Without a code a NO to a login is the classic refusal (RFC 3501 6.2.3). */
const LOGIN_REFUSALS: ReadonlySet<string | undefined> = new Set([
  'AUTHENTICATIONFAILED',
  'AUTHORIZATIONFAILED',
  'EXPIRED',
  undefined,
]);
/** Without a code a NO to opening a mailbox may be any trouble of the server. */
const INBOX_REFUSALS: ReadonlySet<string | undefined> = new Set(['NONEXISTENT', 'NOPERM']);

/**
 * Logs in to an IMAP server (RFC 3501, 9051) and opens INBOX without changing it. `false` is the server's own word that it
 * does not let these credentials in, or shows them no INBOX. A server that throttles is told as `throttled`. The session
 * is closed in any case. Never rejects.
 */
export async function imapCapability(question: MailLoginQuestion): Promise<MailLook> {
  const { server, signal } = question;
  const credential = await untilAborted(question.credential, signal).catch(() => null);
  if (!credential) return untold(signal.aborted ? 'timeout' : 'probe_fault');
  const client = new ImapFlow(optionsOf(server, credential));
  // What goes wrong between two commands is met by the next one.
  client.on('error', () => undefined);
  const hangUp = () => client.close();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    return await openInbox(client, signal);
  } finally {
    signal.removeEventListener('abort', hangUp);
    client.close();
  }
}

async function openInbox(client: ImapFlow, signal: AbortSignal): Promise<MailLook> {
  try {
    await untilAborted(() => client.connect(), signal);
  } catch (error) {
    return refusalOr(error, LOGIN_REFUSALS, 'refused', signal);
  }
  try {
    await untilAborted(() => client.mailboxOpen('INBOX', { readOnly: true }), signal);
  } catch (error) {
    return refusalOr(error, INBOX_REFUSALS, 'accepted', signal);
  }
  await untilAborted(() => client.logout(), AbortSignal.timeout(GOODBYE_MS_MAX)).catch(() => undefined);
  return told(true, 'accepted');
}

function optionsOf({ tls, ...server }: MailServer, credential: LoginCredential) {
  const { user } = credential;
  const auth =
    'password' in credential
      ? { user, pass: credential.password }
      : { user, accessToken: credential.accessToken };
  return {
    host: server.host,
    port: server.port,
    secure: tls === 'implicit',
    ...(tls === 'required' ? { doSTARTTLS: true } : {}),
    tls: tlsOptionsOf({ tls, ...server }),
    auth,
    logger: false as const,
    socketTimeout: SILENCE_MS_MAX,
    disableAutoIdle: true,
    disableAutoEnable: true,
    disableCompression: true,
    ...LIMITS,
  };
}

function refusalOr(
  error: unknown,
  refusals: ReadonlySet<string | undefined>,
  login: Login,
  signal: AbortSignal,
): MailLook {
  const { code, throttleReset = 0, responseStatus, serverResponseCode } = error as ImapFlowError;
  const loginSoFar: Login = login === 'accepted' ? 'accepted' : 'untold';
  if (code === 'ETHROTTLE')
    return untold('no_answer', loginSoFar, throttledFor(Math.ceil(throttleReset / 1_000)));
  const isRefusal = responseStatus === 'NO' && refusals.has(serverResponseCode);
  if (isRefusal && !signal.aborted) return told(false, login);
  return untold(noReplyReason(error, signal), loginSoFar);
}

function told(value: boolean, login: Login): MailLook {
  return { answers: [...IMAP_FACTS.map((fact) => ({ fact, value })), ...NOT_THROTTLED], login };
}

function untold(unknown: UnknownReason, login: Login = 'untold', others: readonly Answer[] = []): MailLook {
  return { answers: [...unknownAnswers(IMAP_FACTS, unknown), ...others], login };
}
