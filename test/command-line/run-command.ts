import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export const ROOT = new URL('../..', import.meta.url).pathname;
export const OUTREACH = join(ROOT, 'examples', 'outreach');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A command that is running: what it printed so far, and how it ends. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  out(): string;
}

/** The command line as it is, in a process of its own, without a terminal. */
export function start(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Running {
  const child = spawn(process.execPath, [join(ROOT, 'libs/cli/src/main.ts'), ...args], {
    cwd: ROOT,
    env: {
      ...process.env,
      NO_COLOR: '1',
      NATS_URL: undefined,
      NODE_COMPILE_CACHE: join(ROOT, '.orchestrate/cache/compile'),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<Ran>((done) => child.on('close', (code) => done({ code, out, err })));
  return { child, ended, out: () => out };
}

export const run = (args: readonly string[], env?: Readonly<Record<string, string | undefined>>) =>
  start(args, env).ended;

/** Documents of a command that was called with `--json`, one a line. */
export const documentsIn = (out: string): unknown[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
