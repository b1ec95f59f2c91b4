import type { UnknownReason } from '@orchestrate/canon';
import { untilAborted } from '../probe/until-aborted.ts';

/** A DNS question in the shapes of `node:dns`: records, or a rejection with the code of the failure. */
export type Resolve = (name: string, type: string) => Promise<unknown>;

export interface QuestionWatch {
  readonly resolve: Resolve;
  /** Every answer seen, the authoritative no included. */
  readonly evidence: readonly string[];
  /** Why this key record could not be seen. */
  keyTrouble(name: string): UnknownReason | undefined;
  /** Why the first of all other questions, those of SPF, went unanswered. */
  policyTrouble(): UnknownReason | undefined;
}

/** RFC 2308 2.1 and 2.2, and a name that cannot be asked for: findings about the name, not about the way to it. */
const FINDINGS: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);
const REASONS: Readonly<Record<string, UnknownReason>> = {
  ETIMEOUT: 'timeout',
  ESERVFAIL: 'servfail',
  EREFUSED: 'refused',
  EDISAGREE: 'disagreement',
  EMULTIPLE: 'multiple_keys',
};
/** No published record comes near this; reading on would only be work for whoever sent it. */
const TEXT_OCTETS_MAX = 10_240;
const KEY_NAME = /\._domainkey\./i;

/** Keeps what was answered and what was not. When the signal fires all that is still open is a timeout. */
export function watchQuestions(resolve: Resolve, signal: AbortSignal): QuestionWatch {
  const evidence: string[] = [];
  const troubles = new Map<string, UnknownReason>();
  return {
    evidence,
    keyTrouble: (name) => troubles.get(name.toLowerCase()),
    policyTrouble: () => [...troubles].find(([name]) => !KEY_NAME.test(name))?.[1],
    async resolve(name, type) {
      try {
        const records = await untilAborted(() => resolve(name, type), signal);
        refuseUnusable(name, records);
        evidence.push(JSON.stringify([name.toLowerCase(), type, asLines(records)]));
        return records;
      } catch (error) {
        const code = codeOf(error);
        if (FINDINGS.has(code) && !signal.aborted) {
          evidence.push(JSON.stringify([name.toLowerCase(), type, code]));
          throw error;
        }
        const reason = signal.aborted ? 'timeout' : (REASONS[code] ?? 'no_answer');
        troubles.set(name.toLowerCase(), reason);
        // a code that the verifier takes for a failure of DNS and for nothing else
        throw Object.assign(new Error(`no answer: ${reason}`, { cause: error }), { code: 'ESERVFAIL' });
      }
    },
  };
}

/** Several keys at one selector are undefined (RFC 6376 3.6.2.2): which of them counts would be luck. */
function refuseUnusable(name: string, records: unknown): void {
  const lines = asLines(records);
  if (KEY_NAME.test(name) && lines.length > 1) throw failure('EMULTIPLE');
  if (lines.some((line) => line.length > TEXT_OCTETS_MAX)) throw failure('EBADRESP');
}

function failure(code: string): Error {
  return Object.assign(new Error('unusable answer'), { code });
}

/** Servers rotate the records of a set: their order is no part of the evidence. */
function asLines(records: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(records) ? records : [records];
  return list.map((record) => JSON.stringify(record) ?? '').sort();
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
