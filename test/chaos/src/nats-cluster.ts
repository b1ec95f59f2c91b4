import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NatsServer, startNatsServer } from '@orchestrate/embedded';
import { type Broker, connectBroker, provisionStreams, readStreamsFile } from '@orchestrate/messaging';

const SERVERS = 3;
/** Raft waits 4 to 9 seconds before it elects, and a busy machine longer. */
const READY_MS_MAX = 40_000;

/** Three servers on this machine, with every stream on all of them. */
export async function startCluster(binary: string, dataDir: string): Promise<readonly NatsServer[]> {
  await using started = new AsyncDisposableStack();
  const routes = await freePorts(SERVERS);
  const servers = await Promise.all(
    routes.map((port, at) =>
      startNatsServer({
        binary,
        dataDir: join(dataDir, `n${at + 1}`),
        syncInterval: '100ms',
        cluster: { server: `n${at + 1}`, port, routes },
      }),
    ),
  );
  for (const server of servers) started.use(server);
  await using broker = await connectBroker({ url: servers[0]!.url, name: 'provisioner' });
  await untilAnswered(() => provisionStreams(broker, { ...readStreamsFile(), replicas: SERVERS }));
  started.move();
  return servers;
}

/** The server that leads a stream now, or null while none is elected. */
export async function leaderOf(
  broker: Broker,
  stream: string,
  servers: readonly NatsServer[],
): Promise<NatsServer | null> {
  const info = await broker.jsm.streams.info(stream).catch(() => null);
  const name = info?.cluster?.leader;
  return servers.find((_, at) => `n${at + 1}` === name) ?? null;
}

async function untilAnswered(ask: () => Promise<void>): Promise<void> {
  for (const deadline = Date.now() + READY_MS_MAX; ; await sleep(250)) {
    try {
      await ask();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error('the cluster does not become ready', { cause: error });
    }
  }
}

/** Ports that are free now: routes have to be known before any of the servers runs. */
export async function freePorts(count: number): Promise<number[]> {
  const held = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = held.map((server) => (server.address() as { port: number }).port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
