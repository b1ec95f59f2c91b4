import { expect, test } from 'vitest';
import { LeftOutRequests } from './left-out-requests.ts';

test('what is left out is remembered by its first and its newest until it was taken', () => {
  const left = new LeftOutRequests();
  for (const seq of [7, 9, 12]) left.add('acme', { seq });
  left.add('birch', { seq: 5 });
  expect(left.of('acme')).toMatchObject({ fromSeq: 7, toSeq: 12 });
  expect(left.oldestSeq()).toBe(5);
  left.taken('birch', 5);
  expect([left.of('birch'), left.oldestSeq()]).toEqual([undefined, 7]);
  left.taken('acme', 9);
  expect(left.of('acme')).toMatchObject({ fromSeq: 10, toSeq: 12 });
  // More came while the rest was taken.
  left.add('acme', { seq: 20 });
  left.taken('acme', 12);
  expect(left.of('acme')).toMatchObject({ fromSeq: 13, toSeq: 20 });
  left.taken('acme', 20);
  expect([left.of('acme'), left.oldestSeq()]).toEqual([undefined, null]);
});
