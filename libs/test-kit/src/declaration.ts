import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import { type TenantConfig, VERSION } from '@orchestrate/contracts';

/** A tenant with one source for each layer. */
export function declarationOf(tenantId: string): TenantConfig {
  const digest = 'a'.repeat(64);
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
    mailboxes: [{ id: 'anna', domain: 'main', provider: 'smtp_imap', capPerDay: 10, enabled: true }],
    aiProvider: null,
    campaigns: [
      {
        id: 'spring',
        state: 'active',
        mailboxes: ['anna'],
        templates: [digest],
        templateDigest: digest,
        approvedDigest: digest,
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
