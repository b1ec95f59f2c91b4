import type { StoredMsg } from '@nats-io/jetstream';
import type { StreamName } from '@orchestrate/contracts';
import type { Broker } from './connect.ts';
import type { StoredMessage } from './stored-message.ts';

/** The newest message on a subject, from the stream's leader, or null. */
export async function readLast(
  broker: Broker,
  stream: StreamName,
  subject: string,
): Promise<StoredMessage | null> {
  return found(stream, await broker.jsm.streams.getMessage(stream, { last_by_subj: subject }));
}

/** The oldest message that the stream still keeps on a subject, or null. */
export async function readFirst(
  broker: Broker,
  stream: StreamName,
  subject: string,
): Promise<StoredMessage | null> {
  return found(stream, await broker.jsm.direct.getMessage(stream, { seq: 1, next_by_subj: subject }));
}

/** One message by its stream sequence, or null when it is not there any more. */
export async function readAt(broker: Broker, stream: StreamName, seq: number): Promise<StoredMessage | null> {
  // Any replica may answer at once, but only the leader knows that there is nothing.
  const message =
    (await broker.jsm.direct.getMessage(stream, { seq })) ??
    (await broker.jsm.streams.getMessage(stream, { seq }));
  return found(stream, message);
}

/** The newest message of each subject that one of the filters takes, in one request, in stream order. */
export async function readLastOfEach(
  broker: Broker,
  stream: StreamName,
  filters: readonly string[],
): Promise<StoredMessage[]> {
  const { promise, resolve, reject } = Promise.withResolvers<StoredMessage[]>();
  const messages: StoredMessage[] = [];
  // By callback: the client's iterator leaves its subscription behind.
  const callback = (done: { err?: Error } | null, message: StoredMsg) => {
    if (!done) messages.push(found(stream, message)!);
    else if (done.err) reject(done.err);
    else resolve(messages.sort((a, b) => a.seq - b.seq));
  };
  broker.jsm.direct.getLastMessagesFor(stream, { multi_last: [...filters], callback }).catch(reject);
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
