import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Policy } from '@orchestrate/canon';
import { readPolicyFile } from '@orchestrate/client';
import { type Platform, startPlatform } from '@orchestrate/embedded';
import {
  activatePolicy,
  type Broker,
  connectBroker,
  provisionStreams,
  type StreamsFile,
} from '@orchestrate/messaging';

const ROOT = new URL('../..', import.meta.url).pathname;

export const DEFAULT_POLICY: Policy = readPolicyFile();

/** The default policy without waiting between two messages of a mailbox. */
export const GAPLESS_POLICY: Policy = {
  ...DEFAULT_POLICY,
  pacing: { ...DEFAULT_POLICY.pacing, minGapSec: 0 },
};

export interface PlatformFixture {
  readonly platform: Platform;
  readonly broker: Broker;
  readonly log: readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** A whole platform on a fresh store: one nats-server and one process per named service, ended with the test. */
export async function startPlatformFixture(options: {
  readonly services: readonly { name: string; instance?: string }[];
  readonly policy?: Policy;
  /** Default: as this checkout declares them. */
  readonly streams?: StreamsFile;
  readonly env?: Record<string, string>;
}): Promise<PlatformFixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'orchestrate-test-'));
  const log: string[] = [];
  const platform = await startPlatform({
    root: ROOT,
    dataDir,
    syncInterval: '100ms',
    services: options.services,
    prepare: async (url) => {
      await using broker = await connectBroker({ url, name: 'provisioner' });
      await provisionStreams(broker, options.streams);
      await activatePolicy(broker, options.policy ?? GAPLESS_POLICY);
    },
    env: { CADENCE_SEC: '1', LOG_LEVEL: 'info', ...options.env },
    onLog: (line) => {
      log.push(line);
      if (process.env.ORCHESTRATE_TEST_LOG) process.stderr.write(`${line}\n`);
    },
  });
  const broker = await connectBroker({ url: platform.natsUrl, name: 'test' });
  return {
    platform,
    broker,
    log,
    async [Symbol.asyncDispose]() {
      await broker.close();
      await platform.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
