import { randomUUID } from 'node:crypto';
import { digestOf } from '@orchestrate/canon';
import { type TenantConfig, VERSION, WEEKDAYS } from '@orchestrate/contracts';
import type { Archetype } from './archetype.ts';

/** All archetypes have one name: what the same sources are told of them has the same meaning. */
export const TENANT = 'acme';
export const DOMAIN = 'acme-example';
export const MAILBOX = 'anna';
export const CAMPAIGN = 'spring';
export const IMPORT = 'crm';
/** Template of each step, the first message first. */
export const TEMPLATES = [digestOf('first message'), digestOf('follow-up')] as const;

const APPROVED = digestOf(TEMPLATES);
const WEEKEND: readonly string[] = ['sat', 'sun'];

/** One domain, one mailbox, one approved campaign, one import, no AI provider; open from nine to five (UTC). */
export function tenantOf({ governance, capPerDay, weekdaysOnly }: Archetype): TenantConfig {
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId: TENANT,
    causedBy: null,
    governance: {
      mode: 'autonomous',
      sector: 'technology',
      jurisdiction: 'eu',
      lawfulBasis: 'legitimate_interest',
      ...governance,
    },
    schedule: {
      timeZone: 'UTC',
      days: WEEKDAYS.filter((day) => !(weekdaysOnly && WEEKEND.includes(day))),
      from: '09:00',
      to: '17:00',
      holidays: [],
      quietHours: null,
      cadenceSec: 86_400,
      paused: false,
      maintenance: false,
    },
    domains: [
      { id: DOMAIN, name: 'acme.example', egressIp: '192.0.2.10', dkimSelectors: ['s1'], enabled: true },
    ],
    mailboxes: [
      {
        id: MAILBOX,
        domain: DOMAIN,
        provider: 'gmail',
        capPerDay: capPerDay ?? null,
        credential: null,
        enabled: true,
      },
    ],
    aiProvider: null,
    billing: null,
    campaigns: [
      {
        id: CAMPAIGN,
        state: 'active',
        mailboxes: [MAILBOX],
        templates: [...TEMPLATES],
        templateDigest: APPROVED,
        approvedDigest: APPROVED,
        lint: 'pass',
        unresolvedVars: 0,
        address: true,
        optOut: true,
        oneClick: true,
        bindings: 'bound',
        cta: 'question',
        tone: 'neutral_lint',
        enabled: true,
      },
    ],
    imports: [{ id: IMPORT, enabled: true }],
  };
}
