import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ContinuitySchedule, continuityWindow, WEEKDAYS } from './window.ts';

const WORKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
const MADRID: ContinuitySchedule = {
  timeZone: 'Europe/Madrid',
  days: WORKDAYS,
  from: '09:00',
  to: '18:00',
  cadenceSec: 3600,
};
const EVERY_DAY = { ...MADRID, days: WEEKDAYS };
const NEW_YORK = { ...EVERY_DAY, timeZone: 'America/New_York' };

/** Instants in and out in UTC, so that the expectations hold no arithmetic. */
function at(schedule: ContinuitySchedule, instant: string) {
  const { nextChangeAtMs, nextRunAtMs, ...rest } = continuityWindow(schedule, Date.parse(instant));
  return { ...rest, change: toUtc(nextChangeAtMs), run: toUtc(nextRunAtMs) };
}

function toUtc(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString().replace(':00.000Z', 'Z');
}

describe('a plain week', () => {
  test.each([
    ['before it opens', '2026-01-14T07:59Z', 'out_of_hours', '2026-01-14T08:00Z', '2026-01-14T08:00Z'],
    ['at the minute it opens', '2026-01-14T08:00Z', 'in_hours', '2026-01-14T17:00Z', '2026-01-14T08:00Z'],
    ['between two runs', '2026-01-14T08:01Z', 'in_hours', '2026-01-14T17:00Z', '2026-01-14T09:00Z'],
    [
      'after the last run of the day',
      '2026-01-14T16:30Z',
      'in_hours',
      '2026-01-14T17:00Z',
      '2026-01-15T08:00Z',
    ],
    [
      'at the minute it closes',
      '2026-01-14T17:00Z',
      'out_of_hours',
      '2026-01-15T08:00Z',
      '2026-01-15T08:00Z',
    ],
    ['on Friday evening', '2026-01-16T20:00Z', 'out_of_hours', '2026-01-19T08:00Z', '2026-01-19T08:00Z'],
    ['on Sunday', '2026-01-18T12:00Z', 'out_of_hours', '2026-01-19T08:00Z', '2026-01-19T08:00Z'],
  ])('%s', (_, now, windowReason, change, run) => {
    expect(at(MADRID, now)).toEqual({ open: windowReason === 'in_hours', windowReason, change, run });
  });

  test('a zone of a quarter of an hour is exact', () => {
    const schedule = { ...EVERY_DAY, timeZone: 'Asia/Kathmandu' };
    expect(at(schedule, '2026-01-14T03:14Z')).toMatchObject({ open: false, change: '2026-01-14T03:15Z' });
    expect(at(schedule, '2026-01-14T03:15Z')).toMatchObject({ open: true, change: '2026-01-14T12:15Z' });
  });

  test('a cadence longer than the window runs once a day, as it opens', () => {
    const daily = { ...MADRID, cadenceSec: 86_400 };
    expect(at(daily, '2026-01-14T08:00Z')).toMatchObject({ run: '2026-01-14T08:00Z' });
    expect(at(daily, '2026-01-14T08:01Z')).toMatchObject({ run: '2026-01-15T08:00Z' });
  });
});

describe('a window over midnight', () => {
  const night = { ...MADRID, days: ['fri'] as const, from: '22:00', to: '02:00' };

  test('belongs to the day it starts on', () => {
    expect(at(night, '2026-01-16T21:00Z')).toMatchObject({ open: true, change: '2026-01-17T01:00Z' });
    expect(at(night, '2026-01-17T00:59Z')).toMatchObject({ open: true, change: '2026-01-17T01:00Z' });
    expect(at(night, '2026-01-17T01:00Z')).toMatchObject({ open: false, change: '2026-01-23T21:00Z' });
    expect(at(night, '2026-01-16T00:30Z')).toMatchObject({ open: false, change: '2026-01-16T21:00Z' });
  });

  test('with equal ends lasts a day', () => {
    const day = { ...night, from: '09:00', to: '09:00' };
    expect(at(day, '2026-01-16T08:00Z')).toMatchObject({ open: true, change: '2026-01-17T08:00Z' });
  });

  test('every day around the clock has no next change, and its runs go on', () => {
    const always = { ...EVERY_DAY, from: '00:00', to: '00:00' };
    expect(at(always, '2026-01-14T08:30Z')).toEqual({
      open: true,
      windowReason: 'in_hours',
      change: null,
      run: '2026-01-14T09:00Z',
    });
  });
});

