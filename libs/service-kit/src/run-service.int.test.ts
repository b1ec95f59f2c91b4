import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findNatsServer, type NatsServer, startNatsServer } from '@orchestrate/embedded';
import { afterAll, beforeAll, expect, test } from 'vitest';

let directory: string;
let nats: NatsServer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'service-kit-'));
  const binary = findNatsServer(join(import.meta.dirname, '../../..'));
  if (!binary) throw new Error('no nats-server here: run `npm run setup`');
  nats = await startNatsServer({ binary, dataDir: join(directory, 'nats'), syncInterval: '100ms' });
});
afterAll(async () => {
  await nats.stop();
  rmSync(directory, { recursive: true });
});

const KIT = pathToFileURL(join(import.meta.dirname, 'index.ts')).href;

function service(start: string, name = 'tiny'): string {
  const file = join(directory, `${crypto.randomUUID()}.mjs`);
  writeFileSync(
    file,
    `import { runService, wholeNumber } from '${KIT}';
     await runService({ name: '${name}', environment: { STEPS: wholeNumber(1, 9).describe('1 to 9') },
       start: async (context) => { ${start} } });`,
  );
  return file;
}

const OBEDIENT = `
  await context.broker.nc.flush();
  return {
    health: () => ({ ok: context.environment.STEPS < 9, detail: { steps: context.environment.STEPS } }),
    close: async () => { console.log('closed while connected: ' + !context.broker.nc.isClosed()); },
  };`;

interface Child {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly ready: Promise<{ type: string; healthPort: number }>;
  readonly exit: Promise<{ code: number | null }>;
}

function run(file: string, environment: NodeJS.ProcessEnv = {}): Child {
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH, NATS_URL: nats.url, STEPS: '3', ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  // not `close`: it never comes for a child whose channel was cut on this side
  const ended = [once(child, 'exit'), once(child.stdout!, 'close'), once(child.stderr!, 'close')] as const;
  const exit = Promise.all(ended).then(([[code]]) => ({ code: code as number | null }));
  const ready = once(child, 'message').then(([message]) => message as { type: string; healthPort: number });
  return { process: child, output: () => output, ready, exit };
}

test('a service says when it is ready, answers for its health, and closes in order on SIGTERM', async () => {
  const child = run(service(OBEDIENT));
  const ready = await child.ready;
  expect(ready).toEqual({ type: 'ready', healthPort: expect.any(Number) });

  const response = await fetch(`http://127.0.0.1:${ready.healthPort}/healthz`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    ok: true,
    service: 'tiny',
    instance: expect.stringMatching(/^tiny-[a-z0-9-]*-\d+$/),
    life: expect.stringMatching(/^[0-9a-f-]{36}$/),
    connected: true,
    steps: 3,
  });
  expect((await fetch(`http://127.0.0.1:${ready.healthPort}/`)).status).toBe(404);

  child.process.kill('SIGTERM');
  expect(await child.exit).toEqual({ code: 0 });
  expect(child.output()).toContain('closed while connected: true');
});

test('a service shows its metrics beside its health, in the format that Prometheus asks for', async () => {
  const child = run(service(OBEDIENT), { ORCHESTRATE_INSTANCE: 'tiny-8' });
  const { healthPort } = await child.ready;
  const url = `http://127.0.0.1:${healthPort}/metrics`;
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  expect(text).toContain('target_info{service_name="tiny",service_instance_id="tiny-8"} 1\n');
  expect(text).toContain('\norchestrate_healthy 1\n');
  expect(text).toContain('\norchestrate_broker_connected 1\n');
  expect(Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(0);

  const head = await fetch(url, { method: 'HEAD' });
  expect(head.status).toBe(200);
  expect(head.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await head.text()).toBe('');
  expect((await fetch(url, { method: 'POST' })).status).toBe(405);
  child.process.kill('SIGTERM');
  expect(await child.exit).toEqual({ code: 0 });
});

test('a service that cannot tell a figure says 500 and goes on', async () => {
  const child = run(
    service(`
      const broken = { table: { tea_total: { kind: 'counter', help: 'Tea' } },
        read: async () => { throw new Error('out of tea'); } };
      return { health: () => ({ ok: true, detail: {} }), metrics: [broken], close: async () => {} };`),
  );
  const { healthPort } = await child.ready;
  const response = await fetch(`http://127.0.0.1:${healthPort}/metrics`);
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({ error: 'out of tea' });
  expect((await fetch(`http://127.0.0.1:${healthPort}/healthz`)).status).toBe(200);
  child.process.kill('SIGTERM');
  expect(await child.exit).toEqual({ code: 0 });
});

test('a service that is not well says 503', async () => {
  const child = run(service(OBEDIENT), { STEPS: '9' });
  const { healthPort } = await child.ready;
  expect((await fetch(`http://127.0.0.1:${healthPort}/healthz`)).status).toBe(503);
  child.process.kill('SIGINT');
  expect(await child.exit).toEqual({ code: 0 });
});

test('a service ends by itself when its supervisor is gone', async () => {
  const child = run(service(OBEDIENT), { ORCHESTRATE_INSTANCE: 'tiny-7' });
  await child.ready;
  child.process.disconnect();
  expect(await child.exit).toEqual({ code: 0 });
  expect(child.output()).toContain('"instance":"tiny-7"');
});

test('a wrong environment ends with code 2 and plain sentences', async () => {
  const child = run(service(OBEDIENT), { STEPS: 'many', HEALTH_PORT: '-1' });
  expect(await child.exit).toEqual({ code: 2 });
  expect(child.output()).toBe(
    'tiny: environment variable `HEALTH_PORT` cannot be used as it is: it takes a port, 0 to 65535; 0 takes a free one\n' +
      'tiny: environment variable `STEPS` cannot be used as it is: it takes 1 to 9\n',
  );
});

test.each([
  ['cannot start', `throw new Error('no such thing');`, 'no such thing'],
  [
    'says that it cannot go on',
    `setTimeout(() => context.stop(new Error('lost the thread')), 50); ${OBEDIENT}`,
    'closed',
  ],
  [
    'leaves a rejection unhandled',
    `setTimeout(() => Promise.reject(new Error('oops')), 50); ${OBEDIENT}`,
    'oops',
  ],
])('a service that %s ends with code 1', async (_, start, says) => {
  const child = run(service(start));
  child.ready.catch(() => {});
  expect(await child.exit).toEqual({ code: 1 });
  expect(child.output()).toContain(says);
});

test('a service that starts before nats-server waits for it', async () => {
  const port = new URL(nats.url).port;
  await nats.stop();
  const child = run(service(OBEDIENT));
  while (!child.output().includes('does not answer yet'))
    await new Promise((resolve) => setTimeout(resolve, 20));
  await nats.restart();
  await child.ready;
  expect(new URL(nats.url).port).toBe(port);
  child.process.kill('SIGTERM');
  expect(await child.exit).toEqual({ code: 0 });
});
