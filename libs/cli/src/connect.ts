import { attach } from '@orchestrate/embedded';
import { type Broker, connectBroker } from '@orchestrate/messaging';
import type { Command } from 'commander';
import { Failure } from './failure.ts';

export interface GlobalOptions {
  readonly dataDir: string;
  readonly natsUrl?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export const globalOptions = (command: Command): GlobalOptions => command.optsWithGlobals<GlobalOptions>();

/** Runs with a connection to the platform on this machine, or to the server that the options name. */
export async function withBroker<T>(command: Command, use: (broker: Broker) => Promise<T>): Promise<T> {
  const { dataDir, natsUrl } = globalOptions(command);
  const url = natsUrl || attach(dataDir);
  if (!url) throw noPlatform(dataDir);
  await using broker = await connected(url);
  return await use(broker);
}

export const noPlatform = (dataDir: string): Failure =>
  new Failure(
    'unreachable',
    `no platform runs in ${dataDir}: start one with \`npm start\`, or name a server with --nats-url`,
  );

async function connected(url: string): Promise<Broker> {
  try {
    return await connectBroker({ url, name: 'orchestrate-cli' });
  } catch (error) {
    throw new Failure(
      'unreachable',
      `cannot reach nats-server at ${url}: is the platform up? (${(error as Error).message})`,
      { cause: error },
    );
  }
}