describe('holidays', () => {
  const schedule = { ...MADRID, holidays: ['2026-01-06'] };

  test('close their local date from midnight to midnight', () => {
    expect(at(schedule, '2026-01-05T17:00Z')).toMatchObject({
      windowReason: 'out_of_hours',
      change: '2026-01-05T23:00Z',
    });
    expect(at(schedule, '2026-01-05T23:00Z')).toMatchObject({
      open: false,
      windowReason: 'holiday',
      change: '2026-01-06T23:00Z',
      run: '2026-01-07T08:00Z',
    });
    expect(at(schedule, '2026-01-06T10:00Z')).toMatchObject({ windowReason: 'holiday' });
    expect(at(schedule, '2026-01-06T23:00Z')).toMatchObject({
      windowReason: 'out_of_hours',
      change: '2026-01-07T08:00Z',
    });
  });

  test('cut a window over midnight, and let go of its rest', () => {
    const night = { ...schedule, days: WEEKDAYS, from: '22:00', to: '02:00' };
    expect(at(night, '2026-01-05T22:00Z')).toMatchObject({ open: true, change: '2026-01-05T23:00Z' });
    expect(at(night, '2026-01-06T22:00Z')).toMatchObject({
      windowReason: 'holiday',
      change: '2026-01-06T23:00Z',
    });
    expect(at(night, '2026-01-06T23:00Z')).toMatchObject({ open: true, change: '2026-01-07T01:00Z' });
  });

  test('end also where no window ever opens after them', () => {
    const never = { ...MADRID, days: [], holidays: ['2026-10-25'] };
    expect(at(never, '2026-10-25T01:00Z')).toEqual({
      open: false,
      windowReason: 'holiday',
      change: '2026-10-25T23:00Z',
      run: null,
    });
  });

  test('far ahead are found', () => {
    const always = { ...EVERY_DAY, from: '00:00', to: '00:00', holidays: ['2026-12-25'] };
    expect(at(always, '2026-01-14T08:00Z')).toMatchObject({ change: '2026-12-24T23:00Z' });
  });

  test('beyond the search are not', () => {
    const always = { ...EVERY_DAY, from: '00:00', to: '00:00', holidays: ['2028-12-25'] };
    expect(at(always, '2026-01-14T08:00Z')).toMatchObject({ open: true, change: null });
  });
});

describe('quiet hours', () => {
  test('inside the window close it, and a run is due as they end', () => {
    const siesta = { ...MADRID, quietHours: { from: '13:30', to: '15:15' } };
    expect(at(siesta, '2026-01-14T12:00Z')).toMatchObject({ open: true, change: '2026-01-14T12:30Z' });
    expect(at(siesta, '2026-01-14T12:30Z')).toEqual({
      open: false,
      windowReason: 'quiet_hours',
      change: '2026-01-14T14:15Z',
      run: '2026-01-14T14:15Z',
    });
    expect(at(siesta, '2026-01-14T14:16Z')).toMatchObject({ open: true, run: '2026-01-14T15:15Z' });
  });

  test('over midnight go before out of hours', () => {
    const schedule = { ...MADRID, quietHours: { from: '21:00', to: '07:00' } };
    expect(at(schedule, '2026-01-14T19:00Z')).toMatchObject({
      windowReason: 'out_of_hours',
      change: '2026-01-14T20:00Z',
    });
    expect(at(schedule, '2026-01-15T02:00Z')).toMatchObject({
      windowReason: 'quiet_hours',
      change: '2026-01-15T06:00Z',
    });
  });

  test('around the clock leave nothing to look forward to', () => {
    const schedule = { ...MADRID, quietHours: { from: '00:00', to: '00:00' } };
    expect(at(schedule, '2026-01-14T12:00Z')).toEqual({
      open: false,
      windowReason: 'quiet_hours',
      change: null,
      run: null,
    });
  });
});

describe('Europe/Madrid, 29 March 2026: 02:00 becomes 03:00 at 01:00Z', () => {
  test('the window opens by the new clock', () => {
    expect(at(EVERY_DAY, '2026-03-28T20:00Z')).toMatchObject({ change: '2026-03-29T07:00Z' });
    expect(at(EVERY_DAY, '2026-03-29T07:00Z')).toMatchObject({ open: true, change: '2026-03-29T16:00Z' });
  });

  test('a window over the change keeps its ends and is an hour shorter', () => {
    const night = { ...EVERY_DAY, from: '01:00', to: '04:00' };
    expect(at(night, '2026-03-29T00:00Z')).toMatchObject({ open: true, change: '2026-03-29T02:00Z' });
  });

  test('a window that lies in the missing hour opens an hour later by the clock', () => {
    const gap = { ...EVERY_DAY, from: '02:15', to: '02:45' };
    expect(at(gap, '2026-03-29T00:30Z')).toMatchObject({ open: false, change: '2026-03-29T01:15Z' });
    expect(at(gap, '2026-03-29T01:15Z')).toMatchObject({ open: true, change: '2026-03-29T01:45Z' });
  });

  test('a window that starts in the missing hour and ends with it does not open that day', () => {
    const gap = { ...EVERY_DAY, from: '02:30', to: '03:00' };
    expect(at(gap, '2026-03-29T00:30Z')).toMatchObject({ open: false, change: '2026-03-30T00:30Z' });
  });

  test('an end in the missing hour moves on as well', () => {
    const night = { ...EVERY_DAY, from: '01:00', to: '02:30' };
    expect(at(night, '2026-03-29T00:00Z')).toMatchObject({ open: true, change: '2026-03-29T01:30Z' });
  });
});

