/** Whatever a server says, it is asked again within a day. */
export const RETRY_AFTER_SEC_MAX = 86_400;

const DELAY_SECONDS = /^\d+$/;
/** RFC 9110 5.6.7: the date as it is written today, and the two obsolete ways that still have to be read. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * RFC 9110 10.2.3: seconds, or the date until which to wait. In seconds, 0 for a date that has passed; undefined
 * for what is neither.
 */
export function parseRetryAfter(field: string | null, nowMs: number): number | undefined {
  if (field === null) return undefined;
  const seconds = DELAY_SECONDS.test(field) ? Number(field) : secondsUntil(field, nowMs);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), RETRY_AFTER_SEC_MAX);
}

function secondsUntil(field: string, nowMs: number): number {
  if (!HTTP_DATES.some((format) => format.test(field))) return Number.NaN;
  // the oldest way names no zone and means this one
  const atMs = Date.parse(field.endsWith(' GMT') ? field : `${field} GMT`);
  return Math.ceil((atMs - nowMs) / 1000);
}
