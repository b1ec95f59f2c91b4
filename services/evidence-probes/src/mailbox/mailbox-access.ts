import { factValueProblem } from '@orchestrate/canon';
import { z } from 'zod';

const server = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.number().int().min(1).max(65_535),
  tls: z.enum(['implicit', 'required', 'offered']),
  ca: z.string().min(1).exactOptional(),
});

const webAddress = z.url({ protocol: /^https?$/ });

/**
 * `mailboxes/<tenant>/<credential>.json` in the folder of credentials: whose mailbox it is, how to log in, and where. A
 * password and a grant may both stand there; the servers are logged in to with the password if there is one.
 */
export const mailboxAccess = z
  .strictObject({
    identityClass: z.string().refine((word) => factValueProblem('mailbox', 'identityClass', word) === null),
    /** What the servers know the mailbox by; its address as a rule. */
    user: z.string().min(1).exactOptional(),
    password: z.string().min(1).exactOptional(),
    smtp: server.exactOptional(),
    imap: server.exactOptional(),
    oauth: z
      .strictObject({
        tokenUrl: webAddress,
        clientId: z.string().min(1),
        clientSecret: z.string(),
        refreshToken: z.string().min(1),
        /** What was asked for when the mailbox was connected. */
        scopes: z.array(z.string().min(1)).max(64),
        /** RFC 7662; for Gmail and Graph their own way is asked. */
        introspectionUrl: webAddress.exactOptional(),
        /** In place of Google's or Microsoft's own. */
        apiUrl: webAddress.exactOptional(),
      })
      .exactOptional(),
  })
  .refine(({ password, oauth }) => password !== undefined || oauth !== undefined, { path: ['password'] })
  .refine(({ user, smtp, imap }) => user !== undefined || (smtp ?? imap) === undefined, { path: ['user'] });
export type MailboxAccess = z.output<typeof mailboxAccess>;
export type Grant = NonNullable<MailboxAccess['oauth']>;
