import type { CheckVerdict } from '@orchestrate/canon';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextLookInMs } from './next-look.ts';

const HOUR_MS = 3_600_000;
const cadence = { intervalMs: 24 * HOUR_MS, failingMs: HOUR_MS, unknownMs: 60_000 };
const inMs = (verdicts: CheckVerdict[], told = {}, random = 0.5) =>
  nextLookInMs(verdicts, cadence, told, random);

test.each<[CheckVerdict[], number]>([
  [['pass', 'pass'], 24 * HOUR_MS],
  [['pass', 'fail'], HOUR_MS],
  [['fail', 'unknown', 'pass'], 60_000],
  [[], 24 * HOUR_MS],
])('what is worst says when it is looked at again: %j', (verdicts, expected) => {
  expect(inMs(verdicts)).toBe(expected);
});

test('a source that fails is not asked again while the same would be repeated', () => {
  expect(inMs(['fail'], { ttlMs: HOUR_MS }, 0)).toBe(HOUR_MS);
  expect(inMs(['fail'], {}, 0)).toBe(0.9 * HOUR_MS);
});

test('a repair is seen within the cadence, however long the answer before it may be kept', () => {
  expect(inMs(['fail'], { ttlMs: 48 * HOUR_MS }, 1)).toBeLessThanOrEqual(1.1 * HOUR_MS);
  expect(inMs(['unknown'], { ttlMs: 48 * HOUR_MS }, 0)).toBe(0.9 * 60_000);
});

test('who asked for peace has it, beyond any cadence', () => {
  expect(inMs(['pass'], { waitMs: 48 * HOUR_MS })).toBe(48 * HOUR_MS);
  expect(inMs(['unknown'], { waitMs: 120_000 })).toBe(120_000);
  expect(inMs(['unknown'], { waitMs: 10 })).toBe(60_000);
});

test('looks are spread by at most a tenth, and never into the past', () => {
  const verdict = fc.constantFrom<CheckVerdict>('pass', 'fail', 'unknown');
  const ttl = fc.nat(72 * HOUR_MS);
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(verdict), ttl, random, (verdicts, ttlMs, chance) => {
      const spread = inMs(verdicts, { ttlMs }, chance);
      const plain = inMs(verdicts, {}, 0.5);
      expect(spread).toBeGreaterThanOrEqual(Math.floor(0.9 * plain));
      expect(spread).toBeLessThanOrEqual(Math.ceil(1.1 * plain));
      expect(spread).toBeGreaterThan(0);
    }),
  );
});
