import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allOf, anyOf } from './kleene.ts';
import { CHECK_VERDICTS } from './words.ts';

const F = 'fail';
const U = 'unknown';
const P = 'pass';

test('strong Kleene: fail and unknown is fail, pass and unknown is unknown, pass or unknown is pass', () => {
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

test('an unknown is never coerced: replacing it by an answer only ever fills the gap that it left', () => {
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
