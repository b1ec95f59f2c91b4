import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { partitionOf } from '@orchestrate/canon';
import { findNatsServer, startNatsServer } from '@orchestrate/embedded';
import { connectBroker, provisionStreams, readStreamsFile } from '@orchestrate/messaging';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
const TENANTS = ['acme', 'aurora', 'a', '0', 'tenant_with-all_kinds-09', 'x'.repeat(64)];

/** The declared streams on a server: provisioned twice, and partitioned by the server as by ourselves. */
async function checkStreams(url: string): Promise<void> {
  await using broker = await connectBroker({ url, name: 'test' });
  await provisionStreams(broker);
  await provisionStreams(broker);
  for (const { name, subjects } of readStreamsFile().streams) {
    expect((await broker.jsm.streams.info(name)).config.subjects, name).toEqual(subjects);
  }
  for (const tenantId of TENANTS) {
    const { seq } = await broker.js.publish(`evidence.${tenantId}.billing.main`, 'x');
    const stored = await broker.jsm.streams.getMessage('EVIDENCE', { seq });
    expect(stored?.subject).toBe(`evidence.${partitionOf(tenantId)}.${tenantId}.billing.main`);
  }
}

describe('the declared streams', () => {
  it('can be provisioned again, and the server gives a tenant the partition that we give it [T16]', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'orchestrate-test-'));
    await using server = await startNatsServer({
      binary: findNatsServer(ROOT)!,
      dataDir,
      syncInterval: '100ms',
    });
    await checkStreams(server.url);
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('are the same on the official nats-server image', async (context) => {
    // Imported only here: it costs a third of a second, and most machines that run this have no Docker.
    const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers');
    try {
      await getContainerRuntimeClient();
    } catch (error) {
      context.skip(`no container runtime: ${(error as Error).message}`);
    }
    const container = await new GenericContainer('nats:2.12')
      .withCommand(['-js'])
      .withExposedPorts(4222)
      .withWaitStrategy(Wait.forLogMessage('Server is ready'))
      .start();
    try {
      await checkStreams(`nats://${container.getHost()}:${container.getMappedPort(4222)}`);
    } finally {
      await container.stop();
    }
  });
});