describe('Europe/Madrid, 25 October 2026: 03:00 becomes 02:00 at 01:00Z', () => {
  test('the window opens by the new clock', () => {
    expect(at(EVERY_DAY, '2026-10-24T20:00Z')).toMatchObject({ change: '2026-10-25T08:00Z' });
  });

  test('a window over the change keeps its ends and is an hour longer', () => {
    const night = { ...EVERY_DAY, from: '01:00', to: '04:00' };
    expect(at(night, '2026-10-24T23:00Z')).toMatchObject({ open: true, change: '2026-10-25T03:00Z' });
  });

  test('a window in the hour that comes twice opens in the first of them only', () => {
    const twice = { ...EVERY_DAY, from: '02:15', to: '02:45' };
    expect(at(twice, '2026-10-25T00:15Z')).toMatchObject({ open: true, change: '2026-10-25T00:45Z' });
    expect(at(twice, '2026-10-25T01:15Z')).toMatchObject({ open: false, change: '2026-10-26T01:15Z' });
  });
});

describe('America/New_York, 2026', () => {
  test('8 March: 02:00 becomes 03:00 at 07:00Z', () => {
    expect(at(NEW_YORK, '2026-03-07T23:00Z')).toMatchObject({ open: false, change: '2026-03-08T13:00Z' });
    const night = { ...NEW_YORK, from: '22:00', to: '02:30' };
    expect(at(night, '2026-03-08T03:00Z')).toMatchObject({ open: true, change: '2026-03-08T07:30Z' });
  });

  test('1 November: 02:00 becomes 01:00 at 06:00Z', () => {
    expect(at(NEW_YORK, '2026-10-31T22:00Z')).toMatchObject({ open: false, change: '2026-11-01T14:00Z' });
    const night = { ...NEW_YORK, from: '22:00', to: '01:30' };
    expect(at(night, '2026-11-01T02:00Z')).toMatchObject({ open: true, change: '2026-11-01T05:30Z' });
    expect(at(night, '2026-11-01T06:15Z')).toMatchObject({ open: false });
  });
});

test('a day that starts at one o’clock is closed as a holiday from its first instant', () => {
  const schedule = {
    ...EVERY_DAY,
    timeZone: 'Africa/Cairo',
    from: '00:00',
    to: '00:00',
    holidays: ['2026-04-24'],
  };
  expect(at(schedule, '2026-04-23T12:00Z')).toMatchObject({ open: true, change: '2026-04-23T22:00Z' });
  expect(at(schedule, '2026-04-23T22:00Z')).toMatchObject({
    windowReason: 'holiday',
    change: '2026-04-24T21:00Z',
  });
});

describe('what comes before the clock', () => {
  const stopped = { open: false, change: null, run: null };

  test('maintenance goes before a pause, and both before everything else [L11]', () => {
    const both = { ...MADRID, timeZone: 'Mars/Base', paused: true, maintenance: true };
    expect(at(both, '2026-01-14T12:00Z')).toEqual({ ...stopped, windowReason: 'maintenance' });
    expect(at({ ...both, maintenance: false }, '2026-01-14T12:00Z')).toEqual({
      ...stopped,
      windowReason: 'tenant_paused',
    });
  });

  test.each([
    'Mars/Base',
    '',
    '+05:45',
    '2026-01-01T00:00[Europe/Madrid]',
    'Europe/Madrid ',
    '../etc/passwd',
  ])('the zone `%s` is unknown: neither open nor closed', (timeZone) => {
    const answer = continuityWindow(
      { ...MADRID, timeZone, holidays: ['2026-01-14'] },
      Date.parse('2026-01-14T12:00Z'),
    );
    expect(answer).toEqual({ windowReason: 'tz_unknown', nextChangeAtMs: null, nextRunAtMs: null });
    expect('open' in answer).toBe(false);
  });

  test.each([0, -1, Number.NaN])('a cadence of %d s is a mistake of ours', (cadenceSec) => {
    expect(() => at({ ...MADRID, cadenceSec }, '2026-01-14T12:00Z')).toThrow('is not positive');
  });

  test('without days nothing ever opens', () => {
    expect(at({ ...MADRID, days: [] }, '2026-01-14T12:00Z')).toEqual({
      ...stopped,
      windowReason: 'out_of_hours',
    });
  });
});

