import { z } from 'zod';
import { id, recipientKey, sha256 } from './scalars.ts';

/**
 * The RECIPIENTS bucket: the only place where addresses and content stand. Written by imports, read by senders,
 * deletable. Keys are built here so that nobody spells them twice.
 */
export const recipientsKey = {
  lead: (tenantId: string, key: string) => `lead.${tenantId}.${key}`,
  content: (tenantId: string, digest: string) => `content.${tenantId}.${digest}`,
  mailbox: (tenantId: string, mailbox: string) => `mailbox.${tenantId}.${mailbox}`,
  /** The secret that turns addresses into recipient keys; destroying it makes every record anonymous. */
  hmacKey: (tenantId: string) => `key.${tenantId}`,
};
export const RECIPIENTS_BUCKET = 'RECIPIENTS';

export const leadSchema = z.strictObject({
  recipientKey,
  address: z.string().max(320),
  verified: z.boolean(),
  /** What the template may say of the person. */
  variables: z.record(z.string(), z.string()),
});
export type Lead = z.input<typeof leadSchema>;

export const contentSchema = z.strictObject({
  digest: sha256,
  subject: z.string().max(998),
  text: z.string().max(1_000_000),
});
export type Content = z.input<typeof contentSchema>;

export const mailboxSchema = z.strictObject({
  mailbox: id,
  address: z.string().max(320),
  name: z.string().max(200),
  postalAddress: z.string().max(500),
  unsubscribeUrl: z.url().nullable(),
});
export type Mailbox = z.input<typeof mailboxSchema>;
