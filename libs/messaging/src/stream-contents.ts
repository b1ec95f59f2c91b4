import type { StreamName } from '@orchestrate/contracts';
import type { Broker } from './connect.ts';

/** How many messages a stream holds, all its shards together. */
export async function countMessages(broker: Broker, stream: StreamName): Promise<number> {
  let messages = 0;
  for (const name of await broker.shards.names(stream)) {
    messages += (await broker.jsm.streams.info(name)).state.messages;
  }
  return messages;
}

/** How many messages a stream holds on these subjects. */
export async function countStored(broker: Broker, stream: StreamName, filter: string): Promise<number> {
  let messages = 0;
  for (const { name, filters } of await broker.shards.parts(stream, [filter])) {
    const consumer = await broker.js.consumers.get(name, { filter_subjects: [...filters] });
    messages += (await consumer.info()).num_pending;
    void consumer.delete().catch(() => {});
  }
  return messages;
}

/** What is stored on this subject from now on has a higher sequence. */
export async function lastSeqOf(broker: Broker, stream: StreamName, subject: string): Promise<number> {
  const name = await broker.shards.nameOf(stream, subject);
  return (await broker.jsm.streams.info(name)).state.last_seq;
}

/** Makes what stands on these subjects unreachable; gives how many messages it was. */
export async function purgeStored(broker: Broker, stream: StreamName, filter: string): Promise<number> {
  let purged = 0;
  for (const { name } of await broker.shards.parts(stream, [filter])) {
    purged += (await broker.jsm.streams.purge(name, { filter })).purged;
  }
  return purged;
}
