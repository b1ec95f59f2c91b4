import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CHECKS } from '../checks.ts';
import { findingOf } from '../diagnose.ts';
import { surroundings } from '../surroundings.test-support.ts';
import { checkDiskSpace, type DiskFound, judgeDiskSpace } from './disk-space.ts';

const GIB = 2 ** 30;
const disk = (overrides: Partial<DiskFound> = {}): DiskFound => ({
  path: '/data',
  isWritable: true,
  freeBytes: 50 * GIB,
  totalBytes: 100 * GIB,
  freeInodes: 1_000_000,
  totalInodes: 2_000_000,
  ...overrides,
});

test.each<[string, Partial<DiskFound>, string]>([
  ['half of the disk free', {}, 'ok'],
  ['less than 1 GiB', { freeBytes: GIB - 1 }, 'fail'],
  ['1 GiB', { freeBytes: GIB, totalBytes: 2 * GIB }, 'warn'],
  ['less than 5 GiB', { freeBytes: 5 * GIB - 1, totalBytes: 10 * GIB }, 'warn'],
  ['5 GiB', { freeBytes: 5 * GIB, totalBytes: 10 * GIB }, 'ok'],
  ['less than a tenth', { freeBytes: 10 * GIB - 1 }, 'warn'],
  ['a tenth', { freeBytes: 10 * GIB }, 'ok'],
  ['hardly any inode', { freeInodes: 999 }, 'fail'],
  ['few inodes', { freeInodes: 1_000 }, 'warn'],
  ['enough inodes', { freeInodes: 20_000 }, 'ok'],
  ['a file system that counts no inodes', { freeInodes: 0, totalInodes: 0 }, 'ok'],
  ['a directory that cannot be written to', { isWritable: false }, 'fail'],
])('%s', (_, overrides, status) => {
  expect(judgeDiskSpace(disk(overrides))).toMatchObject({ status });
});

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'disk-space-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test('a data directory that is not there yet is judged by its nearest parent', async () => {
  const { data } = await checkDiskSpace({ dataDir: join(dataDir, 'not', 'yet') });
  expect(data).toMatchObject({ path: dataDir, isWritable: true });
  expect(data.freeBytes).toBeGreaterThan(0);
});

test('a full disk fails with its figures', async () => {
  const full = async (path: string) =>
    ({ ...(await statfs(path)), bavail: 3 }) as Awaited<ReturnType<typeof statfs>>;
  const judged = await checkDiskSpace({ dataDir }, { statfs: full as typeof statfs });
  expect(judged).toMatchObject({ status: 'fail', detail: expect.stringContaining('0 MiB of') });
});

test.each(['disk_space', 'fsync'] as const)(
  '%s: a file in the place of the directory is named',
  async (name) => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    for (const path of [file, join(file, 'below')]) {
      const finding = await findingOf(name, CHECKS[name], surroundings({ dataDir: path }));
      expect(finding).toMatchObject({ status: 'fail', detail: `\`${file}\` is a file and not a directory` });
      expect(finding.remedy).toContain('--data-dir');
    }
  },
);
