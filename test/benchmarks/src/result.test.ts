import { expect, test } from 'vitest';
import { atLeast, atMost, withinLimit } from './result.ts';

const measured = (ours: number, reference: number) => ({ ours, reference, unit: 'ms' });

test('where more is better the bound itself is kept, and less is missed', () => {
  expect(atLeast('pipeline', measured(18, 100), 0.18)).toEqual({
    bench: 'pipeline',
    ours: 18,
    reference: 100,
    ratio: 0.18,
    unit: 'ms',
    pass: true,
  });
  expect(atLeast('pipeline', measured(17.9, 100), 0.18).pass).toBe(false);
});

test('where less is better the bound itself is kept, and more is missed', () => {
  expect(atMost('latency', measured(8, 1), 8)).toMatchObject({ ratio: 8, pass: true });
  expect(atMost('latency', measured(8.1, 1), 8).pass).toBe(false);
});

test('the ratio of the rounds counts where it is given, and not that of the medians', () => {
  expect(atLeast('pipeline', measured(18, 100), 0.18, 0.17)).toMatchObject({ ratio: 0.17, pass: false });
  expect(atMost('latency', measured(9, 1), 8, 7)).toMatchObject({ ratio: 7, pass: true });
});

test('a limit stands as the reference', () => {
  expect(withinLimit('memory', 12, 24, 'KiB')).toMatchObject({ reference: 24, ratio: 0.5, pass: true });
  expect(withinLimit('memory', 25, 24, 'KiB').pass).toBe(false);
});

test('nothing measured is never a pass', () => {
  expect(atLeast('pipeline', measured(Number.NaN, 100), 0.18).pass).toBe(false);
  expect(atMost('latency', measured(Number.NaN, 1), 8).pass).toBe(false);
});
