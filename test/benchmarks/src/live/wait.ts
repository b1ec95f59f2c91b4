import { setTimeout as sleep } from 'node:timers/promises';

/** Looks again and again until it is so, and gives up with the name of what did not come. */
export async function waitFor(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  { everyMs = 100, withinMs = 120_000 }: { everyMs?: number; withinMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await sleep(everyMs);
  }
}
