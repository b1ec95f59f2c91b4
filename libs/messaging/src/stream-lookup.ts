import type { StoredMsg } from '@nats-io/jetstream';
import type { StreamName } from '@orchestrate/contracts';
import type { Broker } from './connect.ts';
import type { StoredMessage } from './stored-message.ts';
import { isSharded, type ShardedStream, subjectsOf, type WholeStream } from './stream-shards.ts';

/** The newest message on a subject, from the stream's leader, or null. */
export async function readLast(
  broker: Broker,
  stream: StreamName,
  subject: string,
): Promise<StoredMessage | null> {
  const name = await broker.shards.nameOf(stream, subject);
  return found(stream, await broker.jsm.streams.getMessage(name, { last_by_subj: subject }));
}

/** The oldest message that the stream still keeps on a subject, or null. */
export async function readFirst(
  broker: Broker,
  stream: StreamName,
  subject: string,
): Promise<StoredMessage | null> {
  const name = await broker.shards.nameOf(stream, subject);
  return found(stream, await broker.jsm.direct.getMessage(name, { seq: 1, next_by_subj: subject }));
}

/**
 * One message by its stream sequence, or null when it is not there any more. Where the stream may be sharded a sequence
 * is one of the shard that holds the partition.
 */
export function readAt(broker: Broker, stream: WholeStream, seq: number): Promise<StoredMessage | null>;
export function readAt(
  broker: Broker,
  stream: ShardedStream,
  seq: number,
  p: number,
): Promise<StoredMessage | null>;
export async function readAt(
  broker: Broker,
  stream: StreamName,
  seq: number,
  p?: number,
): Promise<StoredMessage | null> {
  const name = isSharded(stream) ? await broker.shards.nameOf(stream, subjectsOf(stream, p!)) : stream;
  // Any replica may answer at once, but only the leader knows that there is nothing.
  const message =
    (await broker.jsm.direct.getMessage(name, { seq })) ??
    (await broker.jsm.streams.getMessage(name, { seq }));
  return found(stream, message);
}

/**
 * The newest message of each subject that one of the filters takes, in one request, in stream order. The server
 * answers for at most 1,024 subjects.
 */
export async function readLastOfEach(
  broker: Broker,
  stream: StreamName,
  filters: readonly string[],
): Promise<StoredMessage[]> {
  const { name } = await broker.shards.part(stream, filters);
  return batch(stream, (callback) =>
    broker.jsm.direct.getLastMessagesFor(name, { multi_last: [...filters], callback }),
  );
}

/** Messages of a subject filter from a sequence on, in stream order, in one request; none when nothing is left. */
export async function readNext(
  broker: Broker,
  stream: StreamName,
  { filter, fromSeq, max }: { readonly filter: string; readonly fromSeq: number; readonly max: number },
): Promise<StoredMessage[]> {
  const name = await broker.shards.nameOf(stream, filter);
  const from = { seq: fromSeq, next_by_subj: filter };
  const messages = await batch(stream, (callback) =>
    broker.jsm.direct.getBatch(name, { ...from, batch: max, callback }),
  );
  if (messages.length > 0) return messages;
  // Any replica may answer at once, but only the leader knows that there is nothing.
  const next = found(stream, await broker.jsm.streams.getMessage(name, from));
  return next ? [next] : [];
}

type BatchCallback = (done: { err?: Error } | null, message: StoredMsg) => void;

/** By callback: the client's iterator leaves its subscription behind. */
function batch(
  stream: StreamName,
  ask: (callback: BatchCallback) => Promise<unknown>,
): Promise<StoredMessage[]> {
  const { promise, resolve, reject } = Promise.withResolvers<StoredMessage[]>();
  const messages: StoredMessage[] = [];
  ask((done, message) => {
    if (!done) messages.push(found(stream, message)!);
    else if (done.err) reject(done.err);
    else resolve(messages.sort((a, b) => a.seq - b.seq));
  }).catch(reject);
  return promise;
}

function found(stream: StreamName, message: StoredMsg | null): StoredMessage | null {
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
