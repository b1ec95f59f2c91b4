import Table from 'cli-table3';
import picocolors from 'picocolors';

/** Colour only for a terminal, and never when NO_COLOR asks for none. */
export const colours = picocolors.createColors(process.stdout.isTTY === true && !process.env.NO_COLOR);

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function printLine(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** A table without ruling, so that it can be read, copied and cut into columns. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = new Table({
    head: head.map((title) => colours.dim(title)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: Object.fromEntries(
      [
        'top',
        'top-mid',
        'top-left',
        'top-right',
        'bottom',
        'bottom-mid',
        'bottom-left',
        'bottom-right',
        'left',
        'left-mid',
        'mid',
        'mid-mid',
        'right',
        'right-mid',
        'middle',
      ].map((part) => [part, '']),
    ),
  });
  for (const row of rows) table.push([...row]);
  printLine(
    table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
  );
}

const BUCKET_COLOURS = {
  ready_to_execute: 'green',
  executing: 'green',
  recovering: 'cyan',
  degraded: 'yellow',
  orchestrate_working: 'blue',
  client_action_required: 'magenta',
  orchestrate_blocked_internal: 'red',
} as const;

export function inBucketColour(bucket: keyof typeof BUCKET_COLOURS, text: string): string {
  return colours[BUCKET_COLOURS[bucket]](text);
}

/** How long ago, in the largest unit that fits: `45 s`, `12 min`, `3 h`, `4 d`. */
export function ageOf(atMs: number | null, nowMs: number): string {
  if (atMs === null) return '-';
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** A line that is rewritten in place on a terminal, and not shown anywhere else. */
export class Progress {
  #shown = 0;
  readonly #label: string;

  constructor(label: string) {
    this.#label = label;
  }

  show(text: string): void {
    const nowMs = Date.now();
    if (!process.stderr.isTTY || nowMs - this.#shown < 100) return;
    this.#shown = nowMs;
    process.stderr.write(`\r\u001b[K${this.#label} ${text}`);
  }

  done(): void {
    if (process.stderr.isTTY && this.#shown > 0) process.stderr.write('\r\u001b[K');
  }
}
