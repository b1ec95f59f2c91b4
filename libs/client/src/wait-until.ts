import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_AGAIN_MS = 100;

/** Asks how much is left until nothing is. Throws the problem when nothing more was done for `waitMs`. */
export async function waitUntilDone(
  left: () => Promise<number>,
  options: { readonly waitMs: number; readonly problem: (left: number) => string },
): Promise<void> {
  let least = Number.POSITIVE_INFINITY;
  for (let deadlineMs = Date.now() + options.waitMs; ; ) {
    const now = await left();
    if (now === 0) return;
    if (now < least) deadlineMs = Date.now() + options.waitMs;
    least = Math.min(least, now);
    if (Date.now() >= deadlineMs) throw new Error(options.problem(now));
    await sleep(LOOK_AGAIN_MS);
  }
}
