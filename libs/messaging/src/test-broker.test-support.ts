import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectTo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type InputRejected, inputRejected, type StreamName } from '@orchestrate/contracts';
import { decodeStrict } from './codec.ts';
import { type Broker, connectBroker } from './connect.ts';
import { provisionStreams } from './provision-streams.ts';
import type { StoredMessage } from './stored-message.ts';
import { readStored } from './stream-reader.ts';

const INSTALLED = join(import.meta.dirname, '../../../.orchestrate/bin/nats-server');

const started = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of started) child.kill('SIGKILL');
});

/** A nats-server that a test may kill. It comes back on the same port and store. */
export interface TestServer {
  readonly url: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** A nats-server of its own with all streams, and connections to it; ends with everything that was connected. */
export interface TestBroker extends AsyncDisposable {
  readonly nats: TestServer;
  readonly broker: Broker;
  connect(name: string): Promise<Broker>;
  /** Plays the accident, and brings the server back on the same store. */
  killAndRestart(awayMs?: number): Promise<void>;
  /** What was rejected so far, oldest first. */
  rejections(): Promise<InputRejected[]>;
}

export async function startTestBroker(): Promise<TestBroker> {
  await using opened = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'messaging-'));
  opened.defer(() => rmSync(dataDir, { recursive: true }));
  const nats = await startServer(dataDir);
  opened.defer(() => nats.kill());
  const connect = (name: string) => connectBroker({ url: nats.url, name });
  const broker = opened.use(await connect('test'));
  await provisionStreams(broker);
  const all = opened.move();
  return {
    nats,
    broker,
    connect: async (name) => all.use(await connect(name)),
    async killAndRestart(awayMs = 0) {
      await nats.kill();
      await sleep(awayMs);
      await nats.restart();
    },
    async rejections() {
      const messages = await stored(broker, 'REJECTED', 'rejected.*.*');
      return messages.map((message) => decodeStrict(inputRejected, message.data));
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Started here and not by the platform's package: that one stands above this one. */
async function startServer(dataDir: string): Promise<TestServer> {
  const port = await freePort();
  const launch = async (): Promise<ChildProcess> => {
    const options = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', dataDir];
    const child = spawn(existsSync(INSTALLED) ? INSTALLED : 'nats-server', options, { stdio: 'ignore' });
    started.add(child);
    const failed = once(child, 'exit').then(() =>
      Promise.reject(new Error('no nats-server: run `npm run setup`')),
    );
    failed.catch(() => {});
    await Promise.race([answering(port), failed]);
    return child;
  };
  let child = await launch();
  return {
    url: `nats://127.0.0.1:${port}`,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
    async restart() {
      child = await launch();
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** JetStream is recovered before the server listens. */
async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    const socket = connectTo(port, '127.0.0.1');
    const isUp = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (isUp) return;
    await sleep(10);
  }
  throw new Error('nats-server does not answer');
}

/** Everything that a stream holds on these subjects, oldest first. */
export async function stored(broker: Broker, stream: StreamName, filter: string): Promise<StoredMessage[]> {
  const found: StoredMessage[] = [];
  for await (const message of readStored(broker, { stream, filters: [filter], fromSeq: 1 }))
    found.push(message);
  return found;
}

export const jsonOf = <T>(message: { readonly data: Uint8Array }): T =>
  JSON.parse(Buffer.from(message.data).toString()) as T;

/** Asks again until the answer is there; fails with what was seen last. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleep(30);
  }
  throw new Error(`${what} did not happen within ${withinMs} ms; last: ${String(last)}`);
}
