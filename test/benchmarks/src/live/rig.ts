import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PARTITIONS, type Policy } from '@orchestrate/canon';
import { readPolicyFile } from '@orchestrate/client';
import { evidenceHeartbeat, VERSION } from '@orchestrate/contracts';
import { ensureNatsServer, type NatsServer, startNatsServer } from '@orchestrate/embedded';
import { activatePolicy, type Broker, connectBroker, encode, provisionStreams } from '@orchestrate/messaging';
import { ROOT, ServiceProcess } from './service-process.ts';

export const SYNC_INTERVAL = '100ms';
export const SERVICES = ['layer-runtime', 'truth-aggregator', 'dispatch-governance'] as const;
export type ServiceName = (typeof SERVICES)[number];

const HEARTBEAT_MS = 30_000;
const DEFAULT_POLICY: Policy = readPolicyFile();

/** The default policy without waiting between two messages of a mailbox: what is measured is not the waiting. */
export const GAPLESS_POLICY: Policy = {
  ...DEFAULT_POLICY,
  pacing: { ...DEFAULT_POLICY.pacing, minGapSec: 0 },
};

export interface RigOptions {
  readonly policy?: Policy;
  /** How often layer-runtime marks how far it is, seconds; the policy's cadence when absent. */
  readonly markEverySec?: number;
  /** The cadence of all services, seconds; the policy's when absent. */
  readonly cadenceSec?: number;
  readonly profileDir?: string | undefined;
  /** Of nats-server; the platform's own when absent. */
  readonly memoryLimitMiB?: number;
  /** A store that outlives the run; a fresh one when absent. */
  readonly dataDir?: string;
}

/** A nats-server of its own with all streams, and the services that are started on it, each a process. */
export class Rig implements AsyncDisposable {
  readonly nats: NatsServer;
  readonly broker: Broker;
  readonly #options: RigOptions;
  readonly #dataDir: string;
  readonly #running = new Set<ServiceProcess>();
  readonly #stack: AsyncDisposableStack;
  #heart: NodeJS.Timeout | undefined;

  private constructor(
    options: RigOptions,
    dataDir: string,
    nats: NatsServer,
    broker: Broker,
    stack: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.#dataDir = dataDir;
    this.nats = nats;
    this.broker = broker;
    this.#stack = stack;
  }

  static async start(options: RigOptions = {}): Promise<Rig> {
    await using stack = new AsyncDisposableStack();
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'orchestrate-bench-'));
    if (!options.dataDir) {
      const remove = () => rmSync(dataDir, { recursive: true, force: true });
      process.once('exit', remove);
      stack.defer(remove);
    }
    mkdirSync(dataDir, { recursive: true });
    const binary = await ensureNatsServer({ root: ROOT, log: (line) => process.stderr.write(`${line}\n`) });
    const nats = stack.use(
      await startNatsServer({
        binary,
        dataDir: join(dataDir, 'nats'),
        syncInterval: SYNC_INTERVAL,
        ...(options.memoryLimitMiB ? { memoryLimitMiB: options.memoryLimitMiB } : {}),
      }),
    );
    const broker = stack.use(await connectBroker({ url: nats.url, name: 'bench' }));
    await provisionStreams(broker);
    await activatePolicy(broker, options.policy ?? GAPLESS_POLICY);
    const rig = new Rig(options, dataDir, nats, broker, stack.move());
    await rig.#beat();
    rig.#heart = setInterval(() => void rig.#beat().catch(() => {}), HEARTBEAT_MS);
    return rig;
  }

  /** What stands in the place of a service, from a script beside this one. */
  async startInPlace(name: string): Promise<ServiceProcess> {
    return this.#ours(
      await ServiceProcess.start({
        name,
        instance: name,
        entry: join('test/benchmarks/src/live', `${name}.ts`),
        env: { ...process.env, NATS_URL: this.nats.url },
        logFile: join(this.#dataDir, `${name}.log`),
      }),
    );
  }

  async startService(name: ServiceName, instance = `${name}-1`): Promise<ServiceProcess> {
    const { markEverySec, cadenceSec, profileDir } = this.#options;
    const everySec = (name === 'layer-runtime' ? markEverySec : undefined) ?? cadenceSec;
    const service = await ServiceProcess.start({
      name,
      instance,
      env: {
        ...process.env,
        NATS_URL: this.nats.url,
        LOG_LEVEL: 'warn',
        ...(everySec ? { CADENCE_SEC: String(everySec) } : {}),
      },
      logFile: join(this.#dataDir, `${instance}.log`),
      profileDir,
    });
    return this.#ours(service);
  }

  #ours(service: ServiceProcess): ServiceProcess {
    this.#running.add(service);
    void service.ended().then(() => this.#running.delete(service));
    return service;
  }

  /** So many of each, all at once. */
  async startServices(names: readonly ServiceName[], instances = 1): Promise<readonly ServiceProcess[]> {
    const wanted = names.flatMap((name) =>
      Array.from({ length: instances }, (_, index) => this.startService(name, `${name}-${index + 1}`)),
    );
    return Promise.all(wanted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heart);
    await Promise.all([...this.#running].map((service) => service.stop()));
    await this.#stack.disposeAsync();
  }

  /** What looks at sending windows says that it still looks; nothing changed since. */
  async #beat(): Promise<void> {
    const beats = Array.from({ length: PARTITIONS }, (_, p) => {
      const message = {
        v: VERSION,
        id: randomUUID(),
        p,
        layer: 'continuity_window',
        atMs: Date.now(),
      } as const;
      return this.broker.publisher.publish(evidenceHeartbeat.subject(p), encode(evidenceHeartbeat, message));
    });
    await Promise.all(beats);
  }
}
