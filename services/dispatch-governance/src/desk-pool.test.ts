import { expect, test } from 'vitest';
import { DeskPool } from './desk-pool.ts';

test('whoever comes when all places are taken waits, and those who have one hear of it', async () => {
  const pool = new DeskPool({ desksMax: 2 });
  let pressed = 0;
  pool.onPressure(() => void pressed++);
  expect([pool.tryEnter(), pool.tryEnter(), pool.tryEnter()]).toEqual([true, true, false]);
  const order: string[] = [];
  const first = pool.enter({}).then((entered) => order.push(`first ${entered}`));
  const second = pool.enter({}).then((entered) => order.push(`second ${entered}`));
  expect([pressed, pool.isCrowded]).toEqual([2, true]);
  pool.leave();
  await first;
  // Who comes now is behind who waits, although somebody leaves.
  expect(pool.tryEnter()).toBe(false);
  pool.leave();
  await second;
  expect(order).toEqual(['first true', 'second true']);
  expect([pool.isCrowded, pool.desks]).toEqual([false, 2]);
  pool.leave();
  expect([pool.desks, pool.tryEnter()]).toEqual([1, true]);
});

test('whoever gives up waiting is told so, and takes nobody else along', async () => {
  const pool = new DeskPool({ desksMax: 1 });
  const [leaving, staying] = [{}, {}];
  pool.tryEnter();
  const gaveUp = pool.enter(leaving);
  const waits = pool.enter(staying);
  pool.giveUp(leaving);
  expect(await gaveUp).toBe(false);
  pool.leave();
  expect(await waits).toBe(true);
  expect(pool.desks).toBe(1);
});

test('no more desks are set up at once than the server should be asked for', async () => {
  const pool = new DeskPool({ settingUpMax: 3 });
  let [under, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++under);
    await new Promise((resolve) => setImmediate(resolve));
    under--;
  };
  await Promise.all(Array.from({ length: 20 }, () => pool.settingUp(work)));
  expect([most, under]).toEqual([3, 0]);
});
