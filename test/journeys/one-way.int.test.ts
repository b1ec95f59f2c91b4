import { randomUUID } from 'node:crypto';
import { partitionOf, stateToBucket } from '@orchestrate/canon';
import {
  dispatchRequested,
  evidenceObserved,
  type EvidenceObserved,
  tenantConfigured,
  type TenantConfig,
  truthRecorded,
  VERSION,
  decisionRecorded,
} from '@orchestrate/contracts';
import { type Broker, decodeStrict, encode, readLast, readStored } from '@orchestrate/messaging';
import { describe, expect, it } from 'vitest';
import { eventually, startPlatformFixture } from './platform-fixture.ts';

const DIGEST = 'a'.repeat(64);

function config(tenantId: string): TenantConfig {
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
    domains: [{ id: 'main', name: 'acme.example', egressIp: '192.0.2.1', dkimSelectors: ['s1'], enabled: true }],
    mailboxes: [{ id: 'anna', domain: 'main', provider: 'smtp_imap', capPerDay: 3, enabled: true }],
    aiProvider: null,
    campaigns: [
      {
        id: 'spring',
        state: 'active',
        mailboxes: ['anna'],
        templates: [DIGEST],
        templateDigest: DIGEST,
        approvedDigest: DIGEST,
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

const FACTS: [string, string, Record<string, string | number | boolean>][] = [
  ['billing', 'main', { subscriptionStatus: 'active', paymentMethod: 'valid', entitlementRemaining: 5000 }],
  ['sending_domain', 'main', { spf: 'pass', dkim: 'valid', dmarc: 'present', alignment: 'aligned', oneClickSigned: true }],
  [
    'mailbox',
    'anna',
    { identityClass: 'user', token: 'active', canSend: true, canReadReplies: true, canSeeBounces: true, senderAgeDays: 400 },
  ],
  ['continuity_window', 'main', { 'window.open': true, windowReason: 'in_hours', lastRunOutcome: 'completed' }],
  ['pacing', 'anna', { delivered30d: 2000, hardBounces30d: 10, complaints30d: 0 }],
  ['data', 'list', { importState: 'done', queueReady: 100, verifiedShare: 1, provenanceShare: 1, suppressionSyncAgeSec: 0 }],
];

async function observe(broker: Broker, tenantId: string, layer: string, source: string, facts: object): Promise<void> {
  const message = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    layer,
    source,
    observer: 'test',
    facts: Object.entries(facts).map(([fact, value]) => ({ fact, value, observedAtMs: Date.now() })),
  } as EvidenceObserved;
  await broker.publisher.publish(evidenceObserved.subject({ tenantId, layer, source }), encode(evidenceObserved, message));
}

async function request(broker: Broker, tenantId: string, n: number): Promise<void> {
  const dispatchId = `d-${n}`;
  const message = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    dispatchId,
    requestedBy: 'test',
    requestedAtMs: Date.now(),
    action: {
      campaign: 'spring',
      step: 1,
      mailbox: 'anna',
      domain: 'main',
      importSource: 'list',
      recipientKey: n.toString(16).padStart(64, '0'),
      recipientVerified: true,
      prospect: 'verified_import' as const,
      conversation: 'none' as const,
      templateDigest: DIGEST,
    },
  };
  await broker.publisher.publish(
    dispatchRequested.subject({ tenantId, dispatchId }),
    encode(dispatchRequested, message),
  );
}

async function decisions(broker: Broker, tenantId: string) {
  const found = [];
  for await (const stored of readStored(broker, {
    stream: 'DECISIONS',
    filters: [`decision.${partitionOf(tenantId)}.${tenantId}.*`],
    fromSeq: 1,
  })) {
    found.push(decodeStrict(decisionRecorded, stored.data));
  }
  return found;
}

describe('the way of one fact', () => {
  it('goes from evidence to a truth to an audited decision, and a cap is reserved and not only read', async () => {
    await using fixture = await startPlatformFixture({
      services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }, { name: 'dispatch-governance' }],
    });
    const { broker } = fixture;
    const tenantId = 'acme';
    await broker.publisher.publish(tenantConfigured.subject(tenantId), encode(tenantConfigured, config(tenantId)));
    for (const [layer, source, facts] of FACTS) await observe(broker, tenantId, layer, source, facts);

    const truth = await eventually('a truth with nine ready layers', async () => {
      const stored = await readLast(broker, 'TRUTH', truthRecorded.subject({ p: partitionOf(tenantId), tenantId }));
      const known = stored && decodeStrict(truthRecorded, stored.data);
      return known && Object.values(known.layers).every((layer) => layer.state === 'ready') ? known : null;
    });
    expect(truth.unknowns).toEqual([]);
    expect(truth.mode.resolved).toBe('autonomous');
    expect(truth.layers.billing.bucket).toBe(stateToBucket('ready'));

    for (let n = 1; n <= 5; n++) await request(broker, tenantId, n);
    const records = await eventually('five decisions', async () => {
      const found = await decisions(broker, tenantId);
      return found.length >= 5 ? found : null;
    });
    expect(records.map((record) => record.kind)).toEqual([
      'APPROVE',
      'APPROVE',
      'APPROVE',
      'HOLD_FOR_REPUTATION',
      'HOLD_FOR_REPUTATION',
    ]);
    expect(records[3]).toMatchObject({ decidingGate: 7, decidingOutcome: 'cap_reached', lane: 'watch' });
    expect(records.map((record) => record.ordinal)).toEqual([1, 2, 3, 4, 5]);
  });
});
