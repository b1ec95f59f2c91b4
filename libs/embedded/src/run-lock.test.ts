import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownIdentity } from './process-identity.ts';
import { AlreadyRunning, takeRunLock } from './run-lock.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'run-lock-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const holder = () => JSON.parse(readFileSync(join(dataDir, 'lock'), 'utf8'));

test('the second to ask is refused and told who holds the lock', () => {
  const lock = takeRunLock(dataDir);
  expect(() => takeRunLock(dataDir)).toThrow(AlreadyRunning);
  expect(() => takeRunLock(dataDir)).toThrow(
    expect.objectContaining({ code: 'already_running', holder: ownIdentity() }),
  );
  lock.release();
  takeRunLock(dataDir).release();
  expect(readdirSync(dataDir)).toEqual([]);
});

test.each([
  ['whose process is gone', JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1' })],
  ['whose pid belongs to another process now', JSON.stringify({ pid: process.pid, startTime: '1' })],
  ['that power loss has left empty', ''],
])('a lock %s is replaced', (_, content) => {
  writeFileSync(join(dataDir, 'lock'), content);
  const lock = takeRunLock(dataDir);
  expect(holder()).toEqual(ownIdentity());
  expect(readdirSync(dataDir)).toEqual(['lock']);
  lock.release();
});

test('releasing late does not remove the lock of the next holder', () => {
  const lock = takeRunLock(dataDir);
  const next = { pid: 1, startTime: 'another' };
  writeFileSync(join(dataDir, 'lock'), JSON.stringify(next));
  lock.release();
  expect(holder()).toEqual(next);
});

test('of many processes that find the same stale lock at once, exactly one gets it', async () => {
  writeFileSync(join(dataDir, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, startTime: '1' }));
  const script = `
    import { takeRunLock } from ${JSON.stringify(join(import.meta.dirname, 'run-lock.ts'))};
    const at = Number(process.argv[1]);
    while (Date.now() < at);
    try { takeRunLock(${JSON.stringify(dataDir)}); console.log('taken'); } catch (error) { console.log(error.code); }
    process.stdin.resume();`;
  const at = Date.now() + 1_500;
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script, String(at)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    }),
  );
  const answers = await Promise.all(
    children.map(
      (child) =>
        new Promise<string>((resolve) => {
          createInterface({ input: child.stdout }).once('line', resolve);
        }),
    ),
  );
  for (const child of children) child.kill('SIGKILL');
  expect(answers.sort()).toEqual([...Array(5).fill('already_running'), 'taken']);
});
