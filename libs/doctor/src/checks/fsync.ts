import { randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nearestDirectory } from '../data-directory.ts';
import { milliseconds } from '../figures.ts';
import { type Judgement, ok, warn } from '../finding.ts';
import type { Surroundings } from '../surroundings.ts';

const BLOCK_BYTES = 4_096;
const WRITES_MAX = 200;
const MEASURE_MS_MAX = 1_000;
const P50_MS_ADVISED = 10;

/** `timesMs`: how long each write of 4 KiB took until it was on the disk; at least one. */
export function judgeFsync(timesMs: readonly number[]): Judgement {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1]!;
  const [p50Ms, p99Ms] = [at(0.5), at(0.99)];
  const perSec = Number((1_000 / Math.max(p50Ms, 0.001)).toPrecision(2));
  const data = { p50Ms, p99Ms, writes: sorted.length };
  const found = `4 KiB are on the disk in ${milliseconds(p50Ms)} (p99 ${milliseconds(p99Ms)}, ${sorted.length} writes)`;
  const meaning = `with sync_interval \`always\` a stream stores about ${perSec} records a second one after another`;
  if (p50Ms <= P50_MS_ADVISED) return ok(`${found}: ${meaning}`, data);
  return warn(
    `${found}: slow; ${meaning}`,
    'put the data directory on a local SSD; or start with `--sync 100ms`, which gives up the last 100 ms of acknowledged records when the power fails, and nothing when a process is killed',
    data,
  );
}

export async function checkFsync({ dataDir }: Pick<Surroundings, 'dataDir'>): Promise<Judgement> {
  return judgeFsync(await measureFsync(await nearestDirectory(dataDir)));
}

/** Appends as nats-server does; the file is gone afterwards. */
async function measureFsync(directory: string): Promise<number[]> {
  const path = join(directory, `fsync-${randomUUID()}.tmp`);
  const file = await open(path, 'wx');
  try {
    const block = Buffer.alloc(BLOCK_BYTES, 1);
    const timesMs: number[] = [];
    const beganMs = performance.now();
    while (timesMs.length < WRITES_MAX && performance.now() - beganMs < MEASURE_MS_MAX) {
      const startedMs = performance.now();
      await file.write(block);
      await file.sync();
      timesMs.push(performance.now() - startedMs);
    }
    return timesMs;
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}
