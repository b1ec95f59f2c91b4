import { z } from 'zod';
import { type DraftOf, defineMessage, STREAM_NAMES } from './define-message.ts';
import { messageId, sequence, sha256, timeMs, version } from './scalars.ts';

export const REJECTION_REASONS = [
  'contract_violation',
  'handler_fault',
  'refused_by_layer',
  'process_deaths',
  'not_json',
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** An input that broke its contract or our handler: kept with what was wrong, in nobody's way. */
export const inputRejected = defineMessage({
  name: 'rejected.input',
  stream: 'REJECTED',
  subject: (at: { stream: string; reason: RejectionReason }) => `rejected.${at.stream}.${at.reason}`,
  schema: (object) =>
    object({
      v: version,
      id: messageId,
      stream: z.enum(STREAM_NAMES),
      seq: sequence,
      subject: z.string().max(512),
      reason: z.enum(REJECTION_REASONS),
      service: z
        .string()
        .regex(/^[a-z-]{1,40}$/)
        .brand<'service'>(),
      issues: z.array(object({ path: z.string().max(200), message: z.string().max(500) })).max(50),
      payloadDigest: sha256,
      /** The bytes as they came, base64; cut after 64 KiB. */
      payload: z.base64().max(90_000),
      atMs: timeMs,
    }),
});
export type InputRejected = DraftOf<typeof inputRejected>;

const ISSUES_MAX = 50;
/** A name that a field could have. A key can hold anything else as well as a value can, and is not told then. */
const FIELD_NAME = /^[A-Za-z]{1,24}$/;

/** What was wrong, told by the contract's own words and never by what was sent: it stands in logs and in REJECTED. */
export function issuesOf(error: z.ZodError): InputRejected['issues'] {
  return error.issues.slice(0, ISSUES_MAX).map((issue) => {
    const { path, message } = toldOf(issue);
    return { path: path.map(String).join('.').slice(0, 200), message: message.slice(0, 500) };
  });
}

function toldOf(issue: z.core.$ZodIssue): { path: readonly PropertyKey[]; message: string } {
  if (issue.code === 'invalid_key')
    return { path: [...issue.path.slice(0, -1), '{key}'], message: issue.message };
  if (issue.code !== 'unrecognized_keys') return issue;
  const named = issue.keys.filter((key) => FIELD_NAME.test(key)).map((key) => `\`${key}\``);
  const unnamed = issue.keys.length - named.length;
  const keys = [...named, ...(unnamed > 0 ? [`${unnamed} that could be no field`] : [])];
  return { path: issue.path, message: `not known here: ${keys.join(', ')}` };
}
