import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { commandLine, identify, isSameProcess, type ProcessIdentity } from './process-identity.ts';

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;
const RANDOM_PORT = -1;

export interface NatsServerOptions {
  binary: string;
  /** The server's own directory: configuration, log and JetStream store. */
  dataDir: string;
  /** `always` survives power loss; a duration such as `100ms` may lose that much of it then. */
  syncInterval: string;
  memoryLimitMiB?: number;
  /** A random free one when absent. */
  port?: number;
  /** As one server of a cluster: its name, where it listens for the others, and where all of them do. */
  cluster?: { server: string; port: number; routes: readonly number[] };
  /** The process ended though nobody called `stop` or `restart`; `kill` counts as the accident it plays. */
  onUnexpectedExit?: (exit: NatsExit) => void;
}

export interface NatsExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly monitoringUrl: string;
  /** Of the current process: changes with every restart. */
  readonly pid: number;
  readonly dataDir: string;
  readonly exited: Promise<NatsExit>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Same port, same store. Concurrent calls are one restart. */
  restart(): Promise<void>;
}

interface Running {
  child: ChildProcess;
  pid: number;
  exited: Promise<NatsExit>;
  ports: Ports;
}

interface Ports {
  nats: number;
  monitoring: number;
}

/** A parent that ends in any way that runs its exit handlers leaves no server behind. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGTERM');
});

export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const dataDir = resolve(options.dataDir);
  const expected = new WeakSet<ChildProcess>();
  let restarting: Promise<void> | undefined;

  async function launchWatched(ports: Ports): Promise<Running> {
    const started = await launch({ ...options, dataDir }, ports);
    void started.exited.then((exit) => {
      if (!expected.has(started.child)) options.onUnexpectedExit?.(exit);
    });
    return started;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    running.child.kill(signal);
    const timer = setTimeout(() => running.child.kill('SIGKILL'), STOP_MS_MAX);
    await running.exited;
    clearTimeout(timer);
  }

  let running = await launchWatched({ nats: options.port ?? RANDOM_PORT, monitoring: RANDOM_PORT });
  const { ports } = running;

  const server: NatsServer = {
    url: `nats://127.0.0.1:${ports.nats}`,
    monitoringUrl: `http://127.0.0.1:${ports.monitoring}`,
    dataDir,
    get pid() {
      return running.pid;
    },
    get exited() {
      return running.exited;
    },
    async stop() {
      await restarting?.catch(() => {});
      expected.add(running.child);
      await end('SIGTERM');
    },
    kill: () => end('SIGKILL'),
    restart() {
      restarting ??= (async () => {
        expected.add(running.child);
        await end('SIGTERM');
        running = await launchWatched(ports);
      })().finally(() => {
        restarting = undefined;
      });
      return restarting;
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
  return server;
}

/** Resolves once the server has published its ports, which it does when it is ready for clients. */
async function launch(options: NatsServerOptions, ports: Ports): Promise<Running> {
  const files = filesIn(options.dataDir);
  rmSync(files.ports, { recursive: true, force: true });
  mkdirSync(files.ports, { recursive: true });
  writeFileSync(files.config, configuration(options, ports));

  // Logs go to a file: behind a pipe the server would die of SIGPIPE at its next line once nobody reads it.
  // Its own process group: a ^C in the terminal must reach the services first, and they still need the server.
  const child = spawn(options.binary, ['-c', files.config], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, GOMEMLIMIT: `${options.memoryLimitMiB ?? 400}MiB` },
  });
  alive.add(child);
  const exited = once(child, 'exit').then(
    ([code, signal]): NatsExit => ({ code, signal }),
    (): NatsExit => ({ code: null, signal: null }),
  );
  let ended = false;
  void exited.then(() => {
    ended = true;
    alive.delete(child);
  });
  let spawnError: Error | undefined;
  child.once('error', (error) => {
    spawnError = error;
  });

  const deadline = Date.now() + START_MS_MAX;
  while (!ended && Date.now() < deadline) {
    const published = readPorts(files.ports);
    if (published && child.pid) return { child, pid: child.pid, exited, ports: published };
    await sleep(5);
  }
  child.kill('SIGKILL');
  const problem = spawnError?.message ?? (ended ? 'it ended' : `not ready after ${START_MS_MAX / 1000} s`);
  throw new Error(`nats-server did not start (${problem})${tailOf(files.log)}`, { cause: spawnError });
}

