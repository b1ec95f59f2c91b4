import { type Consumer, type ConsumerMessages, DeliverPolicy } from '@nats-io/jetstream';
import type { StreamName } from '@orchestrate/contracts';
import type { Broker } from './connect.ts';
import { type StoredMessage, storedMessage } from './stored-message.ts';

/** Which messages, and from where on. */
export interface ReadRange {
  readonly stream: StreamName;
  readonly filters: readonly string[];
  /** First stream sequence to read; without it only the newest message of each subject is read. */
  readonly fromSeq?: number;
}

const PULL = { max_messages: 1_000, expires: 10_000 } as const;

async function orderedConsumer(broker: Broker, range: ReadRange): Promise<Consumer> {
  return broker.js.consumers.get(range.stream, {
    filter_subjects: [...range.filters],
    inactive_threshold: 60_000_000_000,
    ...(range.fromSeq === undefined
      ? { deliver_policy: DeliverPolicy.LastPerSubject }
      : { opt_start_seq: Math.max(1, range.fromSeq) }),
  });
}

/** Everything that is there now, in order, then ends. Survives reconnects of the client. */
export async function* readStored(broker: Broker, range: ReadRange): AsyncGenerator<StoredMessage> {
  const consumer = await orderedConsumer(broker, range);
  const { num_pending } = await consumer.info(true);
  if (num_pending === 0) {
    void consumer.delete().catch(() => {});
    return;
  }
  const messages = await consumer.consume(PULL);
  try {
    for await (const message of messages) {
      const stored = storedMessage(range.stream, message);
      yield stored;
      if (stored.pending === 0) return;
    }
  } finally {
    await messages.close();
    void consumer.delete().catch(() => {});
  }
}

/** The newest message on a subject, from the stream's leader, or null. */
export async function readLast(
  broker: Broker,
  stream: StreamName,
  subject: string,
): Promise<StoredMessage | null> {
  const message = await broker.jsm.streams.getMessage(stream, { last_by_subj: subject });
  if (!message) return null;
  return {
    stream,
    subject: message.subject,
    seq: message.seq,
    storedAtMs: message.time.getTime(),
    data: message.data,
    pending: 0,
  };
}

/** One message by its stream sequence, or null when it is not there any more. */
export async function readAt(broker: Broker, stream: StreamName, seq: number): Promise<StoredMessage | null> {
  const message = await broker.jsm.streams.getMessage(stream, { seq });
  if (!message) return null;
  return {
    stream,
    subject: message.subject,
    seq: message.seq,
    storedAtMs: message.time.getTime(),
    data: message.data,
    pending: 0,
  };
}

/** Follows a stream for ever, one message at a time, in order. */
export class StreamFollower {
  /** Messages of this filter that were stored but not handled yet, as far as the server told. */
  pending: number;
  readonly done: Promise<void>;
  readonly #consumer: Consumer;
  readonly #messages: ConsumerMessages;
  #closed = false;

  private constructor(
    consumer: Consumer,
    messages: ConsumerMessages,
    pending: number,
    stream: StreamName,
    handle: (message: StoredMessage) => void | Promise<void>,
  ) {
    this.#consumer = consumer;
    this.#messages = messages;
    this.pending = pending;
    this.done = this.#run(stream, handle);
  }

  static async start(
    broker: Broker,
    range: ReadRange & { fromSeq: number },
    handle: (message: StoredMessage) => void | Promise<void>,
  ): Promise<StreamFollower> {
    const consumer = await orderedConsumer(broker, range);
    const { num_pending } = await consumer.info(true);
    const messages = await consumer.consume(PULL);
    return new StreamFollower(consumer, messages, num_pending, range.stream, handle);
  }

  /** Stops reading; a message that is being handled is finished first. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#messages.close();
    await this.done.catch(() => {});
    void this.#consumer.delete().catch(() => {});
  }

  async #run(stream: StreamName, handle: (message: StoredMessage) => void | Promise<void>): Promise<void> {
    for await (const message of this.#messages) {
      if (this.#closed) return;
      const stored = storedMessage(stream, message);
      const work = handle(stored);
      if (work) await work;
      this.pending = stored.pending;
    }
    if (!this.#closed) throw new Error(`reading ${stream} ended although nobody stopped it`);
  }
}
