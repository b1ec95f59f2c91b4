import picocolors from 'picocolors';

const LEVELS: Record<number, string> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const DROPPED = new Set(['level', 'time', 'msg', 'service', 'pid', 'hostname']);
const PREFIX_WIDTH = 22;

/** One pino record as a line for people; whatever is not such a record passes through behind its prefix. */
export function readableLogLine(prefix: string, line: string, options: { colour?: boolean } = {}): string {
  const colours = picocolors.createColors(options.colour ?? false);
  const start = colours.cyan(prefix.padEnd(PREFIX_WIDTH));
  const record = parseRecord(line);
  if (!record) return `${start} ${line}`;

  const level = LEVELS[Number(record.level)] ?? String(record.level);
  const paint = { warn: colours.yellow, error: colours.red, fatal: colours.red }[level] ?? colours.dim;
  const details = Object.entries(record)
    .filter(([key]) => !DROPPED.has(key))
    .map(([key, value]) => `${colours.dim(`${key}=`)}${readable(value)}`);
  return [start, paint(level.padEnd(5)), String(record.msg ?? ''), ...details].filter(Boolean).join(' ');
}

function parseRecord(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    const record: unknown = JSON.parse(line);
    return record !== null && typeof record === 'object' && 'level' in record ? { ...record } : null;
  } catch {
    return null;
  }
}

function readable(value: unknown): string {
  if (typeof value === 'string') return /^[^\s="]+$/.test(value) ? value : JSON.stringify(value);
  if (isError(value)) return value.stack ?? value.message;
  return JSON.stringify(value);
}

/** pino writes an error as `{ type, message, stack }`. */
function isError(value: unknown): value is { message: string; stack?: string } {
  return value !== null && typeof value === 'object' && 'type' in value && 'message' in value;
}
