import { expect, test } from 'vitest';
import { cpuMsIn, cpuMsOf, memoryOf } from './process-usage.ts';

test('processor time is that of user and kernel, whatever the program is called', () => {
  const after = 'S 1 7 7 0 -1 4194560 900 0 12 0 250 31 5 6 20 0 11 0 9 1 2';
  expect(cpuMsIn(`7 (node) ${after}`)).toBe(2810);
  expect(cpuMsIn(`7 (a) b) R 9) ${after}`)).toBe(2810);
});

test.skipIf(process.platform !== 'linux')('this process has memory and has had processor time', () => {
  const { rssKiB, peakKiB } = memoryOf(process.pid);
  expect(rssKiB).toBeGreaterThan(10_000);
  expect(peakKiB).toBeGreaterThanOrEqual(rssKiB);
  expect(cpuMsOf(process.pid)).toBeGreaterThan(0);
});
