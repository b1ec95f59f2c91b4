import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer, startNatsServer } from '@orchestrate/embedded';
import { type Broker, connectBroker, provisionStreams } from '@orchestrate/messaging';

/** A nats-server of its own with all streams, and connections to it. */
export interface TestBroker extends AsyncDisposable {
  readonly broker: Broker;
  connect(name: string): Promise<Broker>;
}

export async function startTestBroker(): Promise<TestBroker> {
  await using opened = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), 'evidence-probes-'));
  opened.defer(() => rmSync(dataDir, { recursive: true }));
  const binary = findNatsServer(join(import.meta.dirname, '../../..'));
  if (!binary) throw new Error('no nats-server here: run `npm run setup`');
  const nats = opened.use(await startNatsServer({ binary, dataDir, syncInterval: '100ms' }));
  const connect = (name: string) => connectBroker({ url: nats.url, name });
  const broker = opened.use(await connect('test'));
  await provisionStreams(broker);
  const all = opened.move();
  return {
    broker,
    connect: async (name) => all.use(await connect(name)),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
