import { setTimeout as sleep } from 'node:timers/promises';
import { digestOfBytes } from '@orchestrate/canon';
import { type Broker, PublishUncertain } from '@orchestrate/messaging';
import type { Ending, Journal } from './journal.ts';
import type { Outgoing } from './tenant.ts';

const TRIES_MAX = 3;
const AGAIN_MS = 100;

/**
 * Sends a message as a client would, and notes it before and after: an answer that does not come is asked for again
 * under the same message id a few times, and then nobody knows.
 */
export async function send(
  broker: Broker,
  journal: Journal,
  message: Outgoing,
  options: { readonly isFirst?: boolean; readonly triesMax?: number } = {},
): Promise<Ending> {
  const { kind, stream, subject, storedSubject, data } = message;
  const digest = digestOfBytes(data);
  const op = journal.invoke({ kind, stream, subject: storedSubject, digest });
  const ending = await publish(broker, subject, data, {
    messageId: digest,
    triesMax: options.triesMax ?? TRIES_MAX,
    ...(options.isFirst ? { expect: { lastSeq: 0 } } : {}),
  });
  journal.end(op, ending);
  return ending;
}

async function publish(
  broker: Broker,
  subject: string,
  data: Uint8Array,
  { triesMax, ...options }: { messageId: string; triesMax: number; expect?: { lastSeq: number } },
): Promise<Ending> {
  let doubt = '';
  for (let tries = 1; ; tries++) {
    try {
      const { seq } = await broker.publisher.publish(subject, data, options);
      return { state: 'ok', seq };
    } catch (error) {
      const problem = (error as Error).message;
      if (!(error instanceof PublishUncertain)) {
        // What is refused now may be so because the first try, whose answer was lost, was stored.
        return doubt ? { state: 'unknown', problem: doubt } : { state: 'refused', problem };
      }
      doubt = problem;
      if (tries >= triesMax) return { state: 'unknown', problem };
      await sleep(AGAIN_MS);
    }
  }
}
