import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CanonicalBlockerLayer, type FactValue, partitionOf } from '@orchestrate/canon';
import {
  evidenceHeartbeat,
  evidenceObserved,
  type LayerConditioned,
  layerConditioned,
  tenantConfigured,
  VERSION,
} from '@orchestrate/contracts';
import { activatePolicy, type Broker, encode, OwnerLoop, readLast } from '@orchestrate/messaging';
import { PolicyInForce } from '@orchestrate/service-kit';
import {
  declarationOf,
  defaultPolicy,
  eventually,
  jsonOf,
  neighbours,
  startTestBroker,
  stored,
  type TestBroker,
} from '@orchestrate/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LayerPartition } from './layer-partition.ts';
import { layerService } from './layer-service.ts';

const QUIET = { info() {}, warn() {}, error() {} };
/** More sources than one partition keeps loaded. */
const TENANTS = neighbours(62);
const P = partitionOf(TENANTS[0]!);
const DAY_MS = 86_400_000;
const OPEN = { 'window.open': true, windowReason: 'in_hours' };

let server: TestBroker;
let broker: Broker;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
  await activatePolicy(broker, defaultPolicy());
});
afterAll(() => server[Symbol.asyncDispose]());

/** layer-runtime in this process, and its view of the partition of our tenants. */
async function start(): Promise<{ partition: LayerPartition } & AsyncDisposable> {
  const policy = await PolicyInForce.follow(broker);
  let partition: LayerPartition | undefined;
  const service = layerService({
    name: 'layer-runtime',
    markEveryMs: 500,
    policy,
    opened: (one) => {
      if (one.context.p === P) partition = one;
    },
  });
  const self = { instance: `lr-${randomUUID()}`, life: randomUUID() };
  const loop = await OwnerLoop.start(broker, service, self, QUIET);
  return {
    partition: partition!,
    async [Symbol.asyncDispose]() {
      await loop.close();
      await policy.close();
    },
  };
}

const declare = (tenantId: string) =>
  broker.publisher.publish(
    tenantConfigured.subject(tenantId),
    encode(tenantConfigured, declarationOf(tenantId)),
  );

async function tell(
  tenantId: string,
  layer: CanonicalBlockerLayer,
  facts: Readonly<Record<string, FactValue>>,
  observedAtMs = Date.now(),
) {
  const message = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    layer,
    source: 'main',
    observer: 'test',
    facts: Object.entries(facts).map(([fact, value]) => ({ fact, value, observedAtMs })),
  };
  const subject = evidenceObserved.subject(message);
  await broker.publisher.publish(subject, encode(evidenceObserved, message as never));
}

async function conditionOf(tenantId: string, layer: CanonicalBlockerLayer): Promise<LayerConditioned | null> {
  const subject = layerConditioned.subject({ p: P, tenantId, layer, source: 'main' });
  const message = await readLast(broker, 'LAYERS', subject);
  return message && jsonOf<LayerConditioned>(message);
}

const reasonsOf = (condition: LayerConditioned | null) =>
  Object.fromEntries(
    (condition?.facts ?? []).map(({ fact, verdict, reason }) => [fact, `${verdict} ${reason}`]),
  );

const seen = (what: string, tenantId: string, layer: CanonicalBlockerLayer, fact: string, expected: string) =>
  eventually(what, async () => reasonsOf(await conditionOf(tenantId, layer))[fact] === expected);

const writtenCount = async () => (await stored(broker, 'LAYERS', `layer.${P}.*.*.*`)).length;

const beat = () =>
  broker.publisher.publish(
    evidenceHeartbeat.subject(P),
    encode(evidenceHeartbeat, {
      v: VERSION,
      id: randomUUID(),
      p: P,
      layer: 'continuity_window',
      atMs: Date.now(),
    }),
  );

it('sources that nobody uses are let go, and looked up when they are told something or their time comes', async () => {
  const [fading, ...others] = TENANTS as [string, ...string[]];
  {
    await using running = await start();
    const { store } = running.partition;
    // Windows that were looked at long ago live by it.
    await beat();
    for (const tenantId of TENANTS) await declare(tenantId);
    for (const tenantId of others) {
      await tell(tenantId, 'billing', { subscriptionStatus: 'active', paymentMethod: 'valid' });
      await tell(tenantId, 'continuity_window', OPEN, Date.now() - 300_000);
    }
    await seen('the last one', others.at(-1)!, 'continuity_window', 'window.open', 'pass ok');
    await eventually('some are let go', () => store.loadedCount <= 512);

    const cold = others.find((tenantId) => store.find(tenantId, 'billing', 'main')!.loaded === null)!;
    expect(cold).toBeDefined();
    await tell(cold, 'billing', { paymentMethod: 'expired' });
    await seen('what is told', cold, 'billing', 'paymentMethod', 'fail payment_expired');
    expect(reasonsOf(await conditionOf(cold, 'billing')).subscriptionStatus).toBe('pass ok');

    // Ten seconds are left of its age.
    await tell(fading, 'billing', { subscriptionStatus: 'active' }, Date.now() - DAY_MS + 10_000);
    await seen('the fading one', fading, 'billing', 'subscriptionStatus', 'pass ok');
    await beat();
  }
  const before = await writtenCount();
  await using running = await start();
  const { store } = running.partition;
  expect([store.tenantCount, store.loadedCount]).toEqual([TENANTS.length, 0]);
  await sleep(2_500);
  // Nothing happened, so nothing is looked up and nothing is written: a window lives by a heartbeat from before, too.
  expect([await writtenCount(), store.loadedCount]).toEqual([before, 0]);
  await seen('its time', fading, 'billing', 'subscriptionStatus', 'unknown expired');
  expect(store.loadedCount).toBe(1);
});
