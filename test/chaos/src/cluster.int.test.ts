import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@orchestrate/test-kit';
import { expect, it } from 'vitest';
import { startChaosFixture } from './chaos-fixture.test-support.ts';
import { leaderOf } from './nats-cluster.ts';

it('three servers lose nothing, double nothing and keep every chain when their leader is killed under load [A13 G32]', async () => {
  await using fixture = await startChaosFixture({ instances: 1, isCluster: true });
  const { fleet, load } = fixture;
  const { config } = await fleet.broker.jsm.streams.info('DECISIONS');
  expect(config.num_replicas).toBe(3);
  load.start();
  await sleep(2_000);
  const leader = await eventually('a leader', () => leaderOf(fleet.broker, 'DECISIONS', fleet.servers));
  await leader.kill();
  const next = await eventually(
    'another leader',
    async () => {
      const found = await leaderOf(fleet.broker, 'DECISIONS', fleet.servers);
      return found && found !== leader ? found : null;
    },
    30_000,
  );
  expect(next).not.toBe(leader);
  await sleep(2_000);
  await leader.restart();
  const { DECISIONS } = await fixture.expectSound();
  expect(DECISIONS.length).toBeGreaterThan(0);
}, 240_000);
