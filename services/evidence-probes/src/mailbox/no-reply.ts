import type { UnknownReason } from '@orchestrate/canon';

/** Why nobody answered. None of these says anything about the mailbox. */
export type NoReplyReason = Extract<UnknownReason, 'timeout' | 'unreachable' | 'no_answer' | 'probe_fault'>;

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EDNS',
]);
const TIMED_OUT: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'ETIMEOUT',
  'CONNECT_TIMEOUT',
  'GREETING_TIMEOUT',
  'UPGRADE_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** What an error of a socket, of fetch or of a mail client says about the way to the answer. */
export function noReplyReason(error: unknown, signal: AbortSignal): NoReplyReason {
  const codes = codesOf(error);
  if (signal.aborted || codes.some((code) => TIMED_OUT.has(code))) return 'timeout';
  return codes.some((code) => UNREACHABLE.has(code)) ? 'unreachable' : 'no_answer';
}

/** The error of a client library wraps the one of the socket: as `cause`, or with its code as `originalCode`. */
function codesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { code, originalCode, cause } = error as Error & { code?: unknown; originalCode?: unknown };
  const causeCode = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return [code, originalCode, causeCode].filter((one) => typeof one === 'string');
}
