import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { nearestDirectory } from '../data-directory.ts';
import { percent, size } from '../figures.ts';
import { fail, type Judgement, ok, warn } from '../finding.ts';
import type { Surroundings } from '../surroundings.ts';

const GIB = 2 ** 30;
const FREE_BYTES_MIN = GIB;
const FREE_BYTES_ADVISED = 5 * GIB;
const FREE_SHARE_ADVISED = 0.1;
/** A store of a few hundred streams and consumers has some thousand files. */
const FREE_INODES_MIN = 1_000;
const FREE_INODES_ADVISED = 20_000;

export interface DiskFound {
  readonly path: string;
  readonly isWritable: boolean;
  /** For a user without privileges. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeInodes: number;
  /** 0 where the file system makes them as it needs them. */
  readonly totalInodes: number;
}

export function judgeDiskSpace(found: DiskFound): Judgement {
  const { path, isWritable, freeBytes, totalBytes, freeInodes, totalInodes } = found;
  const share = totalBytes > 0 ? freeBytes / totalBytes : 0;
  const countsInodes = totalInodes > 0;
  const data = { path, isWritable, freeBytes, totalBytes, freeInodes, totalInodes };
  const space = `${size(freeBytes)} of ${size(totalBytes)} free (${percent(share)}) at ${path}`;
  if (!isWritable) {
    return fail(`${path} cannot be written to`, `make it writable for this user, or ${ANOTHER}`, data);
  }
  if (freeBytes < FREE_BYTES_MIN) return fail(space, `free 1 GiB at the very least: ${FREE}`, data);
  if (countsInodes && freeInodes < FREE_INODES_MIN) {
    return fail(
      `room for ${freeInodes} more files at ${path}`,
      `delete files that nobody needs, or ${ANOTHER}`,
      data,
    );
  }
  if (freeBytes < FREE_BYTES_ADVISED || share < FREE_SHARE_ADVISED) {
    return warn(space, `keep 5 GiB and a tenth free: ${FREE}`, data);
  }
  if (countsInodes && freeInodes < FREE_INODES_ADVISED) {
    return warn(`${space}, but room for ${freeInodes} more files only`, `delete files, or ${ANOTHER}`, data);
  }
  return ok(`${space}, writable`, data);
}

const ANOTHER = 'name another directory with --data-dir';
const FREE = `a full disk stops nats-server from storing anything; or ${ANOTHER}`;

export async function checkDiskSpace(
  { dataDir }: Pick<Surroundings, 'dataDir'>,
  probe: { readonly statfs: typeof statfs } = { statfs },
): Promise<Judgement> {
  const path = await nearestDirectory(dataDir);
  const { bsize, bavail, blocks, ffree, files } = await probe.statfs(path);
  const isWritable = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  return judgeDiskSpace({
    path,
    isWritable,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    freeInodes: ffree,
    totalInodes: files,
  });
}
