export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** How long each archetype is followed. */
export const DAYS = 60;
/** Midnight (UTC) of day 1, a Monday. */
export const START_MS = Date.parse('2026-03-02T00:00:00Z');

/** 1 on the first day, 0 and less before it. */
export const dayOf = (atMs: number): number => Math.floor((atMs - START_MS) / DAY_MS) + 1;

/** A time of day on a day, `hour` with its fraction. */
export const timeOn = (day: number, hour: number): number => START_MS + (day - 1) * DAY_MS + hour * HOUR_MS;
