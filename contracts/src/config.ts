import { CTAS, GOVERNANCE_MODES, JURISDICTIONS, LAWFUL_BASES, SECTORS, TONES } from '@orchestrate/canon';
import { z } from 'zod';
import { type DraftOf, defineMessage } from './define-message.ts';
import { INTERVENTION_REASONS } from './operator.ts';
import {
  calendarDay,
  clockTime,
  dkimSelector,
  domainName,
  envelope,
  id,
  sha256,
  stripeCustomer,
  timeMs,
  timeZone,
} from './scalars.ts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** What a tenant declares of itself: its sources, its schedule, its governance. Holds no address and no content. */
export const tenantConfigured = defineMessage({
  name: 'config.tenant',
  stream: 'CONFIG',
  subject: (tenantId: string) => `config.${tenantId}.tenant`,
  schema: (object) =>
    object({
      ...envelope,
      governance: object({
        mode: z.enum(GOVERNANCE_MODES),
        sector: z.enum(SECTORS),
        jurisdiction: z.enum(JURISDICTIONS),
        lawfulBasis: z.enum(LAWFUL_BASES),
      }),
      schedule: object({
        timeZone,
        days: z.array(z.enum(WEEKDAYS)).max(7),
        from: clockTime,
        to: clockTime,
        holidays: z.array(calendarDay).max(400),
        quietHours: object({ from: clockTime, to: clockTime }).nullable(),
        cadenceSec: z.number().int().min(60).max(31_536_000),
        paused: z.boolean(),
        maintenance: z.boolean(),
      }),
      domains: z
        .array(
          object({
            id,
            name: domainName,
            egressIp: z.union([z.ipv4(), z.ipv6()]),
            dkimSelectors: z.array(dkimSelector).max(16),
            enabled: z.boolean(),
          }),
        )
        .max(100),
      mailboxes: z
        .array(
          object({
            id,
            domain: id,
            provider: z.enum(['gmail', 'graph', 'smtp_imap']),
            capPerDay: z.number().int().min(0).max(100_000).nullable(),
            /** By what name whoever looks at the mailbox keeps its access; null where nobody is to look. */
            credential: id.nullable().default(null),
            enabled: z.boolean(),
          }),
        )
        .max(1000),
      aiProvider: id.nullable(),
      /** Who the tenant is to those who bill it. */
      billing: object({ stripeCustomer }).nullable().default(null),
      campaigns: z
        .array(
          object({
            id,
            state: z.enum(['draft', 'active', 'paused', 'auto_paused', 'done']),
            mailboxes: z.array(id).max(1000),
            /** SHA-256 of each step's template, step 1 first. */
            templates: z.array(sha256).max(20),
            templateDigest: sha256,
            approvedDigest: sha256.nullable(),
            lint: z.enum(['pass', 'warn', 'fail']),
            unresolvedVars: z.number().int().min(0).max(10_000),
            address: z.boolean(),
            optOut: z.boolean(),
            oneClick: z.boolean(),
            bindings: z.enum(['bound', 'partial', 'broken']),
            cta: z.enum(CTAS).nullable(),
            tone: z.enum(TONES).nullable(),
            enabled: z.boolean(),
          }),
        )
        .max(1000),
      imports: z.array(object({ id, enabled: z.boolean() })).max(100),
    }),
});
export type TenantConfig = DraftOf<typeof tenantConfigured>;

/** A tenant left for ever. It stays when everything else of the tenant is gone, so that nothing brings it back. */
export const tenantOffboarded = defineMessage({
  name: 'config.offboarded',
  stream: 'CONFIG',
  subject: (tenantId: string) => `config.${tenantId}.offboarded`,
  schema: (object) =>
    object({
      ...envelope,
      actor: id,
      reasonCode: z.enum(INTERVENTION_REASONS),
      /** Place in the tenant's chain of the record after which nothing was released. */
      interventionOrdinal: z.number().int().min(1),
      offboardedAtMs: timeMs,
    }),
});
export type TenantOffboarded = DraftOf<typeof tenantOffboarded>;
