import { ownIdentity, type RunFile } from '@orchestrate/embedded';
import { readStreamsFile } from '@orchestrate/messaging';
import type { Surroundings } from './surroundings.ts';

export const CHECKOUT = new URL('../../..', import.meta.url).pathname;

/** A machine on which no platform runs. */
export const surroundings = (overrides: Partial<Surroundings> = {}): Surroundings => ({
  root: CHECKOUT,
  dataDir: '/nowhere',
  env: {},
  nowMs: Date.now,
  streams: readStreamsFile(),
  local: { kind: 'none' },
  isStoreHere: true,
  address: null,
  broker: null,
  problem: null,
  policy: null,
  ...overrides,
});

/** A platform whose processes are all this one. */
export const runFile = (overrides: Partial<RunFile> = {}): RunFile => ({
  version: 1,
  ...ownIdentity(),
  startedAt: new Date().toISOString(),
  nats: { url: 'nats://127.0.0.1:1', monitoringUrl: 'http://127.0.0.1:2', ...ownIdentity() },
  services: [],
  ...overrides,
});
