import { partitionOf } from '@orchestrate/canon';
import { activatePolicy, type Broker } from '@orchestrate/messaging';
import { eventually, neighbours, stored } from '@orchestrate/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GAPLESS_POLICY, type PlatformFixture, startPlatformFixture } from './platform-fixture.ts';
import { configure, observeAll, truthOf } from './tenant-fixture.ts';

/** More tenants than one partition of truth-aggregator keeps loaded. */
const TENANTS = neighbours(70);
const P = partitionOf(TENANTS[0]!);

let fixture: PlatformFixture;
let broker: Broker;
beforeAll(async () => {
  fixture = await startPlatformFixture({
    services: [{ name: 'layer-runtime' }, { name: 'truth-aggregator' }],
  });
  broker = fixture.broker;
});
afterAll(() => fixture[Symbol.asyncDispose]());

const truthsWritten = async () => (await stored(broker, 'TRUTH', `truth.${P}.*`)).length;

it('a truth that is looked up goes on where it stood, and every one is built anew when the policy changes', async () => {
  for (const tenantId of TENANTS) await configure(broker, tenantId);
  for (const tenantId of TENANTS) await observeAll(broker, tenantId);
  const readied = async (tenantId: string) =>
    Object.values((await truthOf(broker, tenantId))?.layers ?? { none: { state: '' } }).every(
      ({ state }) => state === 'ready',
    );
  for (const tenantId of TENANTS) await eventually(`${tenantId} is ready`, () => readied(tenantId));

  const before = await truthsWritten();
  await fixture.platform.supervisor.kill('truth-aggregator-1');
  const [first, second] = TENANTS as [string, string];
  const stood = (await truthOf(broker, first))!;
  const other = (await truthOf(broker, second))!;
  await configure(broker, first, { mode: 'approval_required' });
  const next = await eventually('the next truth', async () => {
    const truth = await truthOf(broker, first);
    return truth?.mode.requested === 'approval_required' && truth;
  });
  expect(next.epoch).toBe(stood.epoch + 1);
  expect(next.layerFingerprints).toEqual({
    ...stood.layerFingerprints,
    governance: next.layerFingerprints.governance,
  });
  // The others stand as they stood.
  expect(await truthOf(broker, second)).toEqual(other);
  expect(await truthsWritten()).toBe(before + 1);

  const stricter = {
    ...GAPLESS_POLICY,
    name: 'stricter',
    heartbeatMaxSec: GAPLESS_POLICY.heartbeatMaxSec + 1,
  };
  const digest = await activatePolicy(broker, stricter);
  for (const tenantId of TENANTS) {
    await eventually(
      `the truth of ${tenantId} is built with the new policy`,
      async () => (await truthOf(broker, tenantId))?.policyDigest === digest,
    );
  }
  expect((await truthOf(broker, second))!.layerFingerprints).toEqual(other.layerFingerprints);
});
