import { parentPort, workerData } from 'node:worker_threads';
import type { Pace } from './open-loop.ts';

/** Sleeps until the next is due and says how many are, until all were. */
const { dueMs, beginNs } = workerData as Pace;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const nowMs = () => Number(process.hrtime.bigint() - beginNs) / 1e6;

for (let due = 0; due < dueMs.length; ) {
  const waitMs = dueMs[due]! - nowMs();
  if (waitMs > 0) Atomics.wait(sleeper, 0, 0, waitMs);
  const upToMs = nowMs();
  const before = due;
  while (due < dueMs.length && dueMs[due]! <= upToMs) due++;
  if (due > before) parentPort!.postMessage(due);
}
