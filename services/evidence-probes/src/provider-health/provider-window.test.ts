import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProviderLook } from './ask-provider.ts';
import { figuresOf, type ProviderWindow, SAMPLES_MAX, WINDOW_MS, withLook } from './provider-window.ts';
import { ERROR_CLASSES } from './reply-class.ts';

const T0 = 1_772_366_400_000;
const answered = (elapsedMs: number, errorClass: (typeof ERROR_CLASSES)[number] = 'none'): ProviderLook => ({
  kind: 'answered',
  errorClass,
  elapsedMs,
});
const UNREACHED: ProviderLook = { kind: 'unknown', reason: 'unreachable' };

function windowOf(looks: readonly (readonly [atMs: number, look: ProviderLook])[]): ProviderWindow {
  return looks.reduce<ProviderWindow>((window, [atMs, look]) => withLook(window, look, atMs), []);
}

const looks = fc
  .array(
    fc.record({
      stepMs: fc.integer({ min: 0, max: 90_000 }),
      look: fc.oneof(
        {
          weight: 4,
          arbitrary: fc.tuple(fc.nat(60_000), fc.constantFrom(...ERROR_CLASSES)).map((of) => answered(...of)),
        },
        { weight: 1, arbitrary: fc.constant(UNREACHED) },
      ),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let atMs = T0;
    return steps.map(({ stepMs, look }) => {
      atMs += stepMs;
      return [atMs, look] as const;
    });
  });

test('the figures are those of a naive count over the answered looks of five minutes', async () => {
  await fc.assert(
    fc.property(looks, fc.nat(2 * WINDOW_MS), (history, laterMs) => {
      const nowMs = (history.at(-1)?.[0] ?? T0) + laterMs;
      const counted = history.flatMap(([atMs, look]) =>
        look.kind === 'answered' && atMs >= nowMs - WINDOW_MS ? [look] : [],
      );
      const figures = figuresOf(windowOf(history), nowMs);
      expect(figures.samples5m).toBe(counted.length);
      if (counted.length === 0) {
        expect(figures).toEqual({ samples5m: 0 });
        return;
      }
      const sorted = counted.map(({ elapsedMs }) => elapsedMs).toSorted((a, b) => a - b);
      // the smallest that at least 95 of 100 do not exceed
      const p95 = sorted.find(
        (one) => sorted.filter((other) => other <= one).length * 100 >= sorted.length * 95,
      );
      expect(figures.p95Ms).toBe(p95);
      const errors = counted.filter(({ errorClass }) => errorClass !== 'none').length;
      expect(figures.errorRatio5m).toBe(errors / counted.length);
    }),
  );
});

test('a window never holds more than its bound, and keeps the newest', async () => {
  await fc.assert(
    fc.property(fc.integer({ min: SAMPLES_MAX - 2, max: SAMPLES_MAX + 20 }), (count) => {
      const window = windowOf(Array.from({ length: count }, (_, index) => [T0 + index, answered(index)]));
      expect(window).toHaveLength(Math.min(count, SAMPLES_MAX));
      expect(window.at(-1)).toMatchObject({ elapsedMs: count - 1 });
    }),
    { numRuns: 10 },
  );
});

test('what is older than five minutes is not even kept', () => {
  const window = windowOf([
    [T0, answered(10)],
    [T0 + WINDOW_MS, answered(20)],
  ]);
  expect(figuresOf(window, T0 + WINDOW_MS)).toMatchObject({ samples5m: 2 });
  expect(withLook(window, UNREACHED, T0 + WINDOW_MS + 1)).toHaveLength(1);
});

test.each([
  [1, 1],
  [19, 19],
  [20, 19],
  [21, 20],
  [100, 95],
])('of %i looks the p95 is the one of rank %i', (count, rank) => {
  const window = windowOf(Array.from({ length: count }, (_, index) => [T0, answered(count - index)]));
  expect(figuresOf(window, T0)).toMatchObject({ p95Ms: rank });
});

test('a look that reached nobody is no sample and no error', () => {
  const window = windowOf([
    [T0, answered(10)],
    [T0 + 1, UNREACHED],
    [T0 + 2, { kind: 'unknown', reason: 'timeout' }],
  ]);
  expect(figuresOf(window, T0 + 2)).toEqual({ samples5m: 1, p95Ms: 10, errorRatio5m: 0 });
});

test('samples of before the clock was set back do not stay for ever', () => {
  const window = windowOf([[T0 + 3_600_000, answered(10, 'server')]]);
  expect(figuresOf(window, T0)).toEqual({ samples5m: 0 });
  expect(withLook(window, answered(20), T0)).toHaveLength(1);
});

test('a window that was handed out does not change', () => {
  const window = windowOf([[T0, answered(10)]]);
  withLook(window, answered(20), T0 + 1);
  expect(window).toHaveLength(1);
});
