import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type InputRejected, inputRejected, type StreamName } from '@orchestrate/contracts';
import { findNatsServer, type NatsServer, startNatsServer } from '@orchestrate/embedded';
import {
  type Broker,
  connectBroker,
  decodeStrict,
  isSharded,
  provisionStreams,
  readStored,
  readStreamsFile,
  type ShardCount,
  type StoredMessage,
  type StreamsFile,
} from '@orchestrate/messaging';

/** A nats-server of its own with all streams, and connections to it; ends with everything that was connected. */
export interface TestBroker extends AsyncDisposable {
  readonly nats: NatsServer;
  readonly broker: Broker;
  connect(name: string): Promise<Broker>;
  /** Plays the accident, and brings the server back on the same store. */
  killAndRestart(awayMs?: number): Promise<void>;
  /** What was rejected so far, oldest first. */
  rejections(): Promise<InputRejected[]>;
}

/** The declared streams, those that can be with so many shards. */
export function shardedStreams(shards: ShardCount): StreamsFile {
  const { streams, ...rest } = readStreamsFile();
  return { ...rest, streams: streams.map((one) => (isSharded(one.name) ? { ...one, shards } : one)) };
}

export async function startTestBroker(streams?: StreamsFile): Promise<TestBroker> {
  await using opened = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-test-'));
  opened.defer(() => rmSync(dataDir, { recursive: true }));
  const binary = findNatsServer(join(import.meta.dirname, '../../..'));
  if (!binary) throw new Error('no nats-server here: run `npm run setup`');
  const nats = opened.use(await startNatsServer({ binary, dataDir, syncInterval: '100ms' }));
  const connect = (name: string) => connectBroker({ url: nats.url, name });
  const broker = opened.use(await connect('test'));
  await provisionStreams(broker, streams);
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

/** Everything that a stream holds on these subjects, oldest first. */
export async function stored(broker: Broker, stream: StreamName, filter: string): Promise<StoredMessage[]> {
  const found: StoredMessage[] = [];
  for await (const message of readStored(broker, { stream, filters: [filter], fromSeq: 1 }))
    found.push(message);
  return found;
}

export const jsonOf = <T>(message: { readonly data: Uint8Array }): T =>
  JSON.parse(Buffer.from(message.data).toString()) as T;
