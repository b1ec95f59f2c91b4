import { expect, test } from 'vitest';
import { runOpenLoop, schedule } from './open-loop.ts';

test('a schedule is evenly spaced from the begin on', () => {
  expect([...schedule(4, 1000)]).toEqual([0, 1, 2, 3]);
  expect([...schedule(3, 4)]).toEqual([0, 250, 500]);
  expect(() => schedule(1, 0)).toThrow('no rate: 0');
});

test('each is begun once and in order, and counts from when it was due, however late it was begun', async () => {
  const dueAtMs: number[] = [];
  const begun: number[] = [];
  await runOpenLoop(schedule(20, 1000), (n, due) => {
    begun.push(n);
    dueAtMs.push(due);
    // Nobody else gets this thread meanwhile: several are overdue when the turn is over.
    if (n === 3) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 9);
    expect(performance.now()).toBeGreaterThanOrEqual(due - 1);
  });
  expect(begun).toEqual([...Array(20).keys()]);
  dueAtMs.forEach((due, n) => {
    expect(due - dueAtMs[0]!).toBeCloseTo(n, 3);
  });
});
