import { STREAM_NAMES, type StreamName } from '@orchestrate/contracts';
import { type Broker, readStored, type StoredMessage } from '@orchestrate/messaging';

export type Kept = Pick<StoredMessage, 'subject' | 'seq' | 'storedAtMs' | 'data'>;

/** What every stream holds, oldest first; of LAYERS, TRUTH and LEDGER that is the newest of each subject. */
export type StoreContents = Readonly<Record<StreamName, readonly Kept[]>>;

/** Reads all streams, one after another; what is written meanwhile may be in one and not yet in the other. */
export async function readStore(broker: Broker): Promise<StoreContents> {
  const contents: Partial<Record<StreamName, Kept[]>> = {};
  for (const stream of STREAM_NAMES) {
    const kept: Kept[] = [];
    for await (const { subject, seq, storedAtMs, data } of readStored(broker, {
      stream,
      filters: ['>'],
      fromSeq: 1,
    })) {
      kept.push({ subject, seq, storedAtMs, data });
    }
    contents[stream] = kept;
  }
  return contents as StoreContents;
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
