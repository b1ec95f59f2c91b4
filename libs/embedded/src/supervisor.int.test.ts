import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeFlagsOf } from './node-flags.ts';
import { Supervisor } from './supervisor.ts';

let root: string;
let lines: string[];
let supervisor: Supervisor;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'supervisor-'));
  lines = [];
  supervisor = new Supervisor({ root, onLine: (instance, line) => lines.push(`${instance}: ${line}`) });
});
afterEach(async () => {
  await supervisor.stopAll();
  rmSync(root, { recursive: true });
});

function service(source: string): string {
  const entry = join(root, `${crypto.randomUUID()}.ts`);
  writeFileSync(entry, source);
  return entry;
}

const obedient = `
  const port: number = 4711;
  console.log('hello from ' + process.env.GREETING);
  process.on('SIGTERM', () => { console.log('bye'); process.exit(0); });
  process.on('disconnect', () => process.exit(0));
  process.send!({ type: 'ready', healthPort: port });`;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a service is started with the flags of Node that it is given', async () => {
  const entry = service(`console.log(process.execArgv.join(' '));\n${obedient}`);
  await supervisor.start('flagged', { entry, flags: ['--max-semi-space-size=32'] });
  expect(lines).toContain('flagged-1: --max-semi-space-size=32');
});

test('the flags of a service leave alone what NODE_OPTIONS says', () => {
  expect(nodeFlagsOf('dispatch-governance', {})).toEqual(['--max-semi-space-size=64']);
  expect(nodeFlagsOf('dispatch-governance', { NODE_OPTIONS: '--max-semi-space-size=8' })).toEqual([]);
  expect(nodeFlagsOf('layer-runtime', {})).toEqual([]);
});

test('a service is running once it says so, and says goodbye when it is stopped', async () => {
  await supervisor.start('greeter', { entry: service(obedient), env: { GREETING: 'here' } });
  expect(supervisor.list()).toEqual([
    expect.objectContaining({
      instance: 'greeter-1',
      pid: expect.any(Number),
      healthPort: 4711,
      state: 'running',
    }),
  ]);
  await supervisor.stopAll();
  expect(lines).toEqual(['greeter-1: hello from here', 'greeter-1: bye']);
  expect(supervisor.list()[0]).toMatchObject({ state: 'stopped', pid: null, restarts: 0 });
});

test('a service that dies before it is ready is reported with its last words and not tried again', async () => {
  const entry = service(`console.error('no database'); process.exit(3);`);
  await expect(supervisor.start('broken', { entry })).rejects.toThrow(
    /service `broken-1` ended with code 3 before it was ready; its last lines:\n {2}no database/,
  );
  expect(supervisor.list()).toEqual([]);
});

test('a service that crashes comes back', async () => {
  const entry = service(`${obedient}\nif (!process.env.CALM) setTimeout(() => process.exit(1), 50);`);
  await supervisor.start('nervous', { entry });
  await until(() => supervisor.list()[0]!.restarts >= 2);
});

test('a killed service is ready again as another process', async () => {
  await supervisor.start('victim', { entry: service(obedient) });
  const before = supervisor.list()[0]!;
  await supervisor.kill('victim-1');
  const after = supervisor.list()[0]!;
  expect(after).toMatchObject({ state: 'running', restarts: 1, healthPort: 4711 });
  expect(after.pid).not.toBe(before.pid);
});

test('an unknown instance is refused with the known ones', async () => {
  await supervisor.start('victim', { entry: service(obedient) });
  await expect(supervisor.kill('victim-7')).rejects.toThrow('the running ones are victim-1');
});

test('a service that is stopped for good ends, stays away, and its name is free', async () => {
  await supervisor.start('guest', { entry: service(obedient) });
  const { pid } = supervisor.list()[0]!;
  await supervisor.stop('guest-1');
  expect(supervisor.list()).toEqual([]);
  expect(() => process.kill(pid!, 0)).toThrow('ESRCH');
  await supervisor.start('guest', { entry: service(obedient) });
  expect(supervisor.list()).toEqual([expect.objectContaining({ state: 'running', restarts: 0 })]);
});

test('an environment that is a function is asked at every start', async () => {
  const lives = ['first', 'second'];
  await supervisor.start('greeter', { entry: service(obedient), env: () => ({ GREETING: lives.shift() }) });
  await supervisor.kill('greeter-1');
  expect(lines.filter((line) => line.includes('hello'))).toEqual([
    'greeter-1: hello from first',
    'greeter-1: hello from second',
  ]);
});
