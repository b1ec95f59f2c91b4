import { randomUUID } from 'node:crypto';
import { PARTITIONS, partitionOf } from '@orchestrate/canon';
import {
  type EvidenceObserved,
  evidenceHeartbeat,
  evidenceObserved,
  type TenantConfig,
  tenantConfigured,
  VERSION,
} from '@orchestrate/contracts';
import {
  activatePolicy,
  type Broker,
  decodeStrict,
  encode,
  ownerOf,
  readLast,
  readStored,
} from '@orchestrate/messaging';
import { startDnsServer } from '@orchestrate/sandbox';
import { createLog } from '@orchestrate/service-kit';
import { defaultPolicy, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startProbes } from './app.ts';
import { PROBE_WORDS } from './probe-words.ts';

let server: TestBroker;
let broker: Broker;
const policy = defaultPolicy();

beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
  await activatePolicy(broker, policy);
});
afterAll(() => server[Symbol.asyncDispose]());

const ZONE = `
  acme        60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
  _dmarc.acme 60 IN TXT "v=DMARC1; p=reject"
`;
const zones = (test: string) => ({ test, 'in-addr.arpa': '' });

type DomainConfig = TenantConfig['domains'][number];
const domain = (id: string, name: string, change: Partial<DomainConfig> = {}): DomainConfig => ({
  id,
  name,
  egressIp: '192.0.2.1',
  dkimSelectors: ['s1'],
  enabled: true,
  ...change,
});

const ALWAYS: TenantConfig['schedule'] = {
  timeZone: 'Europe/Madrid',
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  from: '00:00',
  to: '00:00',
  holidays: [],
  quietHours: null,
  cadenceSec: 3_600,
  paused: false,
  maintenance: false,
};

async function configure(
  tenantId: string,
  domains: DomainConfig[] = [],
  schedule: Partial<TenantConfig['schedule']> = {},
): Promise<number> {
  const config: TenantConfig = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    governance: { mode: 'autonomous', sector: 'technology', jurisdiction: 'eu', lawfulBasis: 'consent' },
    schedule: { ...ALWAYS, ...schedule },
    domains,
    mailboxes: [],
    aiProvider: null,
    billing: null,
    campaigns: [],
    imports: [],
  };
  return (
    await broker.publisher.publish(tenantConfigured.subject(tenantId), encode(tenantConfigured, config))
  ).seq;
}

async function startInstance(dnsServers: string[], instance = 'evidence-probes-1', change: object = {}) {
  const lines: string[] = [];
  const running = await startProbes({
    name: 'evidence-probes',
    instance,
    life: randomUUID(),
    broker,
    log: createLog(
      { service: 'evidence-probes', instance, level: 'info' },
      { write: (line) => lines.push(line) },
    ),
    environment: {
      NATS_URL: '',
      LOG_LEVEL: 'info',
      HEALTH_HOST: '127.0.0.1',
      HEALTH_PORT: 0,
      PROBES: [...PROBE_WORDS],
      WEBHOOK_HOST: '127.0.0.1',
      ...{ SEED_LISTEN: '127.0.0.1', SEED_PORT: 0 },
      DNS_SERVERS: dnsServers,
      DNS_TIMEOUT_MS: 150,
      DNS_TRIES: 1,
      DNS_INTERVAL_SEC: 1,
      DNS_RETRY_SEC: 1,
      DNS_UNKNOWN_RETRY_SEC: 1,
      HEARTBEAT_SEC: 1,
      ...change,
    },
    stop: (error) => {
      throw error;
    },
  });
  return { running, lines, [Symbol.asyncDispose]: () => running.close() };
}

async function evidenceOf(tenantId: string, layer: string, source: string): Promise<EvidenceObserved[]> {
  const all: EvidenceObserved[] = [];
  const filters = [`evidence.${partitionOf(tenantId)}.${tenantId}.${layer}.${source}`];
  for await (const { data } of readStored(broker, { stream: 'EVIDENCE', filters, fromSeq: 1 })) {
    all.push(decodeStrict(evidenceObserved, data));
  }
  return all;
}

function summary(evidence: EvidenceObserved | undefined): Record<string, unknown> {
  return Object.fromEntries(
    (evidence?.facts ?? []).map((fact) => [fact.fact, 'unknown' in fact ? `?${fact.unknown}` : fact.value]),
  );
}

