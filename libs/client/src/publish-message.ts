import { setTimeout as sleep } from 'node:timers/promises';
import type { Draft, MessageContract } from '@orchestrate/contracts';
import { type Broker, encode, PublishUncertain, type Stored } from '@orchestrate/messaging';

const TRIES_MAX = 8;
const BACKOFF_MS = 50;

/**
 * Publishes what its contract allows and says where it stands. When nobody knows whether it was stored it is sent
 * again under the same message id, which the server takes once.
 */
export async function publishMessage<T extends { readonly v: string; readonly id: string }>(
  broker: Broker,
  contract: MessageContract<T, never>,
  subject: string,
  message: Draft<T>,
): Promise<Stored> {
  const data = encode(contract, message);
  for (let tries = 1; ; tries++) {
    try {
      return await broker.publisher.publish(subject, data, { messageId: message.id });
    } catch (error) {
      if (!(error instanceof PublishUncertain) || tries === TRIES_MAX) throw error;
      await sleep(BACKOFF_MS * 2 ** tries);
    }
  }
}

/** Runs `work` on each item, at most `width` at a time, and ends at the first failure. */
export async function eachInFlight<T>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  try {
    for await (const item of items) {
      if (failure) break;
      const job: Promise<void> = work(item)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => running.delete(job));
      running.add(job);
      if (running.size >= width) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  if (failure) throw failure.error;
}
