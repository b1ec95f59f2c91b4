import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PARTITIONS } from '@orchestrate/canon';
import { readPolicyFile } from '@orchestrate/client';
import { layerMarked, ledgerMarked, truthMarked, VERSION } from '@orchestrate/contracts';
import { startPlatform } from '@orchestrate/embedded';
import {
  activatePolicy,
  type Broker,
  connectBroker,
  encode,
  provisionStreams,
  readAt,
  rejectInput,
} from '@orchestrate/messaging';
import { startDnsServer } from '@orchestrate/sandbox';
import { eventually, shardedStreams, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { diagnose } from './diagnose.ts';
import { CHECK_NAMES, type CheckName, doctorReportSchema, type Finding, reportOf } from './finding.ts';
import { CHECKOUT } from './surroundings.test-support.ts';
import type { DiagnoseOptions } from './surroundings.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** Every finding by its check; each run has all of them, in order and in the shape that is promised. */
async function examine(options: Partial<DiagnoseOptions> = {}): Promise<Record<CheckName, Finding>> {
  await using dns = await startDnsServer({ behaviours: { '.': 'refused' } });
  const env = { PATH: process.env.PATH, DNS_SERVERS: dns.address };
  const findings = await Array.fromAsync(diagnose({ root: CHECKOUT, dataDir, env, ...options }));
  expect(findings.map(({ check }) => check)).toEqual([...CHECK_NAMES]);
  const report = reportOf(findings);
  expect(doctorReportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  return Object.fromEntries(findings.map((finding) => [finding.check, finding])) as Record<
    CheckName,
    Finding
  >;
}

const statusesOf = (findings: Record<CheckName, Finding>) =>
  Object.fromEntries(Object.values(findings).map(({ check, status }) => [check, status]));

const NEEDS_PLATFORM = ['clock', 'streams', 'policy', 'marks', 'rejected'] as const;

describe('without a platform', () => {
  test('what concerns the machine is examined and the rest is skipped with what to do', async () => {
    const findings = await examine();
    expect(statusesOf(findings)).toMatchObject({ node: 'ok', fsync: 'ok', ports: 'ok', resolver: 'ok' });
    for (const check of [...NEEDS_PLATFORM, 'platform'] as const) {
      expect(findings[check]).toMatchObject({
        status: 'skipped',
        remedy: expect.stringContaining('npm start'),
      });
    }
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test('a run file of garbage is named, and the other checks go on', async () => {
    writeFileSync(join(dataDir, 'run.json'), 'garbage');
    const findings = await examine();
    expect(findings.platform).toMatchObject({
      status: 'fail',
      detail: expect.stringMatching(/run file `.*run\.json` cannot be read/),
    });
    expect(findings.streams.status).toBe('skipped');
    expect(findings.ports.status).toBe('ok');
  });

  test('a file in the place of the data directory fails where the store would be', async () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    const findings = await examine({ dataDir: file });
    expect(statusesOf(findings)).toMatchObject({
      disk_space: 'fail',
      fsync: 'fail',
      platform: 'skipped',
      ports: 'ok',
    });
  });

  test('a server that does not answer fails once, without the password of its address', async () => {
    const findings = await examine({ natsUrl: 'nats://user:hunter2@127.0.0.1:1' });
    expect(findings.platform).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('nats-server at 127.0.0.1:1 cannot be reached'),
    });
    for (const check of NEEDS_PLATFORM) expect(findings[check].status).toBe('skipped');
    expect(findings.disk_space.status).toBe('skipped');
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });
});

test('a platform that is up and well has nothing that fails', async () => {
  const services = ['layer-runtime', 'truth-aggregator', 'dispatch-governance'];
  const platform = await startPlatform({
    root: CHECKOUT,
    dataDir,
    syncInterval: '100ms',
    services: services.map((name) => ({ name })),
    env: { CADENCE_SEC: '1' },
    prepare: async (url) => {
      await using broker = await connectBroker({ url, name: 'provisioner' });
      await provisionStreams(broker);
      await activatePolicy(broker, readPolicyFile());
    },
  });
  try {
    const findings = await examine();
    expect(Object.values(findings).filter(({ status }) => status === 'fail')).toEqual([]);
    expect(statusesOf(findings)).toMatchObject({
      nats_server: 'ok',
      clock: 'ok',
      ports: 'ok',
      platform: 'ok',
      streams: 'ok',
      policy: 'ok',
      rejected: 'ok',
    });
    expect(findings.platform.data).toMatchObject({ isUp: true, services: 3, unwell: 0, isLockHeld: true });
    expect(findings.ports.data.asked).toBe(4);
    expect(findings.policy.data.isShipped).toBe(true);
    expect(findings.nats_server.data.serverVersion).toMatch(/^\d+\.\d+\.\d+/);
    expect(['ok', 'warn']).toContain(findings.marks.status);

    const named = await examine({ natsUrl: platform.natsUrl });
    expect(named.platform.data.services).toBe(3);
    expect(named.fsync.status).toBe('ok');
  } finally {
    await platform.stop();
  }
});

describe('on a server that is named', () => {
  let server: TestBroker;
  let broker: Broker;
  beforeEach(async () => {
    server = await startTestBroker();
    broker = server.broker;
  });
  afterEach(() => server[Symbol.asyncDispose]());
  const look = (options: Partial<DiagnoseOptions> = {}) => examine({ natsUrl: server.nats.url, ...options });

  /** Marks of now in every partition, but for those whose age is given. */
  async function mark(ageMsOf: (subject: string) => number = () => 0): Promise<void> {
    for (const contract of [layerMarked, truthMarked, ledgerMarked]) {
      for (let p = 0; p < PARTITIONS; p++) {
        const subject = contract.subject(p);
        const asOfMs = Date.now() - ageMsOf(subject);
        const message = {
          v: VERSION,
          id: randomUUID(),
          p,
          asOfMs,
          inputs: {},
          tenants: 0,
          changed: 0,
          instance: 'a',
        };
        await broker.publisher.publish(subject, encode(contract, message));
      }
    }
  }

  test('all is well with streams, a policy and fresh marks, and the disk of this machine is not judged', async () => {
    await activatePolicy(broker, readPolicyFile());
    await mark();
    expect(statusesOf(await look())).toEqual({
      node: 'ok',
      nats_server: 'ok',
      disk_space: 'skipped',
      fsync: 'skipped',
      clock: 'ok',
      ports: 'ok',
      platform: 'ok',
      streams: 'ok',
      policy: 'ok',
      marks: 'ok',
      rejected: 'ok',
      resolver: 'ok',
      mail: 'skipped',
    });
  });

  test('a limit changed by hand, a missing stream and one that nobody declared are named', async () => {
    await broker.jsm.streams.update('EVIDENCE', { max_bytes: 1_048_576 });
    await broker.jsm.streams.delete('OUTCOMES');
    await broker.jsm.streams.delete('KV_OWNERS');
    await broker.jsm.streams.add({ name: 'STRAY', subjects: ['stray'] });
    const { streams } = await look();
    expect(streams).toMatchObject({
      status: 'fail',
      remedy: expect.stringContaining('orchestrate provision'),
      data: { missing: 2, different: 1, undeclared: 'STRAY' },
    });
    expect(streams.detail).toContain('EVIDENCE has max_bytes 1048576 instead of 4294967296');
    expect(streams.detail).toContain('OUTCOMES is missing');
    expect(streams.detail).toContain('KV_OWNERS is missing');
  });

  test('streams in another number of shards than this checkout declares are no loss, and so it says', async () => {
    const streams = shardedStreams(4);
    expect((await look({ streams })).streams).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining(
        'LAYERS is declared with `"shards": 4` and stands on the server with `"shards": 1`',
      ),
      remedy: expect.stringContaining('nothing is missing'),
    });
    await using sharded = await startTestBroker(streams);
    const findings = await examine({ natsUrl: sharded.nats.url, streams });
    expect(findings.streams.status).toBe('ok');
  });

  test('a stream that is nearly full is named', async () => {
    await broker.jsm.streams.add({ name: 'STRAY', subjects: ['stray'], max_bytes: 10_000 });
    await broker.js.publish('stray', new Uint8Array(8_500));
    const { streams } = await look();
    expect(streams).toMatchObject({ status: 'warn', detail: expect.stringMatching(/STRAY at 8\d %/) });
  });

  test('a server without a single stream says what to do for each check', async () => {
    for await (const { config } of broker.jsm.streams.list()) await broker.jsm.streams.delete(config.name);
    const findings = await look();
    expect(statusesOf(findings)).toMatchObject({
      clock: 'skipped',
      streams: 'fail',
      policy: 'fail',
      marks: 'fail',
    });
    for (const check of NEEDS_PLATFORM) expect(findings[check].remedy).toContain('orchestrate provision');
  });

  test('no policy fails, and one of your own is told from the shipped one', async () => {
    expect((await look()).policy).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('no policy'),
    });
    await activatePolicy(broker, { ...readPolicyFile(), name: 'strict' });
    expect((await look()).policy).toMatchObject({ status: 'ok', data: { name: 'strict', isShipped: false } });
  });

  test('a rejected message is counted and its newest explained', async () => {
    await broker.publisher.publish('evidence.acme.data.crm', Buffer.from('not json'));
    const input = await readAt(broker, 'EVIDENCE', 1);
    await rejectInput(broker, 'layer-runtime', input!, 'not_json', new Error('this is not JSON'));
    const { rejected } = await look();
    expect(rejected).toMatchObject({
      status: 'warn',
      data: { total: 1, 'rejected.EVIDENCE.not_json': 1, newestService: 'layer-runtime' },
      remedy: expect.stringContaining('not_json: the input is not JSON'),
    });
    expect(rejected.detail).toMatch(
      /1 input rejected \(EVIDENCE not_json 1\); \d+ s ago by layer-runtime: EVIDENCE\/1 on \S+: this is not JSON/,
    );
  });

  test('something in REJECTED that is no rejection is counted all the same', async () => {
    await broker.publisher.publish('rejected.TRUTH.handler_fault', Buffer.from('{}'));
    expect((await look()).rejected).toMatchObject({
      status: 'warn',
      data: { total: 1, newestService: null },
    });
  });

  test('a stale mark is named with its stream and its service', async () => {
    await mark((subject) => (subject === 'truth.5' ? 61_000 : 0));
    const { marks } = await look();
    expect(marks).toMatchObject({
      status: 'fail',
      data: { 'LAYERS.stale': 0, 'TRUTH.stale': 1, 'TRUTH.missing': 0, 'LEDGER.stale': 0 },
      remedy: expect.stringContaining('look at truth-aggregator:'),
    });
  });

  test('the policy says how old a mark may be', async () => {
    const policy = readPolicyFile();
    await activatePolicy(broker, { ...policy, dispatch: { ...policy.dispatch, cadenceSec: 300 } });
    await mark(() => 500_000);
    expect((await look()).marks).toMatchObject({ status: 'ok', data: { ageMsMax: 600_000 } });
  });

  test.each([
    [0, 'ok'],
    [1_000, 'warn'],
    [-1_000, 'warn'],
    [5_000, 'fail'],
    [600_000, 'fail'],
  ])('a clock that differs by %d ms is %s, and does not make marks old', async (offMs, status) => {
    await mark();
    const findings = await look({ nowMs: () => Date.now() + offMs });
    expect(findings.clock.status).toBe(status);
    expect(findings.clock.data.offsetMs).toBeGreaterThan(-offMs - 400);
    expect(findings.clock.data.offsetMs).toBeLessThan(-offMs + 400);
    expect(findings.marks.status).toBe('ok');
  });

  test('a broker that ends in the middle of it leaves findings, not an error', async () => {
    const run = diagnose({ root: CHECKOUT, dataDir, natsUrl: server.nats.url, env: {} });
    expect((await run.next()).value).toMatchObject({ check: 'node' });
    await server.nats.kill();
    const rest = await Array.fromAsync(run);
    expect(rest.map(({ check }) => check)).toEqual(CHECK_NAMES.slice(1));
    expect(rest.find(({ check }) => check === 'streams')).toMatchObject({ status: 'fail' });
    await server.nats.restart();
  });

  test('who stops looking leaves no connection behind', async () => {
    for await (const { check } of diagnose({ root: CHECKOUT, dataDir, natsUrl: server.nats.url, env: {} })) {
      if (check === 'nats_server') break;
    }
    // The server hears of the end of a connection in its own time.
    await eventually('only our own connection is left', async () => {
      const page = await fetch(`${server.nats.monitoringUrl}/connz`);
      const { connections } = (await page.json()) as { connections: { name: string }[] };
      return connections.map(({ name }) => name).join() === 'test';
    });
  });
});
