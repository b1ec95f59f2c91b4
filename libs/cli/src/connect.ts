import { attach } from '@orchestrate/embedded';
import { type Broker, connectBroker } from '@orchestrate/messaging';
import type { Command } from 'commander';

export interface GlobalOptions {
  readonly dataDir: string;
  readonly natsUrl?: string;
  readonly json?: boolean;
}

export const globalOptions = (command: Command): GlobalOptions => command.optsWithGlobals<GlobalOptions>();

/** Runs with a connection to the platform on this machine, or to the server that the options name. */
export async function withBroker<T>(command: Command, use: (broker: Broker) => Promise<T>): Promise<T> {
  const { dataDir, natsUrl } = globalOptions(command);
  const url = natsUrl ?? attach(dataDir);
  if (!url) {
    throw new Error(
      `no platform runs in ${dataDir}: start one with \`npm start\`, or name a server with --nats-url`,
    );
  }
  let broker: Broker;
  try {
    broker = await connectBroker({ url, name: 'orchestrate-cli' });
  } catch (error) {
    throw new Error(`cannot reach nats-server at ${url}: is the platform up? (${(error as Error).message})`);
  }
  try {
    return await use(broker);
  } finally {
    await broker.close();
  }
}
