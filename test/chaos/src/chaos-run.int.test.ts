import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChaosFixture } from './chaos-fixture.test-support.ts';
import { runChaos } from './chaos-run.ts';
import { readJournal } from './journal.ts';
import { freePorts } from './nats-cluster.ts';

const SEED = 11;

it(`random faults of seed ${SEED} lose nothing, double nothing and break no chain [T2 A13 G32]`, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-test-'));
  const told: string[] = [];
  const verdict = await runChaos({
    seed: SEED,
    seconds: 20,
    tenants: 8,
    instances: 2,
    dataDir,
    onProgress: (line) => told.push(line),
  });
  expect(verdict.violations, told.join('\n')).toEqual([]);
  expect(Object.values(verdict.faults).reduce((sum, one) => sum + one)).toBeGreaterThan(0);
  expect(verdict.stored.DECISIONS).toBeGreaterThan(0);
  expect(readJournal(join(dataDir, 'journal.jsonl'))).toHaveLength(
    verdict.sent.ok + verdict.sent.refused + verdict.sent.unknown,
  );
  rmSync(dataDir, { recursive: true });
}, 180_000);

it('the official nats-server image loses nothing when it is killed and started again', async (context) => {
  // Imported only here: it costs a third of a second, and most machines that run this have no Docker.
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers');
  const runtime = await getContainerRuntimeClient().catch((error: Error) => error);
  if (runtime instanceof Error) return context.skip(`no container runtime: ${runtime.message}`);
  // A random port would be another one after the restart.
  const [port] = await freePorts(1);
  const container = await new GenericContainer('nats:2.12')
    .withCommand(['-js', '-sd', '/data'])
    .withExposedPorts({ container: 4222, host: port! })
    .withWaitStrategy(Wait.forLogMessage('Server is ready'))
    .start();
  try {
    await using fixture = await startChaosFixture({
      instances: 1,
      url: `nats://${container.getHost()}:${port}`,
    });
    fixture.load.start();
    const engine = runtime.container.getById(container.getId());
    await engine.kill();
    await engine.start();
    await fixture.expectSound();
  } finally {
    await container.stop();
  }
}, 120_000);
