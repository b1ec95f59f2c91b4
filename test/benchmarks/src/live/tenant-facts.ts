import { randomUUID } from 'node:crypto';
import type { CanonicalBlockerLayer, FactValue } from '@orchestrate/canon';
import {
  type EvidenceObserved,
  evidenceObserved,
  type TenantConfig,
  tenantConfigured,
  VERSION,
} from '@orchestrate/contracts';
import { type Broker, encode } from '@orchestrate/messaging';
import { eachInFlight, IN_FLIGHT } from './in-flight.ts';
import { LastSeqs } from './mark-watch.ts';

export const TEMPLATE_DIGEST = 'a'.repeat(64);

export type Facts = Readonly<Record<string, FactValue>>;
export type SourceFacts = readonly [layer: CanonicalBlockerLayer, source: string, facts: Facts];

export const tenantNames = (count: number, prefix = 't'): readonly string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(6, '0')}`);

/** Nine sources, one a layer: one domain, one mailbox, one approved campaign, one import. */
export function tenantConfig(tenantId: string): TenantConfig {
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
    mailboxes: [{ id: 'anna', domain: 'main', provider: 'smtp_imap', capPerDay: 100_000, enabled: true }],
    aiProvider: null,
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

/** Every fact that has to be observed of a tenant that may send. */
export const READY_FACTS: readonly SourceFacts[] = [
  [
    'billing',
    'main',
    { subscriptionStatus: 'active', paymentMethod: 'valid', entitlementRemaining: 1_000_000 },
  ],
  [
    'sending_domain',
    'main',
    { spf: 'pass', dkim: 'valid', dmarc: 'present', alignment: 'aligned', oneClickSigned: true },
  ],
  [
    'mailbox',
    'anna',
    {
      identityClass: 'user',
      token: 'active',
      canSend: true,
      canReadReplies: true,
      canSeeBounces: true,
      senderAgeDays: 400,
    },
  ],
  [
    'continuity_window',
    'main',
    { 'window.open': true, windowReason: 'in_hours', lastRunOutcome: 'completed' },
  ],
  ['pacing', 'anna', { delivered30d: 2000, hardBounces30d: 10, complaints30d: 0 }],
  [
    'data',
    'list',
    { importState: 'done', queueReady: 100, verifiedShare: 1, provenanceShare: 1, suppressionSyncAgeSec: 0 },
  ],
];

export interface Prepared {
  readonly subject: string;
  readonly data: Uint8Array;
}

export function evidenceOf(
  tenantId: string,
  [layer, source, facts]: SourceFacts,
  observedAtMs: number,
): Prepared {
  const message = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    layer,
    source,
    observer: 'bench',
    facts: Object.entries(facts).map(([fact, value]) => ({ fact, value, observedAtMs })),
  } as EvidenceObserved;
  const subject = evidenceObserved.subject({ tenantId, layer, source });
  return { subject, data: encode(evidenceObserved, message) };
}

/**
 * Declares tenants and tells everything that lets them send, then what is different with some; gives where that ends
 * in EVIDENCE.
 */
export async function declareTenants(
  broker: Broker,
  tenants: readonly string[],
  more: (n: number) => readonly SourceFacts[] = () => [],
): Promise<LastSeqs> {
  const last = new LastSeqs();
  await eachInFlight(tenants, IN_FLIGHT, async (tenantId) => {
    const config = encode(tenantConfigured, tenantConfig(tenantId));
    await broker.publisher.publish(tenantConfigured.subject(tenantId), config);
  });
  const observed = tenants.flatMap((tenantId, n) =>
    [...READY_FACTS, ...more(n)].map((facts) => [tenantId, facts] as const),
  );
  await eachInFlight(observed, IN_FLIGHT, async ([tenantId, facts]) => {
    const { subject, data } = evidenceOf(tenantId, facts, Date.now());
    last.stored(tenantId, (await broker.publisher.publish(subject, data)).seq);
  });
  return last;
}
