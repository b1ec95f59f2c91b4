import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRetryAfter, RETRY_AFTER_SEC_MAX } from './retry-after.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const read = (field: string | null) => parseRetryAfter(field, NOW_MS);

test.each([
  ['0', 0],
  ['17', 17],
  ['007', 7],
  ['86400', RETRY_AFTER_SEC_MAX],
  ['86401', RETRY_AFTER_SEC_MAX],
  ['9'.repeat(400), RETRY_AFTER_SEC_MAX],
  ['Sun, 01 Mar 2026 12:00:30 GMT', 30],
  ['Sunday, 01-Mar-26 12:00:30 GMT', 30],
  ['Sun Mar  1 12:00:30 2026', 30],
  ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', RETRY_AFTER_SEC_MAX],
])('`%s` is a wait of %i seconds', (field, seconds) => {
  expect(read(field)).toBe(seconds);
});

test.each([
  null,
  '',
  '-5',
  '+5',
  '1.5',
  '1e3',
  '0x10',
  '5, 10',
  '5s',
  'soon',
  'Infinity',
  '2026-03-01T12:00:30Z',
  'Sun, 01 Mar 2026 12:00:30',
  'Sun, 01 Mar 2026 12:00:30 CET',
  'Sun, 99 Mar 2026 12:00:30 GMT',
  'Sun, 01 Xxx 2026 12:00:30 GMT',
])('`%s` is no wait at all', (field) => {
  expect(read(field)).toBeUndefined();
});

test('any number of seconds is read, and bounded', async () => {
  await fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (seconds) => {
      const bounded = seconds > BigInt(RETRY_AFTER_SEC_MAX) ? RETRY_AFTER_SEC_MAX : Number(seconds);
      expect(read(seconds.toString())).toBe(bounded);
    }),
  );
});

test('any date means what it says in all three ways to write it, in any time zone of ours', async () => {
  const dates = fc.date({
    min: new Date(NOW_MS),
    max: new Date(NOW_MS + 2 * 86_400_000),
    noInvalidDate: true,
  });
  await fc.assert(
    fc.property(dates, (date) => {
      const imf = date.toUTCString();
      const [, day, month, year, time] = imf.split(/[ ,]+/) as [string, string, string, string, string];
      const weekday = date.toLocaleString('en', { weekday: 'long', timeZone: 'UTC' });
      const wholeMs = date.getTime() - (date.getTime() % 1000);
      const seconds = Math.min(Math.max(Math.ceil((wholeMs - NOW_MS) / 1000), 0), RETRY_AFTER_SEC_MAX);
      expect(read(imf)).toBe(seconds);
      expect(read(`${weekday}, ${day}-${month}-${year.slice(2)} ${time} GMT`)).toBe(seconds);
      const padded = day.replace(/^0/, ' ');
      expect(read(`${imf.slice(0, 3)} ${month} ${padded} ${time} ${year}`)).toBe(seconds);
    }),
  );
});

test('whatever is sent, the wait is within a day or none', async () => {
  await fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789 -') })), (field) => {
      const seconds = read(field);
      if (seconds === undefined) return;
      expect(Number.isInteger(seconds)).toBe(true);
      expect(seconds).toBeGreaterThanOrEqual(0);
      expect(seconds).toBeLessThanOrEqual(RETRY_AFTER_SEC_MAX);
    }),
  );
});
