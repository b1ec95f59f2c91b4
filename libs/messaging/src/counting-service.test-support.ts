import { type ChildProcess, fork } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@orchestrate/canon';
import { defineMessage, layerMarked, type Mark } from '@orchestrate/contracts';
import { eventually, jsonOf, stored } from '@orchestrate/test-kit';
import { z } from 'zod';
import { PublishUncertain } from './ack-publisher.ts';
import { checkAddress, decodeLenient, decodeStrict, encode } from './codec.ts';
import { type Broker, connectBroker } from './connect.ts';
import { OwnerLoop, type OwnerLoopStatus } from './owner-loop.ts';
import type { PartitionContext, PartitionedService, PartitionWorker } from './partitioned-service.ts';
import type { StoredMessage } from './stored-message.ts';
import { readStored } from './stream-reader.ts';

const ACTS = ['count', 'throw', 'exit', 'block'] as const;

/** What the counting service is told: count it, or come to grief over it. */
export const counted = defineMessage({
  name: 'test.counted',
  stream: 'EVIDENCE',
  subject: (key: string) => `evidence.${key}.test.main`,
  schema: (object) =>
    object({
      v: z.string(),
      key: z.string().regex(/^[a-z0-9-]+$/),
      n: z.number().int(),
      act: z.enum(ACTS),
    }),
});

/** Newest state of a key: its trail is another one when an input was lost, doubled or out of order. */
export interface Count {
  readonly inputSeq: number;
  readonly count: number;
  readonly trail: string;
}

const NOTHING: Count = { inputSeq: 0, count: 0, trail: '' };

const trailOf = (trail: string, n: number): string =>
  createHash('sha256').update(`${trail}/${n}`).digest('hex');

export const outputOf = (key: string): string => `layer.${partitionOf(key)}.${key}.test.main`;

interface CountingOptions {
  readonly handleMs?: number;
  readonly blocked?: Promise<void>;
  /** It reads what services of ours write, and so leaves out what it does not know; else it stands at an edge. */
  readonly isInner?: boolean;
}

/** The smallest service with an effect: counts what it reads per key into LAYERS. */
export function countingService(
  options: CountingOptions & { name?: string; markEveryMs?: number } = {},
): PartitionedService {
  return {
    name: options.name ?? 'counter',
    output: 'LAYERS',
    mark: layerMarked,
    markEveryMs: options.markEveryMs ?? 1_000,
    inputs: [{ stream: 'EVIDENCE', filters: (p) => [`evidence.${p}.*.*.*`] }],
    open: (context, mark) => CountingWorker.open(context, mark, options),
  };
}

class CountingWorker implements PartitionWorker {
  readonly #context: PartitionContext;
  readonly #options: CountingOptions;
  readonly #counts = new Map<string, Count>();

  private constructor(context: PartitionContext, options: CountingOptions) {
    this.#context = context;
    this.#options = options;
  }

  static async open(
    context: PartitionContext,
    _mark: Mark | null,
    options: CountingOptions,
  ): Promise<CountingWorker> {
    const worker = new CountingWorker(context, options);
    const range = { stream: 'LAYERS', filters: [`layer.${context.p}.*.*.*`] } as const;
    for await (const message of readStored(context.broker, range)) {
      worker.#counts.set(message.subject.split('.')[2]!, jsonOf<Count>(message));
      context.publisher.seed(message.subject, message.seq);
    }
    return worker;
  }