function filesIn(dataDir: string) {
  return {
    config: join(dataDir, 'nats.conf'),
    log: join(dataDir, 'nats.log'),
    pid: join(dataDir, 'nats.pid'),
    ports: join(dataDir, 'ports'),
    store: join(dataDir, 'jetstream'),
  };
}

function configuration(options: NatsServerOptions, ports: Ports): string {
  const files = filesIn(options.dataDir);
  const quoted = (text: string) => JSON.stringify(text);
  const { cluster } = options;
  const routes = cluster?.routes.map((port) => quoted(`nats://127.0.0.1:${port}`)).join(', ');
  return `server_name: ${quoted(cluster?.server ?? 'embedded')}
host: "127.0.0.1"
port: ${ports.nats}
http: "127.0.0.1:${ports.monitoring}"
pid_file: ${quoted(files.pid)}
ports_file_dir: ${quoted(files.ports)}
log_file: ${quoted(files.log)}
logfile_size_limit: 10MB
logfile_max_num: 3
jetstream {
  store_dir: ${quoted(files.store)}
  sync_interval: ${quoted(options.syncInterval)}
  # The streams may grow to what they declare; whether the disk has room for it is for the doctor to say, or a
  # smaller disk would refuse to start with streams that are nearly empty.
  max_file: 1TB
}
${cluster ? `cluster { name: "embedded", listen: "127.0.0.1:${cluster.port}", routes: [${routes}] }\n` : ''}`;
}

const portsSchema = z.object({ nats: z.array(z.string()).min(1), monitoring: z.array(z.string()).min(1) });

/** The server names the file after its binary and pid; it may be seen half written. */
function readPorts(directory: string): Ports | null {
  const file = readdirSync(directory).find((name) => name.endsWith('.ports'));
  if (!file) return null;
  try {
    const published = portsSchema.parse(JSON.parse(readFileSync(join(directory, file), 'utf8')));
    const port = (urls: string[]) => Number(new URL(urls[0]!).port);
    return { nats: port(published.nats), monitoring: port(published.monitoring) };
  } catch {
    return null;
  }
}

function tailOf(log: string): string {
  try {
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-8);
    return `; the end of \`${log}\`:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  } catch {
    return '; it wrote no log';
  }
}

/**
 * Stops a nats-server that outlived the platform which started it: two servers on one store both come up, and
 * damage it. Candidates are the process of a left-over run file and the pid the server itself wrote down; proof
 * is that its command line names this directory's configuration. Answers whether there was one.
 */
export async function stopOrphanedNatsServer(
  natsDataDir: string,
  remembered: ProcessIdentity | null,
): Promise<boolean> {
  const files = filesIn(resolve(natsDataDir));
  const candidates = [
    remembered && isSameProcess(remembered) ? remembered : null,
    identify(readPid(files.pid)),
  ];
  const orphan = candidates.find((candidate) => candidate && isServerOf(files.config, candidate.pid));
  if (!orphan) return false;

  process.kill(orphan.pid, 'SIGTERM');
  const deadline = Date.now() + STOP_MS_MAX;
  while (isSameProcess(orphan)) {
    await sleep(20);
    if (Date.now() > deadline && isSameProcess(orphan)) process.kill(orphan.pid, 'SIGKILL');
  }
  return true;
}

const isServerOf = (config: string, pid: number) =>
  commandLine(pid).some((word) => word === config || word.endsWith(`-c ${config}`));

function readPid(path: string): number {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || 0;
  } catch {
    return 0;
  }
}
