import { DeliverPolicy } from '@nats-io/jetstream';
import { STREAM_NAMES, type StreamName } from '@orchestrate/contracts';
import type { Broker, StoredMessage } from '@orchestrate/messaging';

export type Kept = Pick<StoredMessage, 'subject' | 'seq' | 'storedAtMs' | 'data'>;

/** What every stream holds, oldest first; of LAYERS, TRUTH and LEDGER that is the newest of each subject. */
export type StoreContents = Readonly<Record<StreamName, readonly Kept[]>>;

const FETCH = { max_messages: 1_000, expires: 1_000 } as const;

/**
 * Reads all streams, one after another, or of each subject only the newest message. What is written meanwhile may be in
 * one stream and not yet in the other.
 */
export async function readStore(broker: Broker, depth: 'all' | 'newest' = 'all'): Promise<StoreContents> {
  const contents: Partial<Record<StreamName, readonly Kept[]>> = {};
  for (const stream of STREAM_NAMES) contents[stream] = await readStream(broker, stream, depth);
  return contents as StoreContents;
}

/**
 * In pulls that end by themselves: where marks replace each other while they are read, the server may have announced
 * messages that are gone before they come.
 */
async function readStream(broker: Broker, stream: StreamName, depth: 'all' | 'newest'): Promise<Kept[]> {
  const policy = depth === 'all' ? DeliverPolicy.All : DeliverPolicy.LastPerSubject;
  const consumer = await broker.js.consumers.get(stream, { filter_subjects: ['>'], deliver_policy: policy });
  const found: Kept[] = [];
  try {
    while ((await consumer.info()).num_pending > 0) {
      for await (const { subject, seq, data, info } of await consumer.fetch(FETCH)) {
        found.push({ subject, seq, data, storedAtMs: Math.floor(info.timestampNanos / 1_000_000) });
        if (info.pending === 0) break;
      }
    }
  } finally {
    void consumer.delete().catch(() => {});
  }
  return found.sort((a, b) => a.seq - b.seq);
}

/** The message as JSON, or null where the bytes are none. What nobody can read is a matter of REJECTED. */
export function parsed<T>({ data }: Pick<Kept, 'data'>): T | null {
  try {
    const value = JSON.parse(Buffer.from(data).toString()) as unknown;
    return typeof value === 'object' && value !== null ? (value as T) : null;
  } catch {
    return null;
  }
}
