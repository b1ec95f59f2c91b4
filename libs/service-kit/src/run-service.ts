import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Broker, connectBroker } from '@orchestrate/messaging';
import type { NatsConnection } from 'nats';
import { z } from 'zod';
import { baseEnvironment, EnvironmentError, parseEnvironment } from './environment.ts';
import { type Health, startHealthServer } from './health-server.ts';
import { createLog, type Logger } from './log.ts';
import type { MetricSource } from './metric.ts';
import { Metrics } from './metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { serviceMetrics } from './service-metrics.ts';

const CONNECT_MS_MAX = 30_000;
const CONNECT_AGAIN_MS = 250;
const CLOSE_MS_MAX = 10_000;
const EXIT = { stopped: 0, failed: 1, environment: 2 } as const;

type BaseShape = typeof baseEnvironment;

/** The variables of a service, and those that all services take. */
export type Environment<Shape extends z.ZodRawShape> = z.output<z.ZodObject<BaseShape & Shape>>;

export interface ServiceContext<Variables> {
  readonly name: string;
  readonly instance: string;
  /** Distinguishes one life of this instance from its next. */
  readonly life: string;
  readonly environment: Variables;
  readonly broker: Broker;
  readonly log: Logger;
  /** Going on would be wrong: closes and ends the process with exit code 1. */
  stop(error: Error): void;
}

export interface RunningService {
  health(): Health;
  /** What a scrape shows of it beside what every service shows. */
  readonly metrics?: readonly MetricSource[];
  /** Finishes what is in progress. The broker is still connected, and closed afterwards. */
  close(): Promise<void>;
}

export interface ServiceDefinition<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly environment: Shape;
  readonly start: (context: ServiceContext<Environment<Shape>>) => Promise<RunningService>;
}

/**
 * The life of a service process: environment, log, broker, the service itself, health, then the supervisor is told.
 * It ends with exit code 0 on SIGTERM, SIGINT or when the supervisor is gone (its IPC channel breaks), with 1 when
 * it cannot go on, and with 2 when its environment is wrong.
 */
export async function runService<Shape extends z.ZodRawShape>(
  definition: ServiceDefinition<Shape>,
): Promise<void> {
  const environment = environmentOrExit(definition);
  const instance = environment.ORCHESTRATE_INSTANCE ?? instanceOf(definition.name);
  const log = createLog({ service: definition.name, instance, level: environment.LOG_LEVEL });
  const end = Promise.withResolvers<number>();
  endOnSignals(log, end.resolve);

  const services = new AsyncDisposableStack();
  const started = start(definition, { environment, instance, log, services, end: end.resolve }).catch(
    (error: unknown) => {
      log.fatal({ err: error }, 'cannot start');
      end.resolve(EXIT.failed);
    },
  );
  const exitCode = await end.promise;
  process.exitCode = exitCode;
  setTimeout(() => {
    log.fatal(`not closed after ${CLOSE_MS_MAX / 1000} s, leaving`);
    process.exit(EXIT.failed);
  }, CLOSE_MS_MAX).unref();
  // what is half started has promised nothing to anybody yet
  if (await isSettled(started)) await closeAll(services, log);
  process.exit(process.exitCode);
}

interface Life<Variables> {
  readonly environment: Variables;
  readonly instance: string;
  readonly log: Logger;
  /** Closed last opened first. */
  readonly services: AsyncDisposableStack;
  end(exitCode: number): void;
}

async function start<Shape extends z.ZodRawShape>(
  definition: ServiceDefinition<Shape>,
  { environment, instance, log, services, end }: Life<Environment<Shape>>,
): Promise<void> {
  const { name } = definition;
  const life = randomUUID();
  const { NATS_URL, HEALTH_HOST, HEALTH_PORT } = environment as z.output<z.ZodObject<BaseShape>>;
  const stop = (error: Error) => {
    log.fatal({ err: error }, 'cannot go on');
    end(EXIT.failed);
  };

  const broker = services.use(await connectWithPatience(NATS_URL, instance, log));
  const connection = watchConnection(broker.nc, log, stop);
  const running = await definition.start({ name, instance, life, environment, broker, log, stop });
  services.defer(() => running.close());
  const health = (): Health => {
    const { ok, detail } = running.health();
    const connected = connection.isUp();
    return { ok: ok && connected, detail: { service: name, instance, life, connected, ...detail } };
  };
  const about = { healthy: () => health().ok, connected: () => connection.isUp() };
  const sources = [serviceMetrics(broker, about), processMetrics(), ...(running.metrics ?? [])];
  const metrics = new Metrics({ service: name, instance }, sources);
  const { port } = services.use(
    await startHealthServer({ host: HEALTH_HOST, port: HEALTH_PORT }, health, () => metrics.scrape()),
  );
  process.send?.({ type: 'ready', healthPort: port });
  log.info({ healthPort: port, life }, 'ready');
}

function environmentOrExit<Shape extends z.ZodRawShape>(
  definition: ServiceDefinition<Shape>,
): Environment<Shape> & z.output<z.ZodObject<BaseShape>> {
  try {
    const schema = z.object({ ...baseEnvironment, ...definition.environment });
    return parseEnvironment(schema) as Environment<Shape> & z.output<z.ZodObject<BaseShape>>;
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    for (const problem of error.problems) console.error(`${definition.name}: ${problem}`);
    process.exit(EXIT.environment);
  }
}

function endOnSignals(log: Logger, end: (exitCode: number) => void): void {
  const stopped = (why: string) => {
    log.info({ why }, 'stopping');
    end(EXIT.stopped);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopped(signal));
  process.on('disconnect', () => stopped('the supervisor is gone'));
  // nobody knows what state such a process is in: it is not closed but ended
  const crashed = (error: unknown) => {
    log.fatal({ err: error }, 'a fault that nobody handled');
    process.exit(EXIT.failed);
  };
  process.on('uncaughtException', crashed);
  process.on('unhandledRejection', crashed);
}

/** nats-server may be starting, or being brought back. */
async function connectWithPatience(url: string, name: string, log: Logger): Promise<Broker> {
  const deadline = Date.now() + CONNECT_MS_MAX;
  for (let tries = 1; ; tries++) {
    try {
      return await connectBroker({ url, name });
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`no nats-server answered within ${CONNECT_MS_MAX / 1000} s: check NATS_URL`, {
          cause: error,
        });
      }
      if (tries === 1) log.warn({ err: error }, 'nats-server does not answer yet, trying again');
      await sleep(CONNECT_AGAIN_MS);
    }
  }
}

function watchConnection(nc: NatsConnection, log: Logger, stop: (error: Error) => void) {
  let up = true;
  void (async () => {
    for await (const { type } of nc.status()) {
      if (type === 'disconnect') up = false;
      else if (type === 'reconnect') up = true;
      else continue;
      log[up ? 'info' : 'warn'](up ? 'nats-server is back' : 'nats-server is away');
    }
  })();
  void nc.closed().then((error) => {
    up = false;
    if (error) stop(error);
  });
  return { isUp: () => up && !nc.isClosed() };
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

async function closeAll(services: AsyncDisposableStack, log: Logger): Promise<void> {
  try {
    await services.disposeAsync();
  } catch (error) {
    log.error({ err: error }, 'could not close in order');
    process.exitCode = EXIT.failed;
  }
}

/** Two processes must never share a name by default: host and process tell them apart. */
function instanceOf(service: string): string {
  const host = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')
    .slice(0, 24);
  return `${service}-${host}-${process.pid}`;
}
