import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';

const READY_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 10_000;
const HEALTHY_MS = 30_000;
const TAIL_LINES = 20;

/** What a service says over its IPC channel once it works. */
const readyMessage = z.object({ type: z.literal('ready'), healthPort: z.int().nullable().default(null) });

export const SERVICE_STATES = ['starting', 'running', 'waiting', 'stopped'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

export interface ServiceStatus {
  name: string;
  instance: string;
  pid: number | null;
  healthPort: number | null;
  restarts: number;
  state: ServiceState;
}

export interface SupervisorOptions {
  /** The Node binary that runs the services. */
  node?: string;
  /** Their working directory. */
  root: string;
  env?: NodeJS.ProcessEnv;
  onLine?: (instance: string, line: string) => void;
  /** A service started, ended or became ready. */
  onChange?: (status: ServiceStatus) => void;
  /** The longest pause before a service that died again is brought back. */
  backoffMsMax?: number;
}

export interface ServiceStart {
  instance?: string;
  /** Path of the script, absolute or relative to the root. */
  entry: string;
  /** Of Node itself. */
  flags?: readonly string[];
  /** As a function it is asked at every start. */
  env?: NodeJS.ProcessEnv | (() => NodeJS.ProcessEnv);
}

interface Service {
  readonly status: ServiceStatus;
  readonly start: ServiceStart;
  readonly tail: string[];
  child: ChildProcess | null;
  /** Resolves when the current process has ended. */
  ended: Promise<void>;
  backoffMs: number;
}

/**
 * Runs services as child processes and brings back those that die.
 * A child has its own process group, so that a ^C in the terminal does not overtake an orderly stop; it ends by
 * itself when the IPC channel breaks.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #services = new Map<string, Service>();
  readonly #stopping = new AbortController();

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Resolves when the service is ready; rejects with the end of its log when it is not within 30 s. */
  async start(name: string, start: ServiceStart): Promise<void> {
    const instance = start.instance ?? `${name}-1`;
    if (this.#services.has(instance)) {
      throw new Error(`service \`${instance}\` is already started: give it another instance name`);
    }
    const service: Service = {
      status: { name, instance, pid: null, healthPort: null, restarts: 0, state: 'starting' },
      start,
      tail: [],
      child: null,
      ended: Promise.resolve(),
      backoffMs: BACKOFF_MS_MIN,
    };
    this.#services.set(instance, service);
    try {
      await this.#launch(service);
    } catch (error) {
      this.#services.delete(instance);
      throw error;
    }
    void this.#keepAlive(service);
  }

  /** Kills a service as an accident would, and resolves when the ordinary restart has made it ready again. */
  async kill(instance: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const service = this.#services.get(instance);
    if (!service) {
      const known = [...this.#services.keys()].join(', ') || 'none';
      throw new Error(`no service \`${instance}\` is running: the running ones are ${known}`);
    }
    const victim = service.child;
    victim?.kill(signal);
    while (service.child === victim || service.status.state !== 'running') {
      await sleep(5, undefined, { signal: this.#stopping.signal });
    }
  }

  /** Ends a service for good; resolves when its process has ended. Its name is free then. */
  async stop(instance: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const service = this.#services.get(instance);
    if (!service) return;
    this.#services.delete(instance);
    service.child?.kill(signal);
    await service.ended;
  }

  /** SIGTERM to all, last started first; SIGKILL to those that are still there after 10 s. */
  async stopAll(): Promise<void> {
    this.#stopping.abort();
    const services = [...this.#services.values()].reverse();
    for (const service of services) service.child?.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const service of services) service.child?.kill('SIGKILL');
    }, STOP_MS_MAX);
    await Promise.all(services.map((service) => service.ended));
    clearTimeout(timer);
  }

  list(): readonly ServiceStatus[] {
    return [...this.#services.values()].map((service) => ({ ...service.status }));
  }

  async #keepAlive(service: Service): Promise<void> {
    const { signal } = this.#stopping;
    let readySince = Date.now();
    while (!signal.aborted) {
      await service.ended;
      if (signal.aborted || !this.#isKept(service)) return;
      if (Date.now() - readySince > HEALTHY_MS) service.backoffMs = BACKOFF_MS_MIN;
      this.#change(service, { state: 'waiting' });
      await sleep(service.backoffMs, undefined, { signal }).catch(() => {});
      if (signal.aborted || !this.#isKept(service)) return;
      service.backoffMs = Math.min(service.backoffMs * 2, this.#options.backoffMsMax ?? BACKOFF_MS_MAX);
      service.status.restarts += 1;
      try {
        await this.#launch(service);
      } catch (error) {
        this.#options.onLine?.(service.status.instance, (error as Error).message);
      }
      readySince = Date.now();
    }
  }

  #isKept(service: Service): boolean {
    return this.#services.get(service.status.instance) === service;
  }

  /** Starts one process and waits for its ready message. When that fails, the process is gone. */
  async #launch(service: Service): Promise<void> {
    const { instance } = service.status;
    const { node = process.execPath, root, env = process.env } = this.#options;
    const { env: own } = service.start;
    service.tail.length = 0;
    const child = spawn(node, [...(service.start.flags ?? []), service.start.entry], {
      cwd: root,
      env: { ...env, ...(typeof own === 'function' ? own() : own) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    service.child = child;
    this.#change(service, { state: 'starting', pid: child.pid ?? null, healthPort: null });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream! }).on('line', (line) => {
        service.tail.push(line);
        if (service.tail.length > TAIL_LINES) service.tail.shift();
        this.#options.onLine?.(instance, line);
      });
    }

    const outcome = Promise.withResolvers<string | null>();
    // `close` rather than `exit`: the last words have been read by then
    service.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        outcome.resolve(`ended with ${signal ?? `code ${code}`} before it was ready`);
        service.child = null;
        this.#change(service, { state: 'stopped', pid: null, healthPort: null });
        resolve();
      });
      child.once('error', (error) => {
        outcome.resolve(`could not be started: ${error.message}`);
        if (child.pid === undefined) resolve();
      });
    });
    child.on('message', (message) => {
      const ready = readyMessage.safeParse(message);
      if (!ready.success) return;
      this.#change(service, { state: 'running', healthPort: ready.data.healthPort });
      outcome.resolve(null);
    });
    const timer = setTimeout(
      () => outcome.resolve(`was not ready after ${READY_MS_MAX / 1000} s`),
      READY_MS_MAX,
    );

    const problem = await outcome.promise;
    clearTimeout(timer);
    if (problem === null) return;
    child.kill('SIGKILL');
    await service.ended;
    const tail = service.tail.map((line) => `\n  ${line}`).join('');
    throw new Error(`service \`${instance}\` ${problem}${tail ? `; its last lines:${tail}` : ''}`);
  }

  #change(service: Service, change: Partial<ServiceStatus>): void {
    Object.assign(service.status, change);
    this.#options.onChange?.({ ...service.status });
  }
}
