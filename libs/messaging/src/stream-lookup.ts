import type { StoredMsg } from '@nats-io/jetstream';
import type { StreamName } from '@orchestrate/contracts';
import type { MsgHdrs } from 'nats';
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
  return batch(broker, { stream, name }, { multi_last: filters });
}

/** Messages of a subject filter from a sequence on, in stream order, in one request; none when nothing is left. */
export async function readNext(
  broker: Broker,
  stream: StreamName,
  { filter, fromSeq, max }: { readonly filter: string; readonly fromSeq: number; readonly max: number },
): Promise<StoredMessage[]> {
  const name = await broker.shards.nameOf(stream, filter);
  const from = { seq: fromSeq, next_by_subj: filter };
  const messages = await batch(broker, { stream, name }, { ...from, batch: max });
  if (messages.length > 0) return messages;
  // Any replica may answer at once, but only the leader knows that there is nothing.
  const next = found(stream, await broker.jsm.streams.getMessage(name, from));
  return next ? [next] : [];
}

/** The server does not give what was asked for, and says why with the code of its answer. */
export class ReadRefused extends Error {
  readonly code: number;

  constructor(name: string, code: number, description: string) {
    super(`${name} cannot be read: ${description} (${code})`);
    this.code = code;
  }
}

const ANSWER_MS_MAX = 5_000;
const END_OF_BATCH = 204;
const NONE_FOUND = 404;

/**
 * One request, any number of messages, and the server's word that this was all. By the inbox that all requests of the
 * connection share: the client's own way to ask sets up an inbox for each, which costs the server more than the answer.
 */
async function batch(
  { nc }: Broker,
  { stream, name }: { readonly stream: StreamName; readonly name: string },
  query: object,
): Promise<StoredMessage[]> {
  const answers = await nc.requestMany(`$JS.API.DIRECT.GET.${name}`, JSON.stringify(query), {
    strategy: 'timer',
    maxWait: ANSWER_MS_MAX,
  });
  const messages: StoredMessage[] = [];
  let isComplete = false;
  for await (const { data, headers } of answers) {
    const { code = 0, description = '' } = headers ?? {};
    isComplete = code === END_OF_BATCH || code === NONE_FOUND;
    if (isComplete) break;
    if (code !== 0) throw new ReadRefused(name, code, description);
    messages.push(answered(stream, data, headers!));
  }
  if (!isComplete) throw new Error(`${name} did not answer within ${ANSWER_MS_MAX / 1000} s`);
  return messages.sort((a, b) => a.seq - b.seq);
}

function answered(stream: StreamName, data: Uint8Array, headers: MsgHdrs): StoredMessage {
  return {
    stream,
    subject: headers.get('Nats-Subject'),
    seq: Number(headers.get('Nats-Sequence')),
    storedAtMs: Date.parse(headers.get('Nats-Time-Stamp')),
    data,
    pending: 0,
  };
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