const lastOf = async (tenantId: string, layer: string, source = 'main') =>
  summary((await evidenceOf(tenantId, layer, source)).at(-1));

test('a domain that answers and one that is silent are both told as they are, and a changed zone is seen', async () => {
  await using dns = await startDnsServer({ zones: zones(ZONE), behaviours: { 'quiet.test': 'silent' } });
  const seq = await configure('both', [
    domain('main', 'acme.test'),
    domain('mute', 'quiet.test'),
    domain('off', 'acme.test', { enabled: false }),
  ]);
  await using _ = await startInstance([dns.address]);

  const good = await vi.waitFor(async () => {
    const [first] = await evidenceOf('both', 'sending_domain', 'main');
    expect(first).toBeDefined();
    return first!;
  });
  expect(good).toMatchObject({ observer: 'dns-probe', causedBy: `CONFIG/${seq}` });
  expect(summary(good)).toMatchObject({
    spf: 'pass',
    dkim: 'missing',
    dmarc: 'present',
    dmarcPolicy: 'reject',
  });
  expect(good.facts[0]).toMatchObject({
    observedAtMs: expect.any(Number),
    evidenceDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  await vi.waitFor(
    async () =>
      expect(await lastOf('both', 'sending_domain', 'mute')).toMatchObject({
        spf: '?timeout',
        dkim: '?timeout',
        dmarc: '?timeout',
      }),
    { timeout: 5_000 },
  );

  dns.reload(zones(ZONE.replace('-all', '~all').replace('192.0.2.1', '192.0.2.9')));
  dns.setBehaviour('quiet.test', null);
  await vi.waitFor(
    async () => {
      expect(await lastOf('both', 'sending_domain')).toMatchObject({ spf: 'softfail' });
      expect(await lastOf('both', 'sending_domain', 'mute')).toMatchObject({ spf: 'none', dmarc: 'none' });
    },
    { timeout: 5_000 },
  );
  expect(await evidenceOf('both', 'sending_domain', 'off')).toEqual([]);
});

test('a tenant that is configured while it runs is looked at at once, and one switched off no more', async () => {
  await using dns = await startDnsServer({ zones: zones(ZONE) });
  await using _ = await startInstance([dns.address]);
  await configure('live', [domain('main', 'acme.test')]);
  await vi.waitFor(async () => expect(await lastOf('live', 'sending_domain')).toMatchObject({ spf: 'pass' }));
  await configure('live', [domain('main', 'acme.test', { enabled: false }), domain('next', 'acme.test')]);
  await vi.waitFor(async () =>
    expect(await lastOf('live', 'sending_domain', 'next')).toMatchObject({ spf: 'pass' }),
  );
  const before = (await evidenceOf('live', 'sending_domain', 'main')).length;
  await vi.waitFor(
    async () => expect((await evidenceOf('live', 'sending_domain', 'next')).length).toBeGreaterThan(2),
    { timeout: 6_000 },
  );
  expect(await evidenceOf('live', 'sending_domain', 'main')).toHaveLength(before);
});

test('a window is published when it changes, and otherwise only heartbeats are [L11 L30]', async () => {
  await configure('window');
  {
    await using _ = await startInstance([]);
    await vi.waitFor(async () =>
      expect(await lastOf('window', 'continuity_window')).toEqual({
        'window.open': true,
        windowReason: 'in_hours',
        cadenceSec: 3_600,
        nextRun: expect.any(Number),
      }),
    );
    await configure('window', [], { paused: true });
    await vi.waitFor(async () =>
      expect(await lastOf('window', 'continuity_window')).toEqual({
        'window.open': false,
        windowReason: 'tenant_paused',
        cadenceSec: 3_600,
      }),
    );
    await configure('window', [], { paused: true });
    const subject = evidenceHeartbeat.subject(partitionOf('window'));
    const first = await readLast(broker, 'EVIDENCE', subject);
    expect(decodeStrict(evidenceHeartbeat, first!.data)).toMatchObject({ p: partitionOf('window') });
    await vi.waitFor(
      async () => expect((await readLast(broker, 'EVIDENCE', subject))!.seq).toBeGreaterThan(first!.seq),
      { timeout: 3_000 },
    );
    expect(await evidenceOf('window', 'continuity_window', 'main')).toHaveLength(2);
  }
  await using _ = await startInstance([]);
  await vi.waitFor(async () =>
    expect(await evidenceOf('window', 'continuity_window', 'main')).toHaveLength(3),
  );
});

test('a window that closes by the clock is told when it does', async () => {
  const inTwoSeconds = new Date(Math.ceil((Date.now() + 1_500) / 60_000) * 60_000);
  vi.useFakeTimers({ toFake: ['Date'], now: inTwoSeconds.getTime() - 1_500, shouldAdvanceTime: true });
  try {
    const to = inTwoSeconds.toISOString().slice(11, 16);
    await configure('clock', [], { timeZone: 'UTC', from: '00:00', to });
    await using _ = await startInstance([]);
    const reasons = async () =>
      (await evidenceOf('clock', 'continuity_window', 'main')).map(
        (evidence) => summary(evidence).windowReason,
      );
    await vi.waitFor(async () => expect(await reasons()).toEqual(['in_hours', 'out_of_hours']), {
      timeout: 8_000,
    });
  } finally {
    vi.useRealTimers();
  }
});

test('what cannot be worked out is unknown, and troubles nobody else', async () => {
  await configure('mars', [], { timeZone: 'Mars/Base' });
  await configure('feb', [], { holidays: ['2026-02-31'] });
  await broker.publisher.publish('config.broken.tenant', new TextEncoder().encode('{"v":"1.0"}'));
  await configure('sound');
  await using _ = await startInstance([]);
  await vi.waitFor(async () =>
    expect(await lastOf('sound', 'continuity_window')).toMatchObject({ 'window.open': true }),
  );
  await vi.waitFor(async () => {
    expect(await lastOf('mars', 'continuity_window')).toMatchObject({
      'window.open': '?tz_unknown',
      windowReason: 'tz_unknown',
    });
    expect(await lastOf('feb', 'continuity_window')).toEqual({
      'window.open': '?probe_fault',
      windowReason: '?probe_fault',
    });
  });
  expect(await readLast(broker, 'REJECTED', 'rejected.CONFIG.contract_violation')).toMatchObject({ seq: 1 });
});

test('two instances share the partitions, and what one leaves the other takes over', async () => {
  const tenants = Array.from({ length: 20 }, (_, n) => `share-${n}`);
  const members = ['probes-a', 'probes-b'];
  await using a = await startInstance([], 'probes-a');
  const b = await startInstance([], 'probes-b');
  const partitions = (of: typeof a) => (of.running.health().detail as { partitions: number }).partitions;
  const expected = Array.from({ length: PARTITIONS }, (_, p) => ownerOf(p, members));
  await vi.waitFor(() => {
    expect(partitions(a)).toBe(expected.filter((owner) => owner === 'probes-a').length);
    expect(partitions(a) + partitions(b)).toBe(PARTITIONS);
  });
  for (const tenantId of tenants) await configure(tenantId);
  const published = () =>
    Promise.all(
      tenants.map(async (tenantId) => (await evidenceOf(tenantId, 'continuity_window', 'main')).length),
    );
  await vi.waitFor(async () => expect(await published()).toEqual(tenants.map(() => 1)));

  await b.running.close();
  await vi.waitFor(() => expect(partitions(a)).toBe(PARTITIONS));
  const moved = tenants.map((tenantId) => (ownerOf(partitionOf(tenantId), members) === 'probes-b' ? 2 : 1));
  await vi.waitFor(async () => expect(await published()).toEqual(moved));
});

test('an edge that is full refuses, health says so, and the evidence comes when there is room', async () => {
  const { config } = await broker.jsm.streams.info('EVIDENCE');
  const fill = async (max_bytes: number) => broker.jsm.streams.update('EVIDENCE', { ...config, max_bytes });
  await fill(1);
  await using instance = await startInstance([], 'evidence-probes-1', { HEARTBEAT_SEC: 1 });
  await vi.waitFor(() => expect(instance.running.health()).toMatchObject({ ok: false }));
  expect(instance.lines.join()).toContain('trying again later');
  await fill(config.max_bytes);
  await configure('full');
  await vi.waitFor(async () =>
    expect(await lastOf('full', 'continuity_window')).toMatchObject({ 'window.open': true }),
  );
  await vi.waitFor(
    () => expect(instance.running.health()).toMatchObject({ ok: true, detail: { behind: 0 } }),
    {
      timeout: 10_000,
    },
  );
});
