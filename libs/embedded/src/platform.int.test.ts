import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attach, ensureNatsServer, startNatsServer, startPlatform } from './index.ts';
import { identify, isSameProcess } from './process-identity.ts';
import { readRunFile } from './run-file.ts';

const checkout = join(import.meta.dirname, '../../..');

let root: string;
let dataDir: string;
let log: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'platform-'));
  dataDir = join(root, 'data');
  log = [];
  for (const name of ['alpha', 'beta'])
    writeService(name, `process.send!({ type: 'ready', healthPort: 1 });`);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function writeService(name: string, source: string): void {
  mkdirSync(join(root, 'services', name, 'src'), { recursive: true });
  writeFileSync(
    join(root, 'services', name, 'src', 'main.ts'),
    `console.log(process.env.ORCHESTRATE_INSTANCE, process.env.NATS_URL);
     process.on('disconnect', () => process.exit(0));\n${source}`,
  );
}

async function platformOptions(prepare: (natsUrl: string) => Promise<void> = async () => {}) {
  const services = [{ name: 'alpha' }, { name: 'alpha' }, { name: 'beta' }];
  process.env.ORCHESTRATE_NATS_SERVER = await ensureNatsServer({ root: checkout });
  return {
    root,
    dataDir,
    services,
    prepare,
    syncInterval: '100ms',
    onLog: (line: string) => void log.push(line),
  };
}

/** One request over the plain protocol, which a later restart of the server cannot confuse. */
async function ask(natsUrl: string, subject: string, payload: object): Promise<Record<string, unknown>> {
  const socket = connect(Number(new URL(natsUrl).port), '127.0.0.1');
  const body = JSON.stringify(payload);
  socket.write(
    `CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB ${subject} answer ${body.length}\r\n${body}\r\n`,
  );
  for await (const line of createInterface({ input: socket })) {
    if (line.startsWith('{')) {
      socket.destroy();
      return JSON.parse(line);
    }
  }
  throw new Error(`no answer on ${subject}`);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('a killed nats-server comes back on its port with its streams', async () => {
  const binary = await ensureNatsServer({ root: checkout });
  const unexpected: unknown[] = [];
  await using nats = await startNatsServer({
    binary,
    dataDir,
    syncInterval: 'always',
    onUnexpectedExit: (exit) => unexpected.push(exit),
  });
  const { url, pid } = nats;
  await ask(url, '$JS.API.STREAM.CREATE.KEPT', { name: 'KEPT', subjects: ['kept'], storage: 'file' });
  expect(await ask(url, 'kept', { a: 1 })).toMatchObject({ stream: 'KEPT', seq: 1 });

  await nats.kill();
  expect(await nats.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await nats.restart();
  expect(nats.url).toBe(url);
  expect(nats.pid).not.toBe(pid);
  expect(await ask(url, '$JS.API.STREAM.INFO.KEPT', {})).toMatchObject({ state: { messages: 1 } });
  expect(unexpected).toEqual([{ code: null, signal: 'SIGKILL' }]);
});

test('a nats-server that cannot start says why', async () => {
  const binary = await ensureNatsServer({ root: checkout });
  await using first = await startNatsServer({ binary, dataDir, syncInterval: 'always' });
  const port = Number(new URL(first.url).port);
  await expect(
    startNatsServer({ binary, dataDir: join(root, 'other'), syncInterval: 'always', port }),
  ).rejects.toThrow(/nats-server did not start \(it ended\); the end of .*address already in use/s);
  await expect(
    startNatsServer({ binary: '/nowhere', dataDir: join(root, 'third'), syncInterval: 'always' }),
  ).rejects.toThrow(/nats-server did not start \(spawn \/nowhere ENOENT\)/);
});

test('a platform starts all services after its streams are prepared, and leaves nothing behind', async () => {
  const order: string[] = [];
  const options = await platformOptions(async (natsUrl) => void order.push(natsUrl));
  const platform = await startPlatform(options);
  expect(order).toEqual([platform.natsUrl]);
  expect(platform.supervisor.list().map(({ instance, state }) => `${instance} ${state}`)).toEqual([
    'alpha-1 running',
    'alpha-2 running',
    'beta-1 running',
  ]);
  expect(attach(dataDir)).toBe(platform.natsUrl);
  expect(readRunFile(dataDir)).toMatchObject({
    pid: process.pid,
    services: [{}, {}, { name: 'beta', healthPort: 1 }],
  });
  expect(log.join('\n')).toContain(`beta-1 ${platform.natsUrl}`);

  await expect(startPlatform(options)).rejects.toThrow(expect.objectContaining({ code: 'already_running' }));

  const natsIdentity = identify(platform.nats.pid)!;
  await platform.stop();
  expect(isSameProcess(natsIdentity)).toBe(false);
  expect(existsSync(join(dataDir, 'run.json'))).toBe(false);
  expect(existsSync(join(dataDir, 'lock'))).toBe(false);
});

test('a platform brings its killed nats-server back and tells the run file', async () => {
  const platform = await startPlatform(await platformOptions());
  const { pid } = platform.nats;
  await platform.nats.kill();
  await until(() => readRunFile(dataDir)?.nats.pid !== pid);
  expect(platform.nats.pid).not.toBe(pid);
  expect(log.join('\n')).toMatch(/nats-server ended unexpectedly \(SIGKILL\).*nats-server is back/s);
  expect(platform.supervisor.list().every(({ state }) => state === 'running')).toBe(true);
  await platform.stop();
});

test('when one service does not start, everything else is stopped again', async () => {
  writeService('beta', `console.log('no luck'); process.exit(1);`);
  await expect(startPlatform(await platformOptions())).rejects.toThrow(/service `beta-1` .*no luck/s);
  expect(existsSync(join(dataDir, 'lock'))).toBe(false);
  expect(identify(Number(readFileSync(join(dataDir, 'nats/nats.pid'), 'utf8').trim() || 0))).toBeNull();
});

test('the nats-server of a platform that was killed is stopped by the next start; its services ended by themselves', async () => {
  const options = await platformOptions();
  const script = join(root, 'victim.ts');
  writeFileSync(
    script,
    `import { startPlatform } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
     await startPlatform({ ...${JSON.stringify(options)}, prepare: async () => {} });
     console.log('up');`,
  );
  const victim = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(victim.stdout, 'data');
  const before = readRunFile(dataDir)!;
  victim.kill('SIGKILL');
  await once(victim, 'exit');
  expect(isSameProcess(before.nats)).toBe(true);
  await until(() => before.services.every(({ pid }) => identify(pid!) === null));
  expect(attach(dataDir)).toBeNull();

  const platform = await startPlatform(options);
  expect(isSameProcess(before.nats)).toBe(false);
  expect(log.join('\n')).toContain('stopped a nats-server that an earlier run had left behind');
  await platform.stop();
});
