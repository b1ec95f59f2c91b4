import { expect, test } from 'vitest';
import { percentile, spreadOf } from './spread.ts';

const HUNDRED = Array.from({ length: 100 }, (_, n) => 100 - n);

test('a percentile is the value that so many do not exceed', () => {
  expect(percentile(HUNDRED, 0.5)).toBe(50);
  expect(percentile(HUNDRED, 0.99)).toBe(99);
  expect(percentile(HUNDRED, 0.999)).toBe(100);
  expect(percentile(HUNDRED, 1)).toBe(100);
  expect(percentile([7], 0.01)).toBe(7);
});

test('what was given is left in its order', () => {
  const values = [3, 1, 2];
  percentile(values, 0.5);
  expect(values).toEqual([3, 1, 2]);
});

test('of nothing there is no percentile, and no share is none', () => {
  expect(() => percentile([], 0.5)).toThrow('nothing has no percentile');
  expect(() => percentile([1], 0)).toThrow('no share: 0');
  expect(() => percentile([1], 1.1)).toThrow('no share: 1.1');
  expect(() => percentile([1], Number.NaN)).toThrow('no share: NaN');
});

test('a spread tells the middle and both ends', () => {
  expect(spreadOf([5, 1, 9])).toEqual({ median: 5, min: 1, max: 9 });
});
