import { expect, test } from 'vitest';
import { type ClockSample, judgeClock } from './clock.ts';

const sample = (offsetMs: number, roundTripMs: number): ClockSample => ({
  sentMs: 1_000_000,
  receivedMs: 1_000_000 + roundTripMs,
  brokerMs: 1_000_000 + roundTripMs / 2 + offsetMs,
});

test.each([
  [0, 'ok'],
  [500, 'ok'],
  [501, 'warn'],
  [-501, 'warn'],
  [2_000, 'warn'],
  [2_001, 'fail'],
  [-2_001, 'fail'],
])('a difference of %d ms is %s', (offsetMs, status) => {
  expect(judgeClock([sample(offsetMs, 0)])).toMatchObject({ status, data: { offsetMs } });
});

test('what the round trip leaves uncertain is not held against the clock', () => {
  expect(judgeClock([sample(600, 200)])).toMatchObject({ status: 'ok', data: { certainMs: 500 } });
  expect(judgeClock([sample(600, 198)])).toMatchObject({ status: 'warn', data: { certainMs: 501 } });
});

test('the quickest answer is believed', () => {
  expect(judgeClock([sample(5_000, 4_000), sample(3, 2), sample(-900, 2_000)])).toMatchObject({
    status: 'ok',
    data: { offsetMs: 3, roundTripMs: 2 },
  });
});

test('the policy says what is too much', () => {
  expect(judgeClock([sample(300, 0)], 200)).toMatchObject({ status: 'fail' });
  expect(judgeClock([sample(3_000, 0)], 5_000)).toMatchObject({ status: 'warn' });
});

test('a broker that does not tell its time is not taken for one with the same time', () => {
  expect(() => judgeClock([])).toThrow('did not tell its time');
});
