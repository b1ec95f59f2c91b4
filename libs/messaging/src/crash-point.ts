import { writeSync } from 'node:fs';

/** Named moments on the way of an input to its durable effect, in the order in which they come. */
export const CRASH_POINTS = [
  /** The partition is taken and its mark is read; nothing else is known yet. */
  'during_hydration',
  'hydrated_before_reading',
  'input_received',
  /** The newest state is made, and not sent. */
  'handled_before_publish',
  /** The server has it, and its answer is not noted. */
  'publish_sent',
  /** The answer is here, and nothing is concluded from it. */
  'ack_received',
  'before_chain_record',
  'chain_record_sent',
  /** The record is durable, and the ledger does not know. */
  'chain_record_stored',
  'before_ledger_save',
  /** Touches and holds are saved, the state that rests on them is not. */
  'ledger_half_saved',
  /** Everything is durable, the ledger too, and the mark does not say so. Only partitions with tenants pass here. */
  'before_mark',
  'after_mark',
  /** Reading has ended and everything is worked off; the last mark and the release are not written. */
  'during_release',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

const armed = armedBy(process.env.ORCHESTRATE_CRASH_AT);
let passed = 0;

/**
 * Where a test makes this very process die, as by SIGKILL: `ORCHESTRATE_CRASH_AT=<point>[:<nth>]` names the point and
 * how often it is passed until then. Without that variable a call does nothing. With a connection what was published
 * reaches the server first.
 */
export function crashPoint(point: CrashPoint, connection?: { flush(): Promise<void> }): void {
  if (point !== armed?.point || ++passed !== armed.nth) return;
  if (connection) void connection.flush().finally(() => die(point));
  else die(point);
}

function die(point: CrashPoint): void {
  writeSync(2, `dies at ${point}\n`);
  process.kill(process.pid, 'SIGKILL');
}

function armedBy(wanted: string | undefined): { readonly point: CrashPoint; readonly nth: number } | null {
  if (!wanted) return null;
  const [name, nth = '1'] = wanted.split(':');
  const point = CRASH_POINTS.find((one) => one === name);
  if (point && /^[1-9]\d{0,5}$/.test(nth)) return { point, nth: Number(nth) };
  throw new Error(`ORCHESTRATE_CRASH_AT takes one of ${CRASH_POINTS.join(', ')}, and :<nth> after it`);
}
