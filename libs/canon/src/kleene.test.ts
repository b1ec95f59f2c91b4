import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allOf, anyOf } from './kleene.ts';
import { CHECK_VERDICTS, type CheckVerdict } from './words.ts';

const F = 'fail';
const U = 'unknown';
const P = 'pass';

test('strong Kleene: fail and unknown is fail, pass and unknown is unknown, pass or unknown is pass [L2]', () => {
  const table = (combine: typeof allOf) =>
    [P, U, F].map((a) => [P, U, F].map((b) => combine([a, b] as never)));
  expect(table(allOf)).toEqual([
    [P, U, F],
    [U, U, F],
    [F, F, F],
  ]);
  expect(table(anyOf)).toEqual([
    [P, P, P],
    [P, U, U],
    [P, U, F],
  ]);
  expect([allOf([]), anyOf([])]).toEqual([P, F]);
});

test('an unknown is never coerced: replacing it by an answer only ever fills the gap that it left [L2]', () => {
  const verdicts = fc.array(fc.constantFrom(...CHECK_VERDICTS), { maxLength: 6 });
  const answer = fc.constantFrom('pass', 'fail');
  fc.assert(
    fc.property(verdicts, answer, (some, put) => {
      const filled = some.map((verdict) => (verdict === 'unknown' ? put : verdict));
      for (const combine of [allOf, anyOf]) {
        const before = combine(some);
        if (before !== 'unknown') expect(combine(filled as typeof some)).toBe(before);
        expect(combine(some.toReversed())).toBe(before);
      }
    }),
  );
});

describe.each([
  ['allOf', allOf, [F, U, P]],
  ['anyOf', anyOf, [P, U, F]],
] as const)('%s, over all verdicts [L2]', (_, combine, decidingFirst) => {
  const verdicts = CHECK_VERDICTS;
  const triples = verdicts.flatMap((a) => verdicts.flatMap((b) => verdicts.map((c) => [a, b, c] as const)));
  const two = (a: CheckVerdict, b: CheckVerdict) => combine([a, b]);

  test('is the one of the two that decides first', () => {
    for (const a of verdicts) {
      for (const b of verdicts) {
        expect(two(a, b)).toBe(decidingFirst.find((verdict) => verdict === a || verdict === b));
      }
    }
  });

  test('does not depend on order, grouping or repetition', () => {
    for (const [a, b, c] of triples) {
      expect(two(a, b)).toBe(two(b, a));
      expect(two(two(a, b), c)).toBe(two(a, two(b, c)));
      expect(combine([a, b, c])).toBe(two(two(a, b), c));
      expect(two(a, a)).toBe(a);
    }
  });

  test('only ever says more when more is known: an answer takes nothing back but an unknown', () => {
    const saysLess = (a: CheckVerdict, b: CheckVerdict) => a === U || a === b;
    let comparisons = 0;
    for (const [a, b, c] of triples) {
      for (const d of verdicts) {
        if (!saysLess(a, c) || !saysLess(b, d)) continue;
        expect(saysLess(two(a, b), two(c, d))).toBe(true);
        comparisons += 1;
      }
    }
    expect(comparisons).toBe(25);
  });
});

test('what is not true of all is untrue of some: each of the two is the other, negated [L2]', () => {
  const not = (verdict: CheckVerdict): CheckVerdict => (verdict === P ? F : verdict === F ? P : U);
  for (const a of CHECK_VERDICTS) {
    for (const b of CHECK_VERDICTS) expect(not(allOf([a, b]))).toBe(anyOf([not(a), not(b)]));
  }
});
