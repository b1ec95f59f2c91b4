import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { commandLine, identify, isSameProcess, ownIdentity } from './process-identity.ts';

test('a process is the same as itself, and not the same as one with its pid and another start time', () => {
  const own = ownIdentity();
  expect(isSameProcess(own)).toBe(true);
  expect(isSameProcess({ ...own, startTime: '1' })).toBe(false);
});

test('a process that has ended is not the same any more', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const identity = identify(child.pid!);
  expect(identity).not.toBeNull();
  expect(commandLine(child.pid!).join(' ')).toContain('setInterval');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isSameProcess(identity!)).toBe(false);
  expect(identify(child.pid!)).toBeNull();
});
