export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export type WindowReason =
  | 'in_hours'
  | 'out_of_hours'
  | 'holiday'
  | 'quiet_hours'
  | 'tenant_paused'
  | 'maintenance'
  | 'tz_unknown';

/** Wall-clock times `HH:MM`. `to` at or before `from` is on the next day. */
export interface Hours {
  readonly from: string;
  readonly to: string;
}

export interface ContinuitySchedule extends Hours {
  /** A name of the IANA time zone database. */
  readonly timeZone: string;
  /** The days on which a window starts. */
  readonly days: readonly Weekday[];
  /** Local dates `YYYY-MM-DD`, closed from midnight to midnight. */
  readonly holidays?: readonly string[];
  /** Every day, inside the window too. */
  readonly quietHours?: Hours;
  readonly cadenceSec: number;
  readonly paused?: boolean;
  readonly maintenance?: boolean;
}

export interface ContinuityWindow {
  /** Absent when the time zone is unknown: then nobody knows. */
  readonly open?: boolean;
  readonly windowReason: WindowReason;
  /** When `open` or `windowReason` next differs; null when nothing but an act of somebody changes it. */
  readonly nextChangeAtMs: number | null;
  /** The next instant, now included, at which a run is due; null when none is in sight. */
  readonly nextRunAtMs: number | null;
}

/**
 * How far ahead a change is looked for. But for its holidays a schedule repeats every week, and its clocks
 * change on one day at a time: after the last holiday a fortnight shows all there is to see.
 */
const SEARCH_DAYS_MAX = 400;
const SEARCH_DAYS_PLAIN = 16;
/** No stretch is longer than a day, so its start is this near, clocks that skip a whole day included. */
const LOOK_BACK_DAYS = 3;

/**
 * Whether runs may go out at an instant, and until when that holds.
 *
 * Hours are wall-clock times of the schedule's zone, turned into instants by the rule `compatible` of
 * Temporal (that of RFC 5545): a time that does not exist, as clocks go forward, moves on by the length of the
 * gap; a time that exists twice, as clocks go back, is the first of the two. So a window keeps its wall-clock
 * ends, and lasts an hour less or more when the change lies inside it. One that lies wholly in the gap opens
 * an hour later; one that ends where the gap ends is empty that day.
 *
 * Between two boundaries (where a window, quiet hours or a holiday start or end) nothing changes. While the
 * window is open, runs are due at the last boundary and every cadence after it, until the next one.
 */
export function continuityWindow(schedule: ContinuitySchedule, nowMs: number): ContinuityWindow {
  if (!(schedule.cadenceSec > 0))
    throw new RangeError(`cadence of \`${schedule.cadenceSec}\` s is not positive`);
  if (schedule.maintenance === true) return closedUntilAct('maintenance');
  if (schedule.paused === true) return closedUntilAct('tenant_paused');
  if (!isTimeZone(schedule.timeZone)) {
    return { windowReason: 'tz_unknown', nextChangeAtMs: null, nextRunAtMs: null };
  }

  const calendar = readCalendar(schedule);
  const windowReason = reasonAt(calendar, nowMs);
  let nextChangeAtMs: number | null = null;
  let nextRunAtMs: number | null = null;
  for (const stretch of stretchesFrom(calendar, nowMs)) {
    if (stretch.reason !== windowReason) nextChangeAtMs ??= stretch.fromMs;
    if (stretch.reason === 'in_hours') nextRunAtMs ??= firstRun(stretch, schedule.cadenceSec * 1000, nowMs);
    if (nextChangeAtMs !== null && nextRunAtMs !== null) break;
  }
  return { open: windowReason === 'in_hours', windowReason, nextChangeAtMs, nextRunAtMs };
}

function closedUntilAct(windowReason: 'maintenance' | 'tenant_paused'): ContinuityWindow {
  return { open: false, windowReason, nextChangeAtMs: null, nextRunAtMs: null };
}

/** Temporal also takes offsets and whole timestamps for a zone; neither says when its clocks change. */
const ZONE_NAME = /^[A-Za-z][A-Za-z0-9._+-]*(?:\/[A-Za-z0-9._+-]+)*$/;

