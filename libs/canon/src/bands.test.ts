import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bandOf } from './bands.ts';
import { POLICY } from './dispatch-case.test-support.ts';

const p95 = (value: number, before?: string) =>
  bandOf('provider_health', 'p95Ms', { p95Ms: value }, before, POLICY);

test('a band is entered at its edge [T8]', () => {
  expect([0, 1999, 2000, 7999, 8000, 19_999, 20_000].map((value) => p95(value))).toEqual([
    'fast',
    'fast',
    'fair',
    'fair',
    'slow',
    'slow',
    'too_slow',
  ]);
});

test('noise at an edge changes nothing: a band is left below nine tenths of its edge [T8]', () => {
  expect(p95(1800, 'fair')).toBe('fair');
  expect(p95(1799, 'fair')).toBe('fast');
  expect(p95(1999, 'fast')).toBe('fast');
  expect(p95(18_000, 'too_slow')).toBe('too_slow');
  expect(p95(17_999, 'too_slow')).toBe('slow');
  expect(p95(100, 'too_slow')).toBe('fast');
});

test('a number that wavers by less than a tenth settles in one band [T8]', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40_000 }),
      fc.array(fc.double({ min: 0.96, max: 1, noNaN: true })),
      (top, noise) => {
        let band = p95(top);
        const first = band;
        for (const factor of noise) band = p95(top * factor, band);
        expect(band).toBe(first);
      },
    ),
  );
});

test('the quota of a mailbox is banded by what its provider allows [T8]', () => {
  const quota = (quotaUsed: number, quotaDay?: number) =>
    bandOf(
      'mailbox',
      'quotaUsed',
      { quotaUsed, ...(quotaDay === undefined ? {} : { quotaDay }) },
      undefined,
      POLICY,
    );
  expect([quota(79, 100), quota(80, 100), quota(100, 100), quota(100)]).toEqual([
    'some',
    'low',
    'none',
    'some',
  ]);
});

test.each([
  ['billing', 'entitlementRemaining', [0, 1, 99, 100], ['none', 'low', 'low', 'some']],
  ['provider_health', 'samples5m', [4, 5], ['below', 'at_floor']],
  ['pacing', 'delivered30d', [99, 100], ['below', 'at_floor']],
  ['data', 'queueReady', [0, 1], ['empty', 'some']],
  ['data', 'verifiedShare', [0.89, 0.9], ['below', 'at_floor']],
  ['data', 'provenanceShare', [0.89, 0.9], ['below', 'at_floor']],
] as const)('%s.%s has its bands [T8]', (layer, fact, values, bands) => {
  expect(values.map((value) => bandOf(layer, fact, { [fact]: value }, undefined, POLICY))).toEqual(bands);
});

test('a number without bands, and a fact that is no number, has none [T8]', () => {
  expect(bandOf('pacing', 'sentToday', { sentToday: 3 }, undefined, POLICY)).toBeUndefined();
  expect(bandOf('provider_health', 'p95Ms', {}, 'fair', POLICY)).toBeUndefined();
});
