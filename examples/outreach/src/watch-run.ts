import { setTimeout as sleep } from 'node:timers/promises';
import { type Books, readBooks } from '@orchestrate/client';
import type { StreamName } from '@orchestrate/contracts';
import type { Platform } from '@orchestrate/embedded';
import { type Broker, countMessages } from '@orchestrate/messaging';
import type { Killable } from './options.ts';
import { progress } from './tell.ts';

const SETTLED_MS_MAX = 45_000;
const QUIET_MS = 300;
const READ_TRIES_MAX = 10;

/** SIGKILL once a part of the work is done, and the ordinary restart. */
export async function killMidway(
  platform: Platform,
  broker: Broker,
  service: Killable,
  requests: number,
): Promise<void> {
  const stream = service === 'reference-sender' ? 'OUTCOMES' : 'DECISIONS';
  const share = service === 'reference-sender' ? 0.1 : 0.2;
  const deadline = Date.now() + SETTLED_MS_MAX;
  while ((await countPatiently(broker, stream)) < requests * share && Date.now() < deadline) await sleep(5);
  progress(`SIGKILL to ${service} after ${await countPatiently(broker, 'DECISIONS')} records of the chains`);
  if (service === 'nats-server') await platform.nats.kill();
  else await platform.supervisor.kill(`${service}-1`, 'SIGKILL');
  progress(`${service} is back, ${await countPatiently(broker, 'DECISIONS')} records`);
}

/** Reads the books whenever the chains have been quiet for a moment, until nothing is open any more. */
export async function awaitBooks(broker: Broker, tenants: readonly string[]): Promise<readonly Books[]> {
  const deadline = Date.now() + SETTLED_MS_MAX;
  let records = -1;
  for (;;) {
    await sleep(QUIET_MS);
    const messages = await countPatiently(broker, 'DECISIONS');
    const quiet = messages === records;
    records = messages;
    if (!quiet && Date.now() < deadline) continue;
    const books = await patiently(() => Promise.all(tenants.map((tenantId) => readBooks(broker, tenantId))));
    const settled = books.every((book) => book.requests === book.effectiveDecisions && book.open === 0);
    if (settled || Date.now() > deadline) return books;
  }
}

function countPatiently(broker: Broker, stream: StreamName): Promise<number> {
  return patiently(() => countMessages(broker, stream));
}

/** A server that was killed is away for a moment; what only reads asks again. */
async function patiently<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (tries === READ_TRIES_MAX) throw error;
      await sleep(200);
    }
  }
}
