import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFlagsOf } from '@orchestrate/embedded';

export const ROOT = join(import.meta.dirname, '../../../..');

const READY_MS_MAX = 600_000;
const STOP_MS_MAX = 15_000;

export interface ServiceStart {
  readonly name: string;
  readonly instance: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Script to run, relative to the root; the service's own when absent. */
  readonly entry?: string;
  /** Where Node writes its profile of this process when it ends. */
  readonly profileDir?: string | undefined;
}

/** One service as its own process, which nobody brings back: what is killed here stays dead until it is started. */
export class ServiceProcess implements AsyncDisposable {
  readonly name: string;
  readonly instance: string;
  readonly pid: number;
  /** From the start of the process until it said that it works. */
  readonly readyMs: number;
  readonly #healthPort: number;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #hasEnded = false;

  private constructor(
    start: ServiceStart,
    child: ChildProcess,
    ended: Promise<unknown>,
    readyMs: number,
    healthPort: number,
  ) {
    this.name = start.name;
    this.instance = start.instance;
    this.pid = child.pid!;
    this.readyMs = readyMs;
    this.#healthPort = healthPort;
    this.#child = child;
    this.#ended = ended;
    void ended.then(() => {
      this.#hasEnded = true;
    });
  }

  static async start(start: ServiceStart): Promise<ServiceProcess> {
    const { name, instance, env, logFile, profileDir, entry = join('services', name, 'src/main.ts') } = start;
    const profiled = profileDir
      ? ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${instance}.cpuprofile`]
      : [];
    const log = openSync(logFile, 'a');
    const begunMs = performance.now();
    const child = spawn(process.execPath, [...nodeFlagsOf(name), ...profiled, join(ROOT, entry)], {
      cwd: ROOT,
      env: { ...env, ORCHESTRATE_INSTANCE: instance },
      stdio: ['ignore', log, log, 'ipc'],
    });
    const ended = once(child, 'exit').catch(() => {});
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, READY_MS_MAX);
    const ready = await Promise.race([
      once(child, 'message').then(([message]) => message as { healthPort: number }),
      ended.then(() => null),
    ]);
    clearTimeout(timer);
    if (ready) return new ServiceProcess(start, child, ended, performance.now() - begunMs, ready.healthPort);
    const tail = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-5).join('\n  ');
    const problem = isLate ? `was not ready after ${READY_MS_MAX / 1000} s` : 'ended before it was ready';
    throw new Error(`${instance} ${problem}; its last lines:\n  ${tail}`);
  }

  get isRunning(): boolean {
    return !this.#hasEnded;
  }

  /** How many partitions it owns, and of how many it has read everything. */
  async owned(): Promise<{ readonly owned: number; readonly caughtUp: number }> {
    const response = await fetch(`http://127.0.0.1:${this.#healthPort}/healthz`);
    return (await response.json()) as { owned: number; caughtUp: number };
  }

  /** Sends the signal and does not wait. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  ended(): Promise<unknown> {
    return this.#ended;
  }

  async stop(): Promise<void> {
    this.kill('SIGTERM');
    const timer = setTimeout(() => this.kill('SIGKILL'), STOP_MS_MAX);
    await this.#ended;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
