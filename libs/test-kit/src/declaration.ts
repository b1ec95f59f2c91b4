import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import { type TenantConfig, VERSION } from '@orchestrate/contracts';

/** Of the only message of the only campaign. */
export const TEMPLATE_DIGEST = 'a'.repeat(64);

/** A tenant with one source for each layer: one domain, one mailbox, one approved campaign, one import. */
export function declarationOf(tenantId: string, capPerDay = 10): TenantConfig {
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    governance: { mode: 'autonomous', sector: 'technology', jurisdiction: 'us', lawfulBasis: 'consent' },
    schedule: {
      timeZone: 'UTC',
      days: ['mon'],
      from: '00:00',
      to: '00:00',
      holidays: [],
      quietHours: null,
      cadenceSec: 3600,
      paused: false,
      maintenance: false,
    },
    domains: [
      { id: 'main', name: 'acme.example', egressIp: '192.0.2.1', dkimSelectors: ['s1'], enabled: true },
    ],
    mailboxes: [
      { id: 'anna', domain: 'main', provider: 'smtp_imap', capPerDay, credential: null, enabled: true },
    ],
    aiProvider: null,
    billing: null,
    campaigns: [
      {
        id: 'spring',
        state: 'active',
        mailboxes: ['anna'],
        templates: [TEMPLATE_DIGEST],
        templateDigest: TEMPLATE_DIGEST,
        approvedDigest: TEMPLATE_DIGEST,
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
    imports: [{ id: 'list', enabled: true }],
  };
}

/** Names of tenants that share one partition. */
export function neighbours(count: number, prefix = 'tenant'): string[] {
  const names: string[] = [];
  for (let n = 0; names.length < count; n++) {
    if (partitionOf(`${prefix}-${n}`) === partitionOf(`${prefix}-0`)) names.push(`${prefix}-${n}`);
  }
  return names;
}
