import type { JsMsg } from '@nats-io/jetstream';
import type { StreamName } from '@orchestrate/contracts';

/** A message as its stream holds it. */
export interface StoredMessage {
  readonly stream: StreamName;
  readonly subject: string;
  readonly seq: number;
  /** When the server stored it, ms since the epoch by the server's clock. */
  readonly storedAtMs: number;
  readonly data: Uint8Array;
  /** How many messages of this reader's filter came after it when it was delivered. */
  readonly pending: number;
}

export function storedMessage(stream: StreamName, message: JsMsg): StoredMessage {
  return {
    stream,
    subject: message.subject,
    seq: message.seq,
    storedAtMs: Math.floor(message.info.timestampNanos / 1_000_000),
    data: message.data,
    pending: message.info.pending,
  };
}

/** How messages name the one that made them necessary. */
export const referenceTo = (message: Pick<StoredMessage, 'stream' | 'seq'>): string =>
  `${message.stream}/${message.seq}`;
