import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, type ToldFailure } from './failure.ts';
import { onInterruptSay } from './interrupt.ts';

const TAIL_LINES = 12;

/** What a platform tells once it is up. */
export interface UpTold {
  readonly natsUrl: string;
  readonly dataDir: string;
  readonly services: readonly string[];
  readonly pid: number;
  readonly tookMs: number;
  readonly sync: string;
  readonly sandbox: {
    readonly dns: string;
    readonly zones: string;
    readonly smtp: string;
    readonly mail: string;
  } | null;
}

type Told = { readonly up: UpTold } | { readonly failed: ToldFailure };

/** To whoever started us in the background and waits for it. */
export function tellParent(told: Told): void {
  process.send?.(told, () => process.disconnect?.());
}

/** This very command once more, without `--detach`, in a session of its own. */
export class DetachedUp {
  readonly log: string;
  readonly #child: ChildProcess;

  /** The log of the run before is kept beside it. */
  constructor(log: string) {
    this.log = log;
    mkdirSync(dirname(log), { recursive: true });
    if (existsSync(log)) renameSync(log, `${log}.1`);
    const file = openSync(log, 'a', 0o600);
    const args = process.argv.slice(1).filter((argument) => argument !== '--detach');
    this.#child = spawn(process.execPath, args, {
      detached: true,
      stdio: ['ignore', file, file, 'ipc'],
    });
    closeSync(file);
  }

  /** Resolves once it is up, and leaves it running; throws what it ended with when it does not come up. */
  async up(): Promise<UpTold> {
    onInterruptSay(() => {
      this.#child.kill('SIGTERM');
      return 'interrupted: the platform is stopped again';
    });
    const ended = Promise.withResolvers<Told>();
    this.#child.once('message', (message) => ended.resolve(message as Told));
    this.#child.once('error', ended.reject);
    this.#child.once('exit', (code) => ended.reject(new Failure('failed', this.#problem(code))));
    const told = await ended.promise;
    this.#child.unref();
    if ('up' in told) return told.up;
    throw new Failure(told.failed.exit, told.failed.message, { problems: told.failed.problems });
  }

  #problem(code: number | null): string {
    const lines = readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES);
    return `the platform did not come up (exit code ${code}); the end of ${this.log}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  }
}
