import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from './failure.ts';
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
  readonly sandbox: { readonly dns: string; readonly zones: string; readonly mail: string } | null;
}

/** To whoever started us in the background and waits for it. */
export function tellParent(told: UpTold): void {
  if (!process.send) return;
  process.send(told, () => process.disconnect?.());
}

/** This very command once more, without `--detach`, in a session of its own. */
export class DetachedUp {
  readonly log: string;
  readonly #child: ChildProcess;

  constructor(log: string) {
    this.log = log;
    mkdirSync(dirname(log), { recursive: true });
    const file = openSync(log, 'a', 0o600);
    const args = process.argv.slice(1).filter((argument) => argument !== '--detach');
    this.#child = spawn(process.execPath, args, {
      detached: true,
      stdio: ['ignore', file, file, 'ipc'],
    });
    closeSync(file);
  }

  /** Resolves once it is up, and leaves it running; throws with the end of its log when it does not come up. */
  async up(): Promise<UpTold> {
    onInterruptSay(() => {
      this.#child.kill('SIGTERM');
      return 'interrupted: the platform is stopped again';
    });
    const told = Promise.withResolvers<UpTold>();
    this.#child.once('message', (message) => told.resolve(message as UpTold));
    this.#child.once('error', told.reject);
    this.#child.once('exit', (code) => told.reject(new Failure('failed', this.#problem(code))));
    const up = await told.promise;
    this.#child.unref();
    return up;
  }

  #problem(code: number | null): string {
    const lines = readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES);
    return `the platform did not come up (exit code ${code}); the end of ${this.log}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  }
}
