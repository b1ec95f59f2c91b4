import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@orchestrate/canon';
import { type Broker, StreamFollower } from '@orchestrate/messaging';
import { eventually } from '@orchestrate/test-kit';
import { describe, expect, it } from 'vitest';
import { type PlatformFixture, startPlatformFixture } from './platform-fixture.ts';
import {
  decisions,
  expectSound,
  type Link,
  readyTenant,
  rejections,
  reportSent,
  request,
} from './tenant-fixture.ts';

const SERVICES = ['layer-runtime', 'truth-aggregator', 'dispatch-governance'];
const TENANTS = ['acme', 'birch', 'cedar', 'delta', 'elm', 'fjord'];
const REQUESTS = 50;
const CAP = 10;

/** Asks for all dispatches of all tenants, a few at a time so that they do not all wait in one place. */
async function requestAll(broker: Broker): Promise<void> {
  for (let n = 1; n <= REQUESTS; n++) {
    await Promise.all(TENANTS.map((tenantId) => request(broker, tenantId, n)));
    await sleep(60);
  }
}

/** A sender that obeys: every release is reported as sent, once. */
async function followReleases(broker: Broker): Promise<StreamFollower> {
  const range = { stream: 'DECISIONS', filters: ['decision.*.*.APPROVE'], fromSeq: 1 } as const;
  return StreamFollower.start(broker, range, async ({ seq, data }) => {
    const link: Link = { seq, data, record: JSON.parse(Buffer.from(data).toString()) };
    await reportSent(broker, link);
  });
}

/** Plays an accident again and again at random moments while all requests are sent, then checks the books. */
async function expectSoundThrough(
  fixture: PlatformFixture,
  accidents: (fixture: PlatformFixture) => Promise<void>,
): Promise<void> {
  const { broker } = fixture;
  await Promise.all(TENANTS.map((tenantId) => readyTenant(broker, tenantId, { capPerDay: CAP })));
  const sender = await followReleases(broker);
  await Promise.all([requestAll(broker), accidents(fixture)]);
  for (const tenantId of TENANTS) {
    await eventually(`every request of ${tenantId} is decided, every release reported`, async () => {
      const found = await decisions(broker, tenantId);
      if (new Set(found.map((one) => one.dispatchId)).size < REQUESTS)
        throw new Error(`${found.length} decisions`);
      const kept = await broker.jsm.streams.info('DECISIONS', {
        subjects_filter: `decision.${partitionOf(tenantId)}.${tenantId}.*`,
      });
      const count = (kind: string) =>
        kept.state.subjects?.[`decision.${partitionOf(tenantId)}.${tenantId}.${kind}`] ?? 0;
      if (count('OUTCOME') < CAP)
        throw new Error(`${count('APPROVE')} releases, ${count('OUTCOME')} outcomes`);
      return count('APPROVE') === CAP;
    });
    await expectSound(broker, tenantId, { requests: REQUESTS, capPerDay: CAP });
  }
  expect(await rejections(broker)).toEqual([]);
  await sender.close();
}

const somewhen = () => sleep(200 + Math.random() * 900);

const pidOf = ({ platform }: PlatformFixture, instance: string): number =>
  platform.supervisor.list().find((one) => one.instance === instance)!.pid!;

describe('every request is decided exactly once, chains stay unbroken and caps are kept [T2 A13 G32]', () => {
  it('when each of the three services is killed while requests are decided', async () => {
    await using fixture = await startPlatformFixture({ services: SERVICES.map((name) => ({ name })) });
    await expectSoundThrough(fixture, async ({ platform }) => {
      await Promise.all(
        SERVICES.map(async (name) => {
          for (let kill = 0; kill < 2; kill++) {
            await somewhen();
            await platform.supervisor.kill(`${name}-1`);
          }
        }),
      );
    });
  });

  it('when nats-server is killed while decisions flow', async () => {
    await using fixture = await startPlatformFixture({ services: SERVICES.map((name) => ({ name })) });
    await expectSoundThrough(fixture, async ({ platform }) => {
      for (let kill = 0; kill < 2; kill++) {
        await somewhen();
        const { pid } = platform.nats;
        await platform.nats.kill();
        await eventually('nats-server is back', () => platform.nats.pid !== pid);
      }
    });
  });

  it('when two of each share the work, one is killed, and another is stopped and wakes up as a zombie', async () => {
    const services = SERVICES.flatMap((name) => [{ name }, { name }]);
    await using fixture = await startPlatformFixture({ services });
    await expectSoundThrough(fixture, async (running) => {
      await somewhen();
      const pid = pidOf(running, 'dispatch-governance-1');
      process.kill(pid, 'SIGSTOP');
      await running.platform.supervisor.kill('truth-aggregator-2');
      await sleep(5_000);
      process.kill(pid, 'SIGCONT');
    });
    for (let n = 1; n <= 2; n++) {
      expect(
        fixture.platform.supervisor.list().find((one) => one.instance === `dispatch-governance-${n}`),
      ).toMatchObject({
        state: 'running',
        restarts: 0,
      });
    }
  });
});