function isTimeZone(name: string): boolean {
  if (!ZONE_NAME.test(name)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

interface Calendar {
  readonly timeZone: string;
  readonly hours: Span;
  readonly quietHours: Span | undefined;
  readonly holidays: ReadonlySet<string>;
}

/** Hours that recur on some days of the week, 1 (Monday) to 7. */
interface Span {
  readonly from: Temporal.PlainTime;
  readonly to: Temporal.PlainTime;
  readonly days: ReadonlySet<number>;
}

interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Stretch extends Interval {
  readonly reason: WindowReason;
}

function readCalendar(schedule: ContinuitySchedule): Calendar {
  const { timeZone, days, holidays = [], quietHours } = schedule;
  return {
    timeZone,
    hours: readSpan(schedule, days),
    quietHours: quietHours === undefined ? undefined : readSpan(quietHours, WEEKDAYS),
    holidays: new Set(holidays.map((date) => Temporal.PlainDate.from(date).toString())),
  };
}

function readSpan({ from, to }: Hours, days: readonly Weekday[]): Span {
  return {
    from: Temporal.PlainTime.from(from),
    to: Temporal.PlainTime.from(to),
    days: new Set(days.map((day) => WEEKDAYS.indexOf(day) + 1)),
  };
}

function reasonAt(calendar: Calendar, atMs: number): WindowReason {
  const date = localDate(calendar, atMs);
  if (calendar.holidays.has(date.toString())) return 'holiday';
  if (calendar.quietHours !== undefined && isWithin(calendar.quietHours, calendar, date, atMs))
    return 'quiet_hours';
  return isWithin(calendar.hours, calendar, date, atMs) ? 'in_hours' : 'out_of_hours';
}

function isWithin(span: Span, calendar: Calendar, date: Temporal.PlainDate, atMs: number): boolean {
  return [0, 1, 2].some((daysBack) => {
    const interval = intervalOn(date.subtract({ days: daysBack }), span, calendar);
    return interval !== undefined && interval.fromMs <= atMs && atMs < interval.toMs;
  });
}

function intervalOn(date: Temporal.PlainDate, span: Span, calendar: Calendar): Interval | undefined {
  if (!span.days.has(date.dayOfWeek)) return undefined;
  const isOvernight = Temporal.PlainTime.compare(span.to, span.from) <= 0;
  const fromMs = instantOf(date, span.from, calendar);
  const toMs = instantOf(isOvernight ? date.add({ days: 1 }) : date, span.to, calendar);
  return fromMs < toMs ? { fromMs, toMs } : undefined;
}

function instantOf(date: Temporal.PlainDate, time: Temporal.PlainTime, { timeZone }: Calendar): number {
  return date.toPlainDateTime(time).toZonedDateTime(timeZone, { disambiguation: 'compatible' })
    .epochMilliseconds;
}

function localDate({ timeZone }: Calendar, atMs: number): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone).toPlainDate();
}

/** The first instant of a date, which is not midnight where clocks go forward at midnight. */
function startOf(date: Temporal.PlainDate, { timeZone }: Calendar): number {
  return date.toZonedDateTime(timeZone).epochMilliseconds;
}

/** The stretch that holds now, from its start, and those after it. */
function* stretchesFrom(calendar: Calendar, nowMs: number): Generator<Stretch> {
  let fromMs = nowMs;
  for (const boundaryMs of boundariesAround(calendar, nowMs)) {
    if (boundaryMs > nowMs) {
      yield { fromMs, toMs: boundaryMs, reason: reasonAt(calendar, Math.max(fromMs, nowMs)) };
    }
    fromMs = boundaryMs;
  }
  // after the last boundary in sight nothing changes any more
  yield {
    fromMs,
    toMs: Number.POSITIVE_INFINITY,
    reason: reasonAt(calendar, Math.max(fromMs, nowMs)),
  };
}

/** In order. Those of later dates never come before the start of their date. */
function* boundariesAround(calendar: Calendar, nowMs: number): Generator<number> {
  const today = localDate(calendar, nowMs);
  let pending = new Set<number>();
  for (let day = -LOOK_BACK_DAYS; day <= searchDays(calendar, today); day++) {
    const date = today.add({ days: day });
    const known = pending.union(new Set(boundariesOn(date, calendar)));
    const endMs = startOf(date.add({ days: 1 }), calendar);
    const settled = [...known].filter((boundaryMs) => boundaryMs < endMs);
    yield* settled.sort((one, other) => one - other);
    pending = known.difference(new Set(settled));
  }
}

function boundariesOn(date: Temporal.PlainDate, calendar: Calendar): number[] {
  const spans = [calendar.hours, calendar.quietHours].filter((span) => span !== undefined);
  const intervals = spans
    .map((span) => intervalOn(date, span, calendar))
    .filter((interval) => interval !== undefined);
  const boundaries = intervals.flatMap(({ fromMs, toMs }) => [fromMs, toMs]);
  if (!calendar.holidays.has(date.toString())) return boundaries;
  return [...boundaries, startOf(date, calendar), startOf(date.add({ days: 1 }), calendar)];
}

function searchDays({ holidays }: Calendar, today: Temporal.PlainDate): number {
  const last = [...holidays].sort().at(-1);
  const untilLast = last === undefined ? 0 : today.until(last, { largestUnit: 'days' }).days;
  return Math.min(SEARCH_DAYS_MAX, Math.max(0, untilLast) + SEARCH_DAYS_PLAIN);
}

function firstRun({ fromMs, toMs }: Stretch, cadenceMs: number, nowMs: number): number | null {
  const cadences = Math.max(0, Math.ceil((nowMs - fromMs) / cadenceMs));
  const runMs = fromMs + cadences * cadenceMs;
  return runMs < toMs ? runMs : null;
}
