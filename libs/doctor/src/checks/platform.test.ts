import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeRunLock } from '@orchestrate/embedded';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runFile, surroundings } from '../surroundings.test-support.ts';
import { checkPlatform, judgePlatform, type PlatformFound } from './platform.ts';

const well: PlatformFound = {
  upForMs: 5_000,
  isLockHeld: true,
  isNatsAlive: true,
  services: [{ instance: 'layer-runtime-1', problem: null }],
};

test.each<[string, Partial<PlatformFound>, string]>([
  ['all well', {}, 'ok'],
  ['nats-server gone', { isNatsAlive: false }, 'fail'],
  ['a lock that nobody holds', { isLockHeld: false }, 'fail'],
  ['a service that is not well', { services: [{ instance: 'a-1', problem: 'partition 3 is red' }] }, 'fail'],
])('%s', (_, overrides, status) => {
  expect(judgePlatform({ ...well, ...overrides })).toMatchObject({ status });
});

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'platform-check-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test('nothing running is no failure, and a lock without a run file is a platform on its way', async () => {
  expect(await checkPlatform(surroundings({ dataDir }))).toMatchObject({
    status: 'skipped',
    remedy: expect.stringContaining('npm start'),
  });
  const lock = takeRunLock(dataDir);
  expect(await checkPlatform(surroundings({ dataDir }))).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining(`starting or stopping (pid ${process.pid})`),
  });
  lock.release();
});

test('services are named with their own words for what is wrong', async () => {
  const answers: Record<string, object> = {
    red: { ok: false, connected: true, red: ['partition 3: version 2.0'] },
    away: { ok: false, connected: false },
    well: { ok: true },
  };
  const servers = await Promise.all(
    Object.values(answers).map(async (body) => {
      const server = createServer((_, response) => response.end(JSON.stringify(body))).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const lock = takeRunLock(dataDir);
  const services = Object.keys(answers).map((name, index) => ({
    name,
    instance: `${name}-1`,
    pid: process.pid,
    healthPort: (servers[index]!.address() as AddressInfo).port,
  }));
  const dead = { name: 'dead', instance: 'dead-1', pid: null, healthPort: null };
  const waking = { name: 'waking', instance: 'waking-1', pid: process.pid, healthPort: null };
  const run = runFile({ services: [...services, dead, waking] });
  const judged = await checkPlatform(surroundings({ dataDir, local: { kind: 'up', run } }));
  lock.release();
  for (const server of servers) server.close();
  expect(judged).toMatchObject({
    status: 'fail',
    detail:
      'red-1: partition 3: version 2.0; away-1: it has no connection to nats-server; dead-1: its process has ended; waking-1: it is not ready yet',
    data: { services: 5, unwell: 4 },
  });
});
