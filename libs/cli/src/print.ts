import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import {
  type DispatchDecision,
  dispatches,
  type ManagedExecutionState,
  type ReadinessBucket,
  stateToBucket,
} from '@orchestrate/canon';
import Table from 'cli-table3';
import picocolors from 'picocolors';
import type { z } from 'zod';

const wantsColour = process.env.FORCE_COLOR ? process.env.FORCE_COLOR !== '0' : process.stdout.isTTY === true;

/** Colour for a terminal, or where FORCE_COLOR asks for it; never when NO_COLOR asks for none. */
export const colours = picocolors.createColors(wantsColour && !process.env.NO_COLOR);

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** What a document looks like is fixed by its schema, from which the reference is made. */
export function printJson<Schema extends z.ZodType>(
  _schema: Schema,
  value: DeepReadonly<z.input<Schema>>,
): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function printLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** A path as a person here would write it. */
export function pathHere(path: string): string {
  const here = relative(process.cwd(), path);
  return here === '' ? '.' : here.startsWith('..') ? path : here;
}

/** Columns of the terminal; without one lines may be as long as they are. */
export function screenWidth(): number {
  return process.stdout.columns ?? (Number(process.env.COLUMNS) || Number.POSITIVE_INFINITY);
}

const NO_RULING = Object.fromEntries(
  ['top', 'bottom', 'left', 'mid', 'right'].flatMap((part) =>
    ['', '-mid', '-left', '-right'].map((end) => [`${part}${end}`, '']),
  ),
);
const GAP = 2;
const LAST_COLUMN_MIN = 14;

/** A table without ruling, so that it can be read, copied and cut into columns. The last column wraps. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return layOut(rows, widthsOf([head, ...rows]), head);
}

/** One row of a table that is printed row by row, so that the widths of all but the last column are given. */
export function columnsOf(row: readonly string[], widths: readonly number[]): string {
  const last = widthsOf([row]).at(-1)!;
  return layOut([row], [...widths.map((width) => width + GAP), last], []);
}

function longestWord(cells: readonly string[]): number {
  return Math.max(
    0,
    ...cells.flatMap((cell) => stripVTControlCharacters(cell).split(/\s+/)).map(({ length }) => length),
  );
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return rows[0]!.map((_, column) => {
    const cells = rows.flatMap((row) => (row[column] ?? '').split('\n'));
    return Math.max(...cells.map((cell) => stripVTControlCharacters(cell).length)) + GAP;
  });
}

function layOut(
  rows: readonly (readonly string[])[],
  widths: readonly number[],
  head: readonly string[],
): string {
  const others = widths.slice(0, -1);
  const room = Math.max(LAST_COLUMN_MIN, screenWidth() - others.reduce((sum, width) => sum + width, 0));
  const table = new Table({
    head: head.map((title) => colours.dim(title)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    chars: { ...NO_RULING, middle: '' },
    colWidths: [...others, Math.min(widths.at(-1)!, room)],
    wordWrap: true,
    // A word that does not fit is broken: cut off it would be lost.
    wrapOnWordBoundary: longestWord(rows.map((row) => row.at(-1) ?? '')) <= room - GAP,
  });
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  printLine(tableOf(head, rows));
}

const BUCKET_COLOURS = {
  ready_to_execute: 'green',
  executing: 'green',
  recovering: 'cyan',
  degraded: 'yellow',
  orchestrate_working: 'blue',
  client_action_required: 'magenta',
  orchestrate_blocked_internal: 'red',
} as const satisfies Record<ReadinessBucket, string>;

/** Shape as well as colour: who sees no colours can still tell the buckets apart. */
const BUCKET_SIGNS: Readonly<Record<ReadinessBucket, string>> = {
  ready_to_execute: '●',
  executing: '▶',
  recovering: '◐',
  degraded: '◒',
  orchestrate_working: '○',
  client_action_required: '▲',
  orchestrate_blocked_internal: '■',
};

export function stateWithSign(state: ManagedExecutionState): string {
  const bucket = stateToBucket(state);
  return colours[BUCKET_COLOURS[bucket]](`${BUCKET_SIGNS[bucket]} ${state}`);
}

export function inBucketColour(bucket: ReadinessBucket, text: string): string {
  return colours[BUCKET_COLOURS[bucket]](text);
}

export function inDecisionColour(kind: DispatchDecision, text: string = kind): string {
  if (kind === 'BLOCK') return colours.red(text);
  return dispatches(kind) ? colours.green(text) : colours.yellow(text);
}

export const VERDICT_SIGNS = { pass: '✓', fail: '✗', unknown: '?' } as const;

/** A verdict by shape and colour. */
export function verdictSign(verdict: keyof typeof VERDICT_SIGNS): string {
  const colour = { pass: colours.green, fail: colours.red, unknown: colours.blue }[verdict];
  return colour(VERDICT_SIGNS[verdict]);
}

/** `1 row`, `2 rows`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** How long ago, in the largest unit that fits: `45 s`, `12 min`, `3 h`, `4 d`. */
export function ageOf(atMs: number | null, nowMs: number): string {
  return atMs === null ? '-' : durationOf(Math.max(0, nowMs - atMs));
}

export function durationOf(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `2026-11-24 09:03:22`, UTC. */
export const timeOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');
/** `09:03:22`, UTC. */
export const clockOf = (atMs: number): string => new Date(atMs).toISOString().slice(11, 19);

/** Enough of a digest to tell it from its neighbours. */
export const shortDigest = (digest: string): string => digest.slice(0, 12);
/** Enough of a dispatch id to name it: `explain`, `approve` and `reject` take it like that. */
export const shortDispatch = (dispatchId: string): string => dispatchId.slice(0, 14);
