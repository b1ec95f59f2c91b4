import { expect, test } from 'vitest';
import { judge, measure, median } from './measure.ts';

const AT_ONCE = { rounds: 2, roundMs: 0, warmUpMs: 0 };

test('the median is the middle one, or half way between the two middle ones', () => {
  expect(median([9])).toBe(9);
  expect(median([100, 1, 3])).toBe(3);
  expect(median([10, 2, 4, 1])).toBe(3);
  expect(() => median([])).toThrow('nothing has no median');
});

test('one slow round does not move the median', () => {
  expect(median([2, 2, 2, 2, 900])).toBe(2);
});

const rows = (ours: number, ...others: number[]) =>
  [ours, ...others].map((usPerOp, index) => ({ name: `way ${index}`, usPerOp }));

test('the fastest of the references counts, and how many times faster ours is', () => {
  expect(judge('decide', rows(2, 50, 21, 400), 10)).toEqual({
    bench: 'decide',
    ours: 2,
    reference: 21,
    ratio: 10.5,
    unit: 'us/op',
    pass: true,
  });
});

test('the bound itself is kept, anything below it is missed', () => {
  expect(judge('decide', rows(2, 20), 10).pass).toBe(true);
  expect(judge('decide', rows(2, 19.9), 10).pass).toBe(false);
  expect(judge('decide', rows(20, 2), 10)).toMatchObject({ ratio: 0.1, pass: false });
});

test('without a reference there is nothing to judge', () => {
  expect(() => judge('decide', rows(2), 10)).toThrow('decide compares nothing');
});

test('every contender is measured, whether it answers at once or later, in the order given', async () => {
  const asked: string[] = [];
  const pass = (name: string) => () => {
    asked.push(name);
    return 1;
  };
  const measured = await measure(
    [
      { name: 'at once', pass: pass('at once') },
      { name: 'later', pass: async () => pass('later')() },
    ],
    1,
    AT_ONCE,
  );
  expect(measured.map((row) => row.name)).toEqual(['at once', 'later']);
  // the first pass says what to expect, the second warms up; then each round begins with another one
  const warm = ['at once', 'at once', 'later', 'later'];
  expect(asked).toEqual([...warm, 'at once', 'later', 'later', 'at once']);
});

test('work that is not done in full fails the run instead of looking fast', async () => {
  let left = 3;
  const lazy = { name: 'lazy', pass: () => (left-- > 0 ? 7 : 0) };
  await expect(measure([lazy], 1, { ...AT_ONCE, rounds: 9 })).rejects.toThrow(
    'lazy gave 0 where it gave 7 before',
  );
});
