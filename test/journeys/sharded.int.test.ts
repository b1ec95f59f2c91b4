import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@orchestrate/canon';
import { offboardTenant, readBooks, readChainEnd } from '@orchestrate/client';
import { diagnose } from '@orchestrate/doctor';
import { countStored } from '@orchestrate/messaging';
import { subscribeDecisions } from '@orchestrate/sender-sdk';
import { eventually, shardedStreams } from '@orchestrate/test-kit';
import { expect, test } from 'vitest';
import { documentsIn, ROOT, run } from '../command-line/run-command.ts';
import { startPlatformFixture } from './platform-fixture.ts';
import {
  chainOf,
  decisions,
  expectSound,
  expectUnbroken,
  readyTenant,
  rejections,
  reportSent,
  request,
} from './tenant-fixture.ts';

const STREAMS = shardedStreams(4);
const SHARDS = ['0', '1', '2', '3'];
const REQUESTS = 12;
const CAP = 5;

/** Tenants of each of the four shards, two in each. */
const TENANTS = SHARDS.flatMap((shard) =>
  Array.from({ length: 200 }, (_, n) => `tenant-${n}`)
    .filter((tenantId) => Math.floor(partitionOf(tenantId) / 16) === Number(shard))
    .slice(0, 2),
);
const LEAVER = TENANTS.at(-1)!;

test('a whole platform on streams in four shards: ready, decided, killed, sent, told, checked, left', async () => {
  const instances = ['layer-runtime', 'truth-aggregator', 'dispatch-governance'].flatMap((name) => [
    { name, instance: `${name}-1` },
    { name, instance: `${name}-2` },
  ]);
  await using fixture = await startPlatformFixture({ services: instances, streams: STREAMS });
  const { broker, platform } = fixture;
  const cli = async (...args: string[]) => {
    const { code, out, err } = await run([...args, '--nats-url', platform.natsUrl, '--json']);
    expect([code, err], args.join(' ')).toEqual([0, '']);
    return documentsIn(out) as Record<string, unknown>[];
  };

  await Promise.all(TENANTS.map((tenantId) => readyTenant(broker, tenantId, { capPerDay: CAP })));
  for (const stream of ['LAYERS', 'TRUTH'] as const) {
    for (const shard of SHARDS) {
      expect((await broker.jsm.streams.info(`${stream}-${shard}`)).state.messages).toBeGreaterThan(0);
    }
  }

  const sent = new Set<string>();
  const sender = await subscribeDecisions(broker, {
    handle: async ({ tenantId, dispatchId }) => {
      const link = (await chainOf(broker, tenantId)).findLast(
        ({ record }) => 'dispatchId' in record && record.dispatchId === dispatchId,
      )!;
      await reportSent(broker, link);
      sent.add(`${tenantId} ${dispatchId}`);
      return 'done';
    },
  });
  const asking = (async () => {
    for (let n = 1; n <= REQUESTS; n++) {
      await Promise.all(TENANTS.map((tenantId) => request(broker, tenantId, n)));
      await sleep(100);
    }
  })();
  for (const { name, instance } of instances.filter((one) => one.instance.endsWith('-1'))) {
    await platform.supervisor.kill(instance ?? name, 'SIGKILL');
  }
  await asking;

  for (const tenantId of TENANTS) {
    await eventually(
      `every request of ${tenantId} is decided, every release sent and reported`,
      async () => {
        const chain = await chainOf(broker, tenantId);
        const asked = new Set((await decisions(broker, tenantId)).map((one) => one.dispatchId));
        const count = (kind: string) => chain.filter(({ record }) => record.kind === kind).length;
        return asked.size === REQUESTS && count('OUTCOME') === CAP && count('APPROVE') === CAP;
      },
      60_000,
    );
    await expectSound(broker, tenantId, { requests: REQUESTS, capPerDay: CAP });
  }
  expect(sent.size).toBe(TENANTS.length * CAP);
  await eventually('the sender is done', async () => {
    const backlog = await sender.backlog();
    return backlog?.untaken === 0 && backlog.open === 0;
  });
  await sender.close();

  const [first] = TENANTS as [string];
  const [readiness] = await cli('readiness', first);
  expect(readiness).toMatchObject({ tenantId: first });
  const [explained] = await cli('explain', first, `d-${REQUESTS}`);
  expect(explained).toMatchObject({ decision: { record: { tenantId: first, dispatchId: `d-${REQUESTS}` } } });
  const [frozen] = await cli('freeze', first);
  const interventions = (await chainOf(broker, first)).filter(({ record }) => record.kind === 'INTERVENTION');
  expect(frozen).toMatchObject({ tenantId: first, ordinal: interventions.at(-1)!.record.ordinal });
  expect(new Set((await cli('freeze', '--all')).map(({ tenantId }) => tenantId))).toEqual(new Set(TENANTS));
  const end = await readChainEnd(broker, first, 3);
  expect(end.map(({ seq }) => seq)).toEqual((await chainOf(broker, first)).slice(-3).map(({ seq }) => seq));

  for (const tenantId of TENANTS) {
    expectUnbroken(await chainOf(broker, tenantId));
    const books = await readBooks(broker, tenantId);
    expect(books, tenantId).toMatchObject({
      requests: REQUESTS,
      effectiveDecisions: REQUESTS,
      open: 0,
      mismatchTotal: 0,
    });
  }

  const report = await offboardTenant(broker, {
    tenantId: LEAVER,
    actor: 'olga',
    reasonCode: 'client_request',
  });
  expect(report.erased.LAYERS).toBeGreaterThan(0);
  expect(await countStored(broker, 'LAYERS', `layer.${partitionOf(LEAVER)}.${LEAVER}.*.*`)).toBe(0);
  expect(report.kept.DECISIONS).toBe((await chainOf(broker, LEAVER)).length);
  expect(await rejections(broker)).toEqual([]);

  const findings = await Array.fromAsync(
    diagnose({ root: ROOT, dataDir: platform.dataDir, natsUrl: platform.natsUrl, streams: STREAMS }),
  );
  for (const { check, status, detail } of findings) {
    if (['streams', 'marks', 'rejected', 'policy', 'platform'].includes(check)) {
      expect([check, status], detail).toEqual([check, 'ok']);
    }
  }
}, 180_000);
