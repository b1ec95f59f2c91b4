import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readableLogLine } from './log-line.ts';
// biome-ignore lint/correctness/useImportExtensions: plain JavaScript; its types are in nats-binary.d.mts
import { ensureNatsServer } from './nats-binary.mjs';
import { type NatsServer, startNatsServer, stopOrphanedNatsServer } from './nats-process.ts';
import { nodeFlagsOf } from './node-flags.ts';
import { identify, isSameProcess, ownIdentity } from './process-identity.ts';
import { type RunFile, readRunFile, removeRunFile, writeRunFile } from './run-file.ts';
import { takeRunLock } from './run-lock.ts';
import { Supervisor } from './supervisor.ts';

const NATS_BACKOFF_MS_MAX = 5_000;

export interface PlatformOptions {
  /** The checkout: services are found at `services/<name>/src/main.ts` below it. */
  root: string;
  /** Everything that must outlive the process: lock, run file, JetStream store. */
  dataDir: string;
  /** `always`, or a duration such as `100ms`: see `NatsServerOptions`. */
  syncInterval: string;
  services: readonly { name: string; instance?: string }[];
  /** Provisions streams, before any service starts. */
  prepare: (natsUrl: string) => Promise<void>;
  env?: Record<string, string>;
  onLog?: (line: string) => void;
  colour?: boolean;
}

export interface Platform {
  readonly natsUrl: string;
  readonly dataDir: string;
  readonly supervisor: Supervisor;
  readonly nats: NatsServer;
  stop(): Promise<void>;
}

/**
 * Starts one nats-server and one process per service on this machine, and keeps them running.
 * Throws `AlreadyRunning` when another process holds the data directory. When any part does not start,
 * everything that did is stopped again.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const root = resolve(options.root);
  const dataDir = resolve(options.dataDir);
  const natsDataDir = join(dataDir, 'nats');
  const print = (instance: string, line: string) =>
    options.onLog?.(readableLogLine(instance, line, { colour: options.colour ?? false }));
  const say = (level: number, msg: string) => print('platform', JSON.stringify({ level, msg }));

  await using started = new AsyncDisposableStack();
  const lock = takeRunLock(dataDir);
  started.defer(() => lock.release());

  const leftOver = leftOverRun(dataDir, (line) => say(40, line));
  if (await stopOrphanedNatsServer(natsDataDir, leftOver?.nats ?? null)) {
    say(40, 'stopped a nats-server that an earlier run had left behind');
  }

  const startedAt = new Date().toISOString();
  let stopping = false;
  const publishRunFile = () => {
    const natsIdentity = identify(nats.pid);
    if (stopping || !natsIdentity) return;
    writeRunFile(dataDir, {
      version: 1,
      ...ownIdentity(),
      startedAt,
      outside: outsideOf({ ...process.env, ...options.env }),
      nats: { url: nats.url, monitoringUrl: nats.monitoringUrl, ...natsIdentity },
      services: supervisor
        .list()
        .map(({ name, instance, pid, healthPort }) => ({ name, instance, pid, healthPort })),
    });
  };

  async function bringNatsBack(): Promise<void> {
    for (let backoffMs = 50; !stopping; backoffMs = Math.min(backoffMs * 2, NATS_BACKOFF_MS_MAX)) {
      try {
        await nats.restart();
        say(40, `nats-server is back on ${nats.url}`);
        return publishRunFile();
      } catch (error) {
        say(50, (error as Error).message);
        await sleep(backoffMs);
      }
    }
  }

  const nats = await startNatsServer({
    binary: await ensureNatsServer({ root, log: (line) => say(30, line) }),
    dataDir: natsDataDir,
    syncInterval: options.syncInterval,
    onUnexpectedExit(exit) {
      if (stopping) return;
      say(50, `nats-server ended unexpectedly (${exit.signal ?? `code ${exit.code}`}), bringing it back`);
      void bringNatsBack();
    },
  });
  started.defer(() => removeRunFile(dataDir));
  started.defer(() => nats.stop());

  const supervisor = new Supervisor({
    root,
    env: { ...process.env, ...options.env, NATS_URL: nats.url, ORCHESTRATE_DATA_DIR: dataDir },
    onLine: print,
    onChange: publishRunFile,
  });
  started.defer(() => supervisor.stopAll());
  started.defer(() => {
    stopping = true;
  });
  publishRunFile();

  await options.prepare(nats.url);
  await Promise.all(
    withInstances(options.services).map(({ name, instance }) =>
      supervisor.start(name, {
        instance,
        entry: join(root, 'services', name, 'src', 'main.ts'),
        flags: nodeFlagsOf(name),
        env: { ORCHESTRATE_INSTANCE: instance },
      }),
    ),
  );

  const running = started.move();
  let stopped: Promise<void> | undefined;
  return {
    natsUrl: nats.url,
    dataDir,
    supervisor,
    nats,
    stop: () => {
      stopped ??= running.disposeAsync();
      return stopped;
    },
  };
}

/** The address of the platform that runs on this data directory, or null when none does. */
export function attach(dataDir: string): string | null {
  const file = readRunFile(resolve(dataDir));
  return file && isSameProcess(file) ? file.nats.url : null;
}

function outsideOf({ DNS_SERVERS, SMTP_URL }: NodeJS.ProcessEnv): NonNullable<RunFile['outside']> {
  const smtp = SMTP_URL && URL.canParse(SMTP_URL) ? new URL(SMTP_URL) : null;
  if (smtp) {
    smtp.username = '';
    smtp.password = '';
  }
  return { ...(DNS_SERVERS ? { DNS_SERVERS } : {}), ...(smtp ? { SMTP_URL: smtp.href } : {}) };
}

/** Whoever holds the lock may pass over a run file that cannot be read: power loss can leave an empty one. */
function leftOverRun(dataDir: string, warn: (line: string) => void) {
  try {
    return readRunFile(dataDir);
  } catch (error) {
    warn((error as Error).message);
    return null;
  }
}

/** The first `truth-aggregator` becomes `truth-aggregator-1`, the second `truth-aggregator-2`. */
function withInstances(services: PlatformOptions['services']) {
  const counts = new Map<string, number>();
  return services.map(({ name, instance }) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return { name, instance: instance ?? `${name}-${count}` };
  });
}
