import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Policy } from '@orchestrate/canon';
import { readPolicyFile } from '@orchestrate/client';
import {
  findNatsServer,
  type NatsServer,
  nodeFlagsOf,
  Supervisor,
  startNatsServer,
} from '@orchestrate/embedded';
import { activatePolicy, type Broker, connectBroker, provisionStreams } from '@orchestrate/messaging';
import { startCluster } from './nats-cluster.ts';

export const ROOT = join(import.meta.dirname, '../../..');
export const PARTITIONED = ['layer-runtime', 'truth-aggregator', 'dispatch-governance'] as const;
export type PartitionedName = (typeof PARTITIONED)[number];

/** The shipped policy without waiting between two messages of a mailbox. */
export function gaplessPolicy(): Policy {
  const policy = readPolicyFile();
  return { ...policy, pacing: { ...policy.pacing, minGapSec: 0 } };
}

/** One nats-server or a cluster, and several instances of each partitioned service, to be broken. */
export interface Fleet extends AsyncDisposable {
  readonly servers: readonly NatsServer[];
  readonly supervisor: Supervisor;
  readonly broker: Broker;
  readonly policy: Policy;
  readonly instances: readonly string[];
  connect(name: string): Promise<Broker>;
  /** Starts one more process of an instance's service under the same name: both own what the name owns. */
  startTwin(instance: string): string;
}

export interface FleetOptions {
  readonly dataDir: string;
  /** Of each service. */
  readonly instances: number;
  readonly isCluster?: boolean;
  /** What an instance gets into its environment beside the rest, asked at each of its starts. */
  readonly envOf?: (instance: string) => NodeJS.ProcessEnv;
  readonly onLine?: (instance: string, line: string) => void;
  /** A server that runs already, instead of one of our own. */
  readonly url?: string;
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  await using started = new AsyncDisposableStack();
  const servers = await startServers(options);
  for (const server of servers) started.defer(() => server.stop());
  const urls = options.url ? [options.url] : servers.map(({ url }) => url);
  const connect = async (name: string) => started.use(await connectBroker({ url: urls[0]!, name }));
  const broker = await connect('chaos');
  const policy = gaplessPolicy();
  await activatePolicy(broker, policy);
  const supervisor = new Supervisor({
    root: ROOT,
    env: { ...process.env, CADENCE_SEC: '1', LOG_LEVEL: 'info' },
    backoffMsMax: 500,
    ...(options.onLine ? { onLine: options.onLine } : {}),
  });
  started.defer(() => supervisor.stopAll());
  const start = (name: string, instance: string, at: number, asInstance = instance) =>
    supervisor.start(name, {
      instance,
      entry: join(ROOT, 'services', name, 'src', 'main.ts'),
      flags: nodeFlagsOf(name),
      env: () => ({
        ...options.envOf?.(instance),
        NATS_URL: urls[at % urls.length],
        ORCHESTRATE_INSTANCE: asInstance,
      }),
    });
  const wanted = PARTITIONED.flatMap((name) =>
    Array.from({ length: options.instances }, (_, at) => ({ name, instance: `${name}-${at + 1}`, at })),
  );
  await Promise.all(wanted.map(({ name, instance, at }) => start(name, instance, at)));
  const running = started.move();
  return {
    servers,
    supervisor,
    broker,
    policy,
    instances: wanted.map(({ instance }) => instance),
    connect: async (name) => running.use(await connectBroker({ url: urls[0]!, name })),
    startTwin(instance) {
      const twin = `${instance}-twin`;
      const { name, at } = wanted.find((one) => one.instance === instance)!;
      // It is never ready: partition after partition it loses what it takes.
      start(name, twin, at, instance).catch(() => {});
      return twin;
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function startServers({ dataDir, isCluster, url }: FleetOptions): Promise<readonly NatsServer[]> {
  const binary = findNatsServer(ROOT);
  if (!binary) throw new Error('no nats-server here: run `npm run setup`');
  if (isCluster) return startCluster(binary, join(dataDir, 'nats'));
  if (url) {
    await provisioned(url);
    return [];
  }
  mkdirSync(dataDir, { recursive: true });
  const server = await startNatsServer({ binary, dataDir: join(dataDir, 'nats'), syncInterval: '100ms' });
  await provisioned(server.url);
  return [server];
}

async function provisioned(url: string): Promise<void> {
  await using broker = await connectBroker({ url, name: 'provisioner' });
  await provisionStreams(broker);
}