  async handle(input: StoredMessage): Promise<void> {
    const decode = this.#options.isInner ? decodeLenient : decodeStrict;
    const { key, n, act } = decode(counted, input.data);
    checkAddress(counted, input, `evidence.${this.#context.p}.${key}.test.main`);
    const known = this.#counts.get(key) ?? NOTHING;
    if (input.seq <= known.inputSeq) return;
    if (act === 'throw') throw new Error('this input is more than the handler can take');
    if (act === 'exit') process.exit(7);
    if (act === 'block') await this.#options.blocked;
    if (this.#options.handleMs) await sleep(this.#options.handleMs);
    this.#counts.set(key, { inputSeq: input.seq, count: known.count + 1, trail: trailOf(known.trail, n) });
    this.#context.publisher.set(outputOf(key), () => Buffer.from(JSON.stringify(this.#counts.get(key))));
  }

  tick(): void {}

  counts() {
    return { tenants: this.#counts.size, changed: 0 };
  }
}

/** Sends inputs and knows what must have become of them. */
export class Counting {
  readonly #broker: Broker;
  readonly #expected = new Map<string, Omit<Count, 'inputSeq'>>();
  #n = 0;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Stores one input for certain, also through a restart of the server. Only `count` is expected in the count. */
  async send(key: string, act: (typeof ACTS)[number] = 'count'): Promise<number> {
    const n = ++this.#n;
    const data = encode(counted, { v: '1.0', key, n, act });
    const seq = await publishCertainly(this.#broker, counted.subject(key), data);
    if (act === 'count' || act === 'block') {
      const { count, trail } = this.#expected.get(key) ?? NOTHING;
      this.#expected.set(key, { count: count + 1, trail: trailOf(trail, n) });
    }
    return seq;
  }

  /** One input for every key in turn, `rounds` times. */
  async sendRounds(keys: readonly string[], rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) await Promise.all(keys.map((key) => this.send(key)));
  }

  /** Resolves when every input is in the counts exactly once and in order, and the counts never went back. */
  async allCounted(): Promise<void> {
    await eventually('every input counted exactly once and in order', async () => {
      for (const [key, expected] of this.#expected) {
        const history = (await stored(this.#broker, 'LAYERS', outputOf(key))).map((one) =>
          jsonOf<Count>(one),
        );
        const { count, trail } = history.at(-1) ?? NOTHING;
        if (count < expected.count) throw new Error(`${key}: ${count} of ${expected.count} are counted`);
        if (count > expected.count || trail !== expected.trail)
          return Promise.reject(new Error(`${key} is wrong`));
        if (history.some((one, at) => at > 0 && one.inputSeq <= history[at - 1]!.inputSeq)) {
          throw new Error(`${key} went back`);
        }
      }
      return true;
    });
  }
}

/** The same message id makes a second publish of it a no-op. */
export async function publishCertainly(broker: Broker, subject: string, data: Uint8Array): Promise<number> {
  const messageId = randomUUID();
  for (;;) {
    try {
      return (await broker.publisher.publish(subject, data, { messageId })).seq;
    } catch (error) {
      if (!(error instanceof PublishUncertain)) throw error;
      await sleep(20);
    }
  }
}

/** Keys of which each is in another partition. */
export function keysInDifferentPartitions(count: number): string[] {
  const found = new Map<number, string>();
  for (let n = 0; found.size < count; n++) {
    const key = `key-${n}`;
    if (!found.has(partitionOf(key))) found.set(partitionOf(key), key);
  }
  return [...found.values()];
}

const quiet = { info() {}, warn() {}, error() {} };
const log = process.env.ORCHESTRATE_TEST_LOG
  ? { info: console.error, warn: console.error, error: console.error }
  : quiet;

export function startLoop(
  broker: Broker,
  instance: string,
  service: PartitionedService = countingService(),
  options: { readonly givesMsMax?: number } = {},
): Promise<OwnerLoop> {
  return OwnerLoop.start(broker, service, { instance, life: randomUUID() }, log, options);
}

/** The service as a process, so that it can be killed. */
export interface CountingProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  status(): Promise<OwnerLoopStatus>;
  /** Hands its partitions on and ends. */
  close(): Promise<void>;
}

export async function startProcess(
  url: string,
  instance: string,
  options: { markEveryMs?: number; handleMs?: number } = {},
): Promise<CountingProcess> {
  const child = fork(import.meta.filename, [JSON.stringify({ url, instance, options })]);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const answer = <T>(kind: string) =>
    new Promise<T>((resolve, reject) => {
      const hear = (message: { kind: string; value: T }) => {
        if (message.kind !== kind) return;
        child.off('message', hear);
        resolve(message.value);
      };
      child.on('message', hear);
      void exited.then(() => reject(new Error(`${instance} ended before it answered`)));
    });
  const process_: CountingProcess = {
    child,
    exited,
    status() {
      const status = answer<OwnerLoopStatus>('status');
      child.send('status');
      return status;
    },
    async close() {
      child.send('close');
      await exited;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
  // One that dies over its first inputs is never ready, and that may be what the test wants.
  await Promise.race([answer('ready').catch(() => {}), exited]);
  return process_;
}

async function run(): Promise<void> {
  const { url, instance, options } = JSON.parse(process.argv[2]!) as {
    url: string;
    instance: string;
    options: { markEveryMs?: number; handleMs?: number };
  };
  process.once('disconnect', () => process.exit(1));
  const broker = await connectBroker({ url, name: instance });
  const loop = await startLoop(broker, instance, countingService(options));
  process.on('message', (message) => {
    if (message === 'status') process.send!({ kind: 'status', value: loop.status() });
    else if (message === 'close') void loop.close().then(() => process.exit(0));
  });
  process.send!({ kind: 'ready', value: null });
}

if (import.meta.main) await run();
