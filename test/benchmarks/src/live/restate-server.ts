import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { waitFor } from './wait.ts';

const HOME = join(import.meta.dirname, '../../restate-server');
const INSTALL_MS_MAX = 300_000;
const STOP_MS_MAX = 10_000;

const binary = (): string | undefined =>
  globSync('node_modules/@restatedev/restate-server-*/bin/restate-server', { cwd: HOME })[0];

/** Where the server is, installed when it is not there yet; null and a printed reason when it cannot be had. */
export async function ensureRestateServer(print: (text: string) => void): Promise<string | null> {
  const found = binary();
  if (found) return join(HOME, found);
  print('  installing the Restate server, about 220 MB, into test/benchmarks/restate-server\n');
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
  const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  try {
    await promisify(execFile)(command!, [...args, ...install], { cwd: HOME, timeout: INSTALL_MS_MAX });
  } catch (error) {
    print(`  skipped: the Restate server cannot be installed (${(error as Error).message.split('\n')[0]})\n`);
    return null;
  }
  const installed = binary();
  if (installed) return join(HOME, installed);
  print(`  skipped: there is no Restate server for ${process.platform} ${process.arch}\n`);
  return null;
}

/** A single node with its defaults, on loopback and on a store of its own. */
export class RestateServer implements AsyncDisposable {
  readonly ingressUrl: string;
  readonly adminUrl: string;
  readonly #child: ChildProcess;
  readonly #dataDir: string;

  private constructor(ports: { ingress: number; admin: number }, child: ChildProcess, dataDir: string) {
    this.ingressUrl = `http://127.0.0.1:${ports.ingress}`;
    this.adminUrl = `http://127.0.0.1:${ports.admin}`;
    this.#child = child;
    this.#dataDir = dataDir;
  }

  static async start(path: string, { fsync }: { readonly fsync: boolean }): Promise<RestateServer> {
    const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-bench-restate-'));
    const [node, ingress, admin] = await Promise.all([freePort(), freePort(), freePort()]);
    const config = join(dataDir, 'restate.toml');
    const log = join(dataDir, 'restate.log');
    writeFileSync(config, configuration({ dataDir, node, ingress, admin, fsync }));
    const output = openSync(log, 'a');
    const child = spawn(path, ['--no-logo', '--config-file', config], {
      stdio: ['ignore', output, output],
      env: { PATH: process.env.PATH, DO_NOT_TRACK: '1' },
    });
    process.once('exit', () => {
      child.kill('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    });
    const server = new RestateServer({ ingress, admin }, child, dataDir);
    const answers = async (url: string) => (await fetch(url).catch(() => null))?.ok === true;
    try {
      await waitFor(
        'an answer of the Restate server',
        async () =>
          (await answers(`${server.adminUrl}/health`)) && answers(`${server.ingressUrl}/restate/health`),
        { withinMs: 60_000 },
      );
    } catch (error) {
      const tail = existsSync(log)
        ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5).join('\n  ')
        : '';
      await server[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}; its last lines:\n  ${tail}`, { cause: error });
    }
    return server;
  }

  async register(port: number): Promise<void> {
    await this.#post('/deployments', { uri: `http://127.0.0.1:${port}` });
  }

  /** Rows of its own tables. */
  async query<Row>(sql: string): Promise<readonly Row[]> {
    const { rows } = (await this.#post('/query', { query: sql })) as { rows: readonly Row[] };
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
      await ended;
      clearTimeout(timer);
    }
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async #post(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.adminUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}

interface Settings {
  readonly dataDir: string;
  readonly node: number;
  readonly ingress: number;
  readonly admin: number;
  readonly fsync: boolean;
}

/** Its defaults but for where it listens; by default it waits for the disk with each batch that it writes. */
function configuration({ dataDir, node, ingress, admin, fsync }: Settings): string {
  return `node-name = "bench"
base-dir = ${JSON.stringify(join(dataDir, 'store'))}
listen-mode = "tcp"
bind-ip = "127.0.0.1"
bind-port = ${node}
advertised-host = "127.0.0.1"
disable-telemetry = true
log-filter = "warn"

[ingress]
bind-port = ${ingress}

[admin]
bind-port = ${admin}
disable-web-ui = true

[log-server]
rocksdb-disable-wal-fsync = ${!fsync}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
