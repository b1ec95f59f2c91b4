import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until the answer is there; fails with what was seen last. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  withinMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await sleep(30);
  }
  throw new Error(`${what} did not happen within ${withinMs} ms; last: ${String(last)}`);
}
