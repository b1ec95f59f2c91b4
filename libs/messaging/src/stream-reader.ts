import { setTimeout as sleep } from 'node:timers/promises';
import { type Consumer, type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import type { MessageContract, StreamName } from '@orchestrate/contracts';
import { ContractViolation, decodeLenient } from './codec.ts';
import type { Broker } from './connect.ts';
import { type StoredMessage, storedMessage } from './stored-message.ts';
import type { StreamPart } from './stream-shards.ts';

/** Which messages, and from where on. */
export interface ReadRange {
  readonly stream: StreamName;
  readonly filters: readonly string[];
  /** First stream sequence to read; without it only the newest message of each subject is read. */
  readonly fromSeq?: number;
}

const PULL = { max_messages: 1_000, expires: 10_000 } as const;
/**
 * To read what is there now. The heartbeat comes twice in this time, and only it tells that the last ones were replaced
 * while they were read: whoever starts waits for that.
 */
const PULL_NOW = { max_messages: 1_000, expires: 1_000 } as const;
const PULL_HEADS = { ...PULL_NOW, max_messages: 4_000 } as const;

/** What the client tells when its consumer is gone. */
const GONE: ReadonlySet<string> = new Set([
  'consumer_not_found',
  'consumer_deleted',
  'stream_not_found',
  'reset',
]);
/** What the client tells when it cannot know what waits. */
const DEAF: ReadonlySet<string> = new Set([...GONE, 'heartbeats_missed', 'no_responders']);
const REOPEN_MS_MAX = 2_000;

interface Reading {
  readonly consumer: Consumer;
  readonly messages: ConsumerMessages;
}

async function orderedConsumer(
  broker: Broker,
  part: StreamPart,
  fromSeq: number | undefined,
  headersOnly = false,
): Promise<Consumer> {
  return broker.js.consumers.get(part.name, {
    filter_subjects: [...part.filters],
    headers_only: headersOnly,
    inactive_threshold: 60_000_000_000,
    ...(fromSeq === undefined
      ? { deliver_policy: DeliverPolicy.LastPerSubject }
      : { opt_start_seq: Math.max(1, fromSeq) }),
  });
}

/**
 * Everything that is there now, in order, then ends. Survives a server that restarts: it goes on after the last
 * message, and then gives also those that are not the newest of their subject. What stands in several shards comes shard
 * by shard: in order within a partition, and not across partitions.
 */
export async function* readStored(broker: Broker, range: ReadRange): AsyncGenerator<StoredMessage> {
  for (const part of await partsOf(broker, range)) yield* readPart(broker, range.stream, part, range.fromSeq);
}

async function* readPart(
  broker: Broker,
  stream: StreamName,
  part: StreamPart,
  fromSeq: number | undefined,
): AsyncGenerator<StoredMessage> {
  let restSeq = fromSeq;
  for (;;) {
    const consumer = await orderedConsumer(broker, part, restSeq);
    try {
      if ((await consumer.info(true)).num_pending === 0) return;
      const messages = await consumer.consume(PULL_NOW);
      const ending = endWhenRead(consumer, messages);
      for await (const message of messages) {
        const stored = storedMessage(stream, message);
        restSeq = stored.seq + 1;
        yield stored;
        if (stored.pending === 0) return;
      }
      if ((await ending) === 'read') return;
    } finally {
      void consumer.delete().catch(() => {});
    }
  }
}

/** What stands on a subject, without the message itself. */
export interface StoredHead {
  readonly subject: string;
  readonly seq: number;
  readonly storedAtMs: number;
  /** What its writer said beside the message; empty when it did not. */
  readonly header: (name: string) => string;
}

/**
 * Like `readStored`, without the messages: for whoever keeps an index and looks up the rest when it is needed. Each head
 * is visited as it comes in, since to wait for each of very many takes longer than what is done with it.
 */
export async function readHeads(
  broker: Broker,
  range: ReadRange,
  visit: (head: StoredHead) => void,
): Promise<void> {
  for (const part of await partsOf(broker, range)) await visitPart(broker, part, range.fromSeq, visit);
}

async function visitPart(
  broker: Broker,
  part: StreamPart,
  fromSeq: number | undefined,
  visit: (head: StoredHead) => void,
): Promise<void> {
  let restSeq = fromSeq;
  for (;;) {
    const consumer = await orderedConsumer(broker, part, restSeq, true);
    let messages: ConsumerMessages | undefined;
    try {
      if ((await consumer.info(true)).num_pending === 0) return;
      const visited = Promise.withResolvers<'read'>();
      let isOver = false;
      const callback = (message: JsMsg) => {
        if (isOver) return;
        try {
          visit(headOf(message));
          restSeq = message.seq + 1;
          isOver = message.info.pending === 0;
          if (isOver) visited.resolve('read');
        } catch (error) {
          isOver = true;
          visited.reject(error);
        }
      };
      messages = await consumer.consume({ ...PULL_HEADS, callback });
      if ((await Promise.race([visited.promise, endWhenRead(consumer, messages)])) === 'read') return;
    } finally {
      void messages?.close();
      void consumer.delete().catch(() => {});
    }
  }
}

function headOf(message: JsMsg): StoredHead {
  return {
    subject: message.subject,
    seq: message.seq,
    storedAtMs: Math.floor(message.info.timestampNanos / 1_000_000),
    // Not read before somebody asks.
    header: (name) => message.headers?.get(name) ?? '',
  };
}

async function partsOf(broker: Broker, { stream, filters, fromSeq }: ReadRange): Promise<StreamPart[]> {
  const parts = await broker.shards.parts(stream, filters);
  if (parts.length > 1 && fromSeq !== undefined && fromSeq > 1) {
    throw new Error(`${stream} has ${parts.length} shards here, and a sequence means something in one`);
  }
  return parts;
}

/** Closes the reading when its consumer is gone, or has nothing more: the last ones may be deleted before they come. */
async function endWhenRead(consumer: Consumer, messages: ConsumerMessages): Promise<'read' | 'gone'> {
  for await (const { type } of messages.status()) {
    const isGone = GONE.has(type);
    const isRead = type === 'heartbeat' && (await consumer.info().catch(() => null))?.num_pending === 0;
    if (!isGone && !isRead) continue;
    void messages.close();
    return isGone ? 'gone' : 'read';
  }
  const error = await messages.closed();
  if (error) throw error;
  return 'read';
}

/** A message that fits its contract and its subject, and the sequence that stands on the subject now. */
export interface Newest<T> {
  readonly message: T;
  readonly stored: StoredMessage;
  /** Higher than the message's own when a newer one does not fit. */
  readonly headSeq: number;
}

/**
 * The newest message of each subject that fits its contract and its subject. What does not fit was written past the
 * edge: it is rejected where it is read as an input, and must keep nobody from starting. Throws UnsupportedVersion.
 */
export async function* readNewest<T extends { readonly v: string }>(
  broker: Broker,
  range: { readonly stream: StreamName; readonly filters: readonly string[] },
  contract: MessageContract<T, never>,
  subjectOf: (message: T) => string,
): AsyncGenerator<Newest<T>> {
  for await (const head of readStored(broker, range)) {
    const newest = await newestFitting(broker, head, contract, subjectOf);
    if (newest) yield newest;
  }
}

/** Of what stands on one subject: the message itself when it fits, else the newest before it that does. */
export async function newestFitting<T extends { readonly v: string }>(
  broker: Broker,
  head: StoredMessage,
  contract: MessageContract<T, never>,
  subjectOf: (message: T) => string,
): Promise<Newest<T> | null> {
  const fitting = (stored: StoredMessage): T | null => {
    const message = decodeOrNull(contract, stored);
    return message && subjectOf(message) === stored.subject ? message : null;
  };
  const message = fitting(head);
  if (message) return { message, stored: head, headSeq: head.seq };
  let before: Newest<T> | null = null;
  const history = { stream: head.stream, filters: [head.subject], fromSeq: 1 };
  for await (const stored of readStored(broker, history)) {
    const older = fitting(stored);
    if (older) before = { message: older, stored, headSeq: head.seq };
  }
  return before;
}

function decodeOrNull<T extends { readonly v: string }>(
  contract: MessageContract<T, never>,
  stored: StoredMessage,
): T | null {
  try {
    return decodeLenient(contract, stored.data);
  } catch (error) {
    if (error instanceof ContractViolation) return null;
    throw error;
  }
}

type Handle = (message: StoredMessage) => void | Promise<void>;

/**
 * Follows a stream, or one shard of it, for ever, one message at a time, in order. A consumer that is gone (a server that restarts
 * forgets it) is replaced by a new one after the last message that was received: the client would do so too, but
 * goes on counting what it had asked the old one for, and then asks the new one for nothing for many seconds.
 */
export class StreamFollower {
  readonly done: Promise<void>;
  readonly #broker: Broker;
  readonly #range: ReadRange;
  #reading: Reading;
  #nextSeq: number;
  #pending = 0;
  #handled = 0;
  /** The connection's breaks when the server was last known to feed this reader. */
  #fedSince: number | null = null;
  #isGone = false;
  #closed = false;

  private constructor(
    broker: Broker,
    range: ReadRange & { fromSeq: number },
    opened: Reading & { pending: number; breaks: number },
    handle: Handle,
  ) {
    this.#broker = broker;
    this.#range = range;
    this.#nextSeq = range.fromSeq;
    this.#reading = opened;
    this.#use(opened);
    this.done = this.#run(handle);
  }

  static async start(
    broker: Broker,
    range: ReadRange & { fromSeq: number },
    handle: Handle,
  ): Promise<StreamFollower> {
    return new StreamFollower(broker, range, await openReading(broker, range), handle);
  }

  /** Messages of this filter that were stored but not handled yet, as far as the server told. */
  get pending(): number {
    const { messages } = this.#reading;
    // What arrived and was not taken up yet; the client's own count of that includes its pulls.
    return Math.max(this.#pending, messages.getReceived() - messages.getProcessed());
  }

  /** Whether nothing waits and we would know if it did: a reader that lost its consumer hears nothing either. */
  isCaughtUp(): boolean {
    return this.#fedSince === this.#broker.breaks() && this.pending === 0;
  }

  /** Stops reading; a message that is being handled is finished first. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#reading.messages.close();
    await this.done.catch(() => {});
    void this.#reading.consumer.delete().catch(() => {});
  }

  async #run(handle: Handle): Promise<void> {
    while (!this.#closed) {
      for await (const message of this.#reading.messages) {
        if (this.#closed) return;
        const stored = storedMessage(this.#range.stream, message);
        const work = handle(stored);
        if (work !== undefined) await work;
        this.#handled++;
        this.#nextSeq = stored.seq + 1;
        this.#pending = stored.pending;
      }
      if (this.#closed) return;
      if (!this.#isGone) throw new Error(`reading ${this.#range.stream} ended although nobody stopped it`);
      await this.#reopen();
    }
  }

  async #reopen(): Promise<void> {
    for (let backoffMs = 50; !this.#closed; backoffMs = Math.min(backoffMs * 2, REOPEN_MS_MAX)) {
      try {
        const opened = await unlessBroken(
          this.#broker,
          openReading(this.#broker, { ...this.#range, fromSeq: this.#nextSeq }),
        );
        this.#use(opened);
        // Not waited for: nobody takes from it any more, and it ends only when somebody does.
        if (this.#closed) void opened.messages.close();
        return;
      } catch {
        await sleep(backoffMs);
      }
    }
  }

  #use({ consumer, messages, pending, breaks }: Reading & { pending: number; breaks: number }): void {
    this.#reading = { consumer, messages };
    this.#pending = pending;
    this.#fedSince = breaks;
    this.#isGone = false;
    void this.#watch(messages);
  }

  async #watch(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) {
      if (DEAF.has(type)) this.#fedSince = null;
      if (GONE.has(type)) {
        this.#isGone = true;
        // What was received before is still handled, then the loop above opens the next one.
        void messages.close();
        return;
      }
      if (type === 'next' && this.#fedSince !== this.#broker.breaks()) void this.#askPending();
    }
  }

  async #askPending(): Promise<void> {
    const { consumer } = this.#reading;
    const breaks = this.#broker.breaks();
    const handled = this.#handled;
    const info = await consumer.info().catch(() => null);
    if (!info || consumer !== this.#reading.consumer || this.#isGone) return;
    // A message that was handled meanwhile knew better.
    if (handled === this.#handled) this.#pending = info.num_pending;
    this.#fedSince = breaks;
  }
}

async function openReading(broker: Broker, range: ReadRange) {
  const breaks = broker.breaks();
  const part = await broker.shards.part(range.stream, range.filters);
  const consumer = await orderedConsumer(broker, part, range.fromSeq);
  const { num_pending } = await consumer.info(true);
  const messages = await consumer.consume(PULL);
  return { consumer, messages, pending: num_pending, breaks };
}

const BROKEN_LOOK_MS = 100;

/** What was asked for when the connection broke gets no answer: who waits for it would wait for its whole timeout. */
async function unlessBroken<T extends { readonly messages: ConsumerMessages }>(
  broker: Broker,
  opening: Promise<T>,
): Promise<T> {
  const breaks = broker.breaks();
  const { promise: broken, reject } = Promise.withResolvers<never>();
  const look = setInterval(() => {
    if (broker.breaks() !== breaks) reject(new Error('the connection broke before the server answered'));
  }, BROKEN_LOOK_MS);
  try {
    return await Promise.race([opening, broken]);
  } catch (error) {
    // Should it be opened after all, nobody reads from it.
    opening.then(({ messages }) => messages.close()).catch(() => {});
    throw error;
  } finally {
    clearInterval(look);
  }
}
