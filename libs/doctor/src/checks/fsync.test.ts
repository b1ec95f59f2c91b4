import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkFsync, judgeFsync } from './fsync.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'fsync-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test('the half of the writes decides, not the slowest of them', () => {
  expect(judgeFsync([1, 2, 3, 400])).toMatchObject({
    status: 'ok',
    data: { p50Ms: 2, p99Ms: 400, writes: 4 },
  });
  expect(judgeFsync([10, 10, 10])).toMatchObject({ status: 'ok' });
  const slow = judgeFsync([1, 10.1, 11]);
  expect(slow).toMatchObject({ status: 'warn', detail: expect.stringContaining('99 records a second') });
  expect(slow.remedy).toMatch(/--sync 100ms.*gives up the last 100 ms/);
});

test('one slow write is enough to judge', () => {
  expect(judgeFsync([1_500])).toMatchObject({ status: 'warn', data: { p50Ms: 1_500, p99Ms: 1_500 } });
});

test('the disk is really written to, and nothing is left behind', async () => {
  const { data } = await checkFsync({ dataDir });
  expect(data.writes).toBeGreaterThan(0);
  expect(data.p50Ms).toBeGreaterThan(0);
  expect(readdirSync(dataDir)).toEqual([]);
});