describe('any schedule [L11]', () => {
  const minutes = fc.integer({ min: 0, max: 24 * 4 - 1 }).map((quarters) => {
    const [hours, rest] = [Math.floor(quarters / 4), (quarters % 4) * 15];
    return `${String(hours).padStart(2, '0')}:${String(rest).padStart(2, '0')}`;
  });
  const hours = fc.record({ from: minutes, to: minutes });
  const zones = [
    'Europe/Madrid',
    'America/New_York',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Africa/Cairo',
    'UTC',
  ];
  // around the four changes of the clocks in Madrid and New York
  const edges = ['2026-03-08T07:00Z', '2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-11-01T06:00Z'];
  const instants = fc
    .tuple(fc.constantFrom(...edges), fc.integer({ min: -4 * 1440, max: 4 * 1440 }))
    .map(([edge, offset]) => Date.parse(edge) + offset * 60_000);
  const schedules = fc
    .record({
      timeZone: fc.constantFrom(...zones),
      days: fc.subarray([...WEEKDAYS]),
      window: hours,
      quietHours: fc.option(hours, { nil: undefined }),
      holidays: fc.subarray(['2026-03-08', '2026-03-29', '2026-03-30', '2026-10-25', '2026-11-01']),
      cadenceSec: fc.constantFrom(60, 900, 3600, 100_000),
    })
    .map(({ window, quietHours, ...rest }) => ({
      ...rest,
      ...window,
      ...(quietHours === undefined ? {} : { quietHours }),
    }));

  test('holds what it says until the next change, and not beyond', () => {
    fc.assert(
      fc.property(
        schedules,
        instants,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (schedule, nowMs, share) => {
          const now = continuityWindow(schedule, nowMs);
          const { nextChangeAtMs } = now;
          const until = nextChangeAtMs ?? nowMs + 7 * 86_400_000;
          const between = nowMs + Math.floor((until - 1 - nowMs) * share);
          expect(until).toBeGreaterThan(nowMs);
          expect(continuityWindow(schedule, between).windowReason).toBe(now.windowReason);
          expect(continuityWindow(schedule, until - 1)).toMatchObject({
            windowReason: now.windowReason,
            nextChangeAtMs,
          });
          if (nextChangeAtMs !== null) {
            expect(continuityWindow(schedule, nextChangeAtMs).windowReason).not.toBe(now.windowReason);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('sees its next run in an open window, and still sees it when it comes', () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, nowMs) => {
        const { nextRunAtMs } = continuityWindow(schedule, nowMs);
        if (nextRunAtMs === null) return;
        expect(nextRunAtMs).toBeGreaterThanOrEqual(nowMs);
        expect(continuityWindow(schedule, nextRunAtMs)).toMatchObject({ open: true, nextRunAtMs });
      }),
      { numRuns: 300 },
    );
  });

  test('reads as a clock on the wall does, on days that do not change it', () => {
    const january = fc
      .integer({ min: 0, max: 10 * 1440 })
      .map((offset) => Date.parse('2026-01-10T00:00Z') + offset * 60_000);
    fc.assert(
      fc.property(schedules, january, (schedule, nowMs) => {
        expect(continuityWindow(schedule, nowMs).windowReason).toBe(wallClockReason(schedule, nowMs));
      }),
      { numRuns: 300 },
    );
  });
});

function wallClockReason(schedule: ContinuitySchedule, nowMs: number): string {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: schedule.timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const parts = new Map(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  const time = `${parts.get('hour')}:${parts.get('minute')}`;
  const today = (WEEKDAYS as readonly string[]).indexOf(parts.get('weekday')?.toLowerCase() ?? '');
  const yesterday = WEEKDAYS[(today + 6) % 7];
  const within = (hours: { from: string; to: string }, days: readonly string[]) => {
    const startsToday = days.includes(WEEKDAYS[today] ?? '');
    if (hours.from < hours.to) return startsToday && hours.from <= time && time < hours.to;
    return (startsToday && hours.from <= time) || (days.includes(yesterday ?? '') && time < hours.to);
  };
  if (schedule.quietHours !== undefined && within(schedule.quietHours, WEEKDAYS)) return 'quiet_hours';
  return within(schedule, schedule.days) ? 'in_hours' : 'out_of_hours';
}
