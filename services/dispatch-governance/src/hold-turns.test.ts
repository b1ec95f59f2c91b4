import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HoldTurns } from './hold-turns.ts';

/** Tenants with so many holds each, all due at once; gives who was decided, in order. */
async function decideAll(
  holds: Readonly<Record<string, number>>,
  turns = new HoldTurns(),
): Promise<string[]> {
  const decided: string[] = [];
  const tenants = Object.entries(holds).map(async ([tenant, count]) => {
    for (let n = 0; n < count; n++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (!turns.ask(resolve)) await promise;
      decided.push(tenant);
      await sleep(0);
      turns.done();
    }
  });
  await Promise.all(tenants);
  return decided;
}

test('a tenant with many holds does not keep one with few waiting', async () => {
  const noisy = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`noisy-${n}`, 20]));
  const decided = await decideAll({ ...noisy, quiet: 2 });
  expect(decided).toHaveLength(802);
  expect(decided.lastIndexOf('quiet')).toBeLessThan(130);
});

test('no more than 32 are decided at once, and after 256 whatever arrived meanwhile goes first', async () => {
  const turns = new HoldTurns();
  const granted = Array.from({ length: 300 }, () => turns.ask(() => void more++));
  let more = 0;
  expect(granted.filter(Boolean)).toHaveLength(32);
  for (let n = 0; n < 300 - 32; n++) turns.done();
  expect(more).toBe(256 - 32);
  await sleep(20);
  expect(more).toBe(300 - 32);
});
