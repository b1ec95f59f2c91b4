import { z } from 'zod';
import { defineMessage, type MessageOf, STREAM_NAMES } from './define-message.ts';
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
      service: z.string().regex(/^[a-z-]{1,40}$/),
      issues: z.array(object({ path: z.string().max(200), message: z.string().max(500) })).max(50),
      payloadDigest: sha256,
      /** The bytes as they came, base64; cut after 64 KiB. */
      payload: z.base64().max(90_000),
      atMs: timeMs,
    }),
});
export type InputRejected = MessageOf<typeof inputRejected>;
