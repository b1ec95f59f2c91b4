import { CTAS, GOVERNANCE_MODES, JURISDICTIONS, LAWFUL_BASES, SECTORS } from '@orchestrate/canon';
import {
  calendarDay,
  clockTime,
  dkimSelector,
  domainName,
  id,
  sha256,
  stripeCustomer,
  WEEKDAYS,
} from '@orchestrate/contracts';
import { z } from 'zod';
import { readAddress } from './recipient-address.ts';

const enabled = z.boolean().default(true);

const ianaTimeZone = z.string().refine(isTimeZone, { error: 'an IANA time zone such as Europe/Madrid' });

function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

const address = z.string().refine((text) => 'address' in readAddress(text), { error: 'an e-mail address' });
const webAddress = z.url({ protocol: /^https?$/, error: 'an http or https address' });
const oneLine = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, 'a text on one line without control characters');

/** A tenant as a person writes it down. Defaults are filled in by parsing. */
export const tenantFileSchema = z.strictObject({
  tenant: id,
  governance: z.strictObject({
    mode: z.enum(GOVERNANCE_MODES),
    sector: z.enum(SECTORS),
    jurisdiction: z.enum(JURISDICTIONS),
    lawfulBasis: z.enum(LAWFUL_BASES),
  }),
  schedule: z.strictObject({
    timeZone: ianaTimeZone,
    days: z.array(z.enum(WEEKDAYS)).max(7),
    from: clockTime,
    to: clockTime,
    holidays: z.array(calendarDay).max(400).default([]),
    quietHours: z.strictObject({ from: clockTime, to: clockTime }).nullable().default(null),
    cadenceSec: z.number().int().min(60).max(31_536_000).default(3600),
    paused: z.boolean().default(false),
    maintenance: z.boolean().default(false),
  }),
  domains: z
    .array(
      z.strictObject({
        id,
        name: domainName,
        egressIp: z.union([z.ipv4(), z.ipv6()], { error: 'an IPv4 or IPv6 address' }),
        dkimSelectors: z.array(dkimSelector).max(16),
        enabled,
      }),
    )
    .max(100),
  mailboxes: z
    .array(
      z.strictObject({
        id,
        domain: id,
        provider: z.enum(['gmail', 'graph', 'smtp_imap']),
        address,
        name: oneLine(200),
        postalAddress: oneLine(500),
        unsubscribeUrl: webAddress.nullable().default(null),
        capPerDay: z.number().int().min(0).max(100_000).nullable().default(null),
        credential: id.nullable().default(null),
        enabled,
      }),
    )
    .max(1000),
  ai: id.nullable().default(null),
  billing: z.strictObject({ stripeCustomer }).nullable().default(null),
  campaigns: z
    .array(
      z.strictObject({
        id,
        state: z.enum(['draft', 'active', 'paused', 'auto_paused', 'done']),
        mailboxes: z.array(id).min(1).max(1000),
        steps: z
          .array(z.strictObject({ template: z.string().min(1).max(1000) }))
          .min(1)
          .max(20),
        approved: z.union([z.boolean(), sha256], {
          error: 'true, false or the digest of the approved template',
        }),
        cta: z.enum(CTAS),
        enabled,
      }),
    )
    .max(1000),
  imports: z.array(z.strictObject({ id, enabled })).max(100),
});
export type TenantFile = z.output<typeof tenantFileSchema>;
