import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const BEGIN_IN_MS = 100;

/**
 * When each of so many is due, ms from the begin: evenly spaced, decided beforehand. Whoever answers late delays
 * nobody's turn, and what was late to begin counts from when it was due.
 */
export function schedule(count: number, perSecond: number): Float64Array {
  if (!(perSecond > 0)) throw new RangeError(`no rate: ${perSecond}`);
  return Float64Array.from({ length: count }, (_, n) => (n * 1000) / perSecond);
}

export interface Pace {
  readonly dueMs: Float64Array;
  /** By the clock that threads share. */
  readonly beginNs: bigint;
}

/**
 * Begins each at its time, or as soon after it as this thread gets to; `dueAtMs` is by performance.now(). Another thread
 * watches the time: a timer here would be late by a millisecond, which is more than what is measured.
 */
export async function runOpenLoop(
  dueMs: Float64Array,
  begin: (n: number, dueAtMs: number) => void,
): Promise<void> {
  const beginMs = performance.now() + BEGIN_IN_MS;
  const pace: Pace = { dueMs, beginNs: process.hrtime.bigint() + BigInt(BEGIN_IN_MS * 1e6) };
  const pacer = new Worker(new URL('./pacer.ts', import.meta.url), { workerData: pace });
  let next = 0;
  pacer.on('message', (upTo: number) => {
    for (; next < upTo; next++) begin(next, beginMs + dueMs[next]!);
  });
  await once(pacer, 'exit');
  if (next < dueMs.length) throw new Error(`${next} of ${dueMs.length} were begun`);
}
