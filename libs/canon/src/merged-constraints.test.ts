import { expect, test } from 'vitest';
import { mergeConstraints } from './constraints.ts';
import { digestOf } from './fingerprint.ts';
import { mergedConstraints } from './merged-constraints.ts';

const LINKS = { maxLinks: 2, openTracking: false };
const TODAY = { maxToday: 10 };
const FEWER_LINKS = { maxLinks: 1 };

test('the same conditions come to the same each time, and with one more, one less or another to something else [G21]', () => {
  for (const parts of [
    [],
    [LINKS],
    [LINKS, TODAY],
    [LINKS],
    [LINKS, FEWER_LINKS],
    [LINKS, TODAY],
    [TODAY, LINKS],
    [LINKS, TODAY, FEWER_LINKS],
  ]) {
    const constraints = mergeConstraints(parts);
    const expected = { constraints, digest: digestOf(constraints) };
    expect(mergedConstraints(parts)).toMatchObject(expected);
    expect(mergedConstraints([...parts])).toMatchObject(expected);
  }
});

test('what conditions come to is shared, so nobody can change it [G21]', () => {
  const { constraints } = mergedConstraints([LINKS]);
  expect(Object.isFrozen(constraints)).toBe(true);
  expect(LINKS).toEqual({ maxLinks: 2, openTracking: false });
});
