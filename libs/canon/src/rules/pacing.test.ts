import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { POLICY } from '../dispatch-case.test-support.ts';
import { PACING_BANDS, type PacingBand } from '../facts.ts';
import { pacingBand, pacingRule } from './pacing.ts';

interface Counts {
  delivered: number;
  complaints?: number;
  hardBounces?: number;
  complaints7d?: number;
  band?: PacingBand;
}

function known({ delivered, complaints = 0, hardBounces = 0, complaints7d = 0, band }: Counts) {
  return {
    delivered30d: delivered,
    complaints30d: complaints,
    hardBounces30d: hardBounces,
    complaints7d,
    ...(band ? { band } : {}),
  };
}
const MOMENT = { policy: POLICY, atMs: 0 };
const bandFor = (counts: Counts) => pacingBand(known(counts), MOMENT);
const risksFor = (counts: Counts) =>
  pacingRule.risks?.({ ...known(counts), band: bandFor(counts) ?? 'unobservable' }, MOMENT);

describe('edges [L10]', () => {
  test.each([
    [2, 'healthy'],
    [3, 'watch'],
    [5, 'watch'],
    [6, 'throttled'],
    [9, 'throttled'],
    [10, 'quarantined'],
    [29, 'quarantined'],
    [30, 'blocked'],
  ])('%i complaints in 10,000 are %s', (complaints, band) => {
    expect(bandFor({ delivered: 10_000, complaints })).toBe(band);
  });

  test.each([
    [19, 'healthy'],
    [20, 'watch'],
    [34, 'watch'],
    [35, 'throttled'],
    [49, 'throttled'],
    [50, 'quarantined'],
    [99, 'quarantined'],
    [100, 'blocked'],
  ])('%i hard bounces in 1,000 are %s', (hardBounces, band) => {
    expect(bandFor({ delivered: 1000, hardBounces })).toBe(band);
  });

  test('below a hundred delivered a rate says nothing', () => {
    expect(bandFor({ delivered: 99, hardBounces: 9 })).toBe('insufficient_sample');
    expect(bandFor({ delivered: 100, hardBounces: 9 })).toBe('quarantined');
  });

  test('two complaints in a week quarantine a mailbox that has sent little, however little', () => {
    expect(bandFor({ delivered: 10, complaints: 2, complaints7d: 2 })).toBe('quarantined');
    expect(bandFor({ delivered: 10, complaints: 1, complaints7d: 1 })).toBe('insufficient_sample');
    expect(bandFor({ delivered: 999, complaints: 2, complaints7d: 2 })).toBe('quarantined');
    expect(bandFor({ delivered: 3000, complaints: 2, complaints7d: 2 })).toBe('throttled');
  });

  test('two complaints do not hide that a tenth of the messages bounces', () => {
    const counts = { delivered: 900, hardBounces: 90 };
    expect(bandFor(counts)).toBe('blocked');
    expect(bandFor({ ...counts, complaints: 2, complaints7d: 2 })).toBe('blocked');
  });

  test('nothing counted yet is no band at all', () => {
    expect(pacingBand({}, MOMENT)).toBeUndefined();
  });

  test('a mailbox whose bounces nobody can see has none, but for complaints', () => {
    expect(pacingBand({ delivered30d: 500 }, MOMENT)).toBe('unobservable');
    expect(pacingBand({ delivered30d: 500, complaints7d: 2 }, MOMENT)).toBe('quarantined');
  });
});

describe('leaving takes nine tenths of the edge [L10]', () => {
  test.each<[PacingBand, number, PacingBand]>([
    ['watch', 270, 'watch'],
    ['watch', 269, 'healthy'],
    ['throttled', 540, 'throttled'],
    ['throttled', 539, 'watch'],
    ['quarantined', 900, 'quarantined'],
    ['quarantined', 899, 'throttled'],
    ['blocked', 2700, 'blocked'],
    ['blocked', 2699, 'quarantined'],
    ['blocked', 0, 'healthy'],
  ])('from %s with %i complaints in 1,000,000 to %s', (before, complaints, after) => {
    expect(bandFor({ delivered: 1_000_000, complaints, band: before })).toBe(after);
  });

  test('a band that was not entered yet is not harder to stay out of', () => {
    expect(bandFor({ delivered: 10_000, complaints: 5, band: 'watch' })).toBe('watch');
  });
});

const badness = (band: PacingBand | undefined): number =>
  ['insufficient_sample', 'healthy', 'watch', 'throttled', 'quarantined', 'blocked'].indexOf(String(band));

test('more complaints or bounces never make a band milder [L10]', () => {
  const counts = fc.record({
    delivered: fc.integer({ min: 0, max: 5000 }),
    complaints: fc.integer({ min: 0, max: 20 }),
    hardBounces: fc.integer({ min: 0, max: 500 }),
    complaints7d: fc.integer({ min: 0, max: 4 }),
    band: fc.constantFrom(...PACING_BANDS),
  });
  const worse = fc.record({ complaints: fc.nat(5), hardBounces: fc.nat(50), complaints7d: fc.nat(3) });
  fc.assert(
    fc.property(counts, worse, (before, more) => {
      const after = {
        ...before,
        complaints: before.complaints + more.complaints,
        hardBounces: before.hardBounces + more.hardBounces,
        complaints7d: before.complaints7d + more.complaints7d,
      };
      expect(badness(bandFor(after))).toBeGreaterThanOrEqual(badness(bandFor(before)));
    }),
  );
});

describe('risks [M7]', () => {
  test('a complaint rate of one in a thousand is a high risk, two in a week of a small sample as well', () => {
    expect(risksFor({ delivered: 10_000, complaints: 10 })).toContain('complaint_ge_0_10');
    expect(risksFor({ delivered: 10_000, complaints: 9 })).toEqual(['reputation_watch']);
    expect(risksFor({ delivered: 30, complaints: 2, complaints7d: 2 })).toContain('complaint_ge_0_10');
    expect(risksFor({ delivered: 1000, complaints: 0, complaints7d: 2 })).toEqual([]);
  });

  test('hard bounces count from fifty delivered on, before there is a band', () => {
    expect(risksFor({ delivered: 49, hardBounces: 40 })).toEqual([]);
    expect(risksFor({ delivered: 50, hardBounces: 3 })).toEqual(['hard_bounce_ge_5']);
  });

  test('unresolved outcomes are a risk from three on, when they are one in a hundred', () => {
    const risks = (unresolvedOutcomes: number, sentToday: number) =>
      pacingRule.risks?.({ ...known({ delivered: 5000 }), sentToday, unresolvedOutcomes }, MOMENT);
    expect(risks(2, 10)).toEqual([]);
    expect(risks(3, 300)).toEqual(['unresolved_outcomes']);
    expect(risks(3, 301)).toEqual([]);
  });
});

test('a band that stands is held a little longer; a worse one is entered at its own edge and not before [L10]', () => {
  const counts = { delivered30d: 10_000, complaints30d: 0, hardBounces30d: 0.95 * 0.035 * 10_000 };
  expect(pacingBand({ ...counts, band: 'watch' }, MOMENT)).toBe('watch');
  expect(pacingBand({ ...counts, band: 'throttled' }, MOMENT)).toBe('throttled');
});
