import { policySchema } from '@orchestrate/canon';
import { z } from 'zod';
import { type DraftOf, defineMessage } from './define-message.ts';
import { messageId, sha256, version } from './scalars.ts';

/** A policy document under its digest; written once, never changed. */
export const policyPublished = defineMessage({
  name: 'policy.published',
  stream: 'POLICY',
  subject: (digest: string) => `policy.${digest}`,
  schema: (object) => object({ v: version, id: messageId, digest: sha256, policy: policySchema }),
});

/** Which policy is in force. */
export const policyActivated = defineMessage({
  name: 'policy.activated',
  stream: 'POLICY',
  subject: (_: null) => 'policy.active',
  schema: (object) =>
    object({ v: version, id: messageId, digest: sha256, activatedBy: z.enum(['provisioner', 'operator']) }),
});
export type PolicyPublished = DraftOf<typeof policyPublished>;
