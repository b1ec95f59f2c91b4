import { randomUUID } from 'node:crypto';
import { digestOfBytes } from '@orchestrate/canon';
import { type InputRejected, inputRejected, type RejectionReason, VERSION } from '@orchestrate/contracts';
import { ContractViolation, encode } from './codec.ts';
import type { Broker } from './connect.ts';
import type { StoredMessage } from './stored-message.ts';

const PAYLOAD_BYTES_MAX = 65_536;

/**
 * Keeps an input that cannot be handled, with what was wrong. The message id makes a second rejection of the same
 * input by the same service a no-op. Resolves when it is stored.
 */
export async function rejectInput(
  broker: Broker,
  service: string,
  input: StoredMessage,
  reason: RejectionReason,
  error: unknown,
): Promise<void> {
  const message: InputRejected = {
    v: VERSION,
    id: randomUUID(),
    stream: input.stream,
    seq: input.seq,
    subject: input.subject.slice(0, 512),
    reason,
    service,
    issues: issuesIn(error),
    payloadDigest: digestOfBytes(input.data),
    payload: Buffer.from(input.data.subarray(0, PAYLOAD_BYTES_MAX)).toString('base64'),
    atMs: Date.now(),
  };
  const subject = inputRejected.subject({ stream: input.stream, reason });
  const messageId = `${service}/${input.stream}/${input.seq}`;
  for (let tries = 0; ; tries++) {
    try {
      await broker.publisher.publish(subject, encode(inputRejected, message), { messageId });
      broker.rejected[reason]++;
      return;
    } catch (error) {
      if (tries >= 5) throw error;
    }
  }
}

function issuesIn(error: unknown): { path: string; message: string }[] {
  if (error instanceof ContractViolation) return [...error.issues];
  const message = error instanceof Error ? error.message : String(error);
  return [{ path: '', message: message.slice(0, 500) }];
}
