import { z } from 'zod';
import { type DraftOf, defineMessage } from './define-message.ts';
import { envelope, recipientKey, timeMs } from './scalars.ts';

/** Nobody writes to this recipient any more, or (released) may again. The newest per recipient counts. */
export const suppressionListed = defineMessage({
  name: 'suppression.listed',
  stream: 'SUPPRESSIONS',
  subject: (at: { p: number; tenantId: string; recipientKey: string }) =>
    `suppression.${at.p}.${at.tenantId}.${at.recipientKey}`,
  schema: (object) =>
    object({
      ...envelope,
      recipientKey,
      state: z.enum(['suppressed', 'released']),
      reason: z.enum(['unsubscribed', 'complained', 'bounced', 'listed', 'released']),
      atMs: timeMs,
    }),
});
export type SuppressionListed = DraftOf<typeof suppressionListed>;
