import { PARTITIONS } from '@orchestrate/canon';
import type { StreamName } from '@orchestrate/contracts';
import type { Broker } from './connect.ts';
import { isSharded, partitionsOf, type ShardCount, shardNames, subjectsOf } from './stream-shards.ts';

interface Declared {
  readonly name: StreamName;
  readonly shards: ShardCount;
  readonly subjects: readonly string[];
}

/** What a declaration says of one stream on the server. */
export type ShardDeclaration<Stream extends Declared> = Omit<Stream, 'name' | 'shards' | 'subjects'> & {
  readonly name: string;
  readonly subjects: string[];
};

/**
 * The streams on the server that a declaration stands for: one, or its shards. A shard has the same limits, as a stream
 * of its own, and takes the subjects of its partitions, one by one.
 */
export function shardsOf<Stream extends Declared>(declared: Stream): ShardDeclaration<Stream>[] {
  const { name: _, shards, subjects, ...rest } = declared;
  return shardNames(declared.name, shards).map((name, shard) => ({
    ...rest,
    name,
    subjects:
      shards === 1
        ? [...subjects]
        : partitionsOf(shard, shards).flatMap((p) => subjects.map((subject) => inPartition(subject, p))),
  }));
}

const inPartition = (subject: string, p: number): string => {
  const [root, , ...rest] = subject.split('.');
  return [root, p, ...rest].join('.');
};

/**
 * Throws when a stream stands on the server in another number of shards than declared: what is stored does not move, and
 * marks and chains name places in the streams that are there.
 */
export async function refuseOtherShards(broker: Broker, declared: readonly Declared[]): Promise<void> {
  const problems = await otherShards(broker, declared);
  if (problems.length === 0) return;
  throw new Error(
    `${problems.join('; ')}: the shards of a store cannot be changed, because its marks and chains name places in them; nothing was changed: declare what is there in deploy/nats/streams.json, or provision a server that has none of these streams`,
  );
}

/** One sentence for each stream that stands on the server in another number of shards. */
export async function otherShards(broker: Broker, declared: readonly Declared[]): Promise<string[]> {
  const problems = await Promise.all(declared.map((stream) => otherShardsOf(broker, stream)));
  return problems.filter((problem) => problem !== null);
}

async function otherShardsOf(broker: Broker, declared: Declared): Promise<string | null> {
  const { name: stream, shards } = declared;
  if (!isSharded(stream)) return null;
  const wanted = new Map(shardsOf(declared).map(({ name, subjects }) => [name, partitionsIn(subjects)]));
  const standing: string[] = [];
  let messages = 0;
  let isOther = false;
  let partitions: readonly string[] = [];
  for await (const name of broker.jsm.streams.names(subjectsOf(stream))) {
    const { config, state } = await broker.jsm.streams.info(name);
    partitions = partitionsIn(config.subjects);
    if (wanted.get(name)?.join() !== partitions.join()) isOther = true;
    standing.push(name);
    messages += state.messages;
  }
  if (!isOther) return null;
  const count = partitions[0] === '*' ? 1 : PARTITIONS / partitions.length;
  return `${stream} is declared with \`"shards": ${shards}\` and stands on the server with \`"shards": ${count}\` (${standing.toSorted(byNumber).join(', ')}; ${messages} ${messages === 1 ? 'message' : 'messages'})`;
}

/** The partitions that subjects name, `*` for all. */
function partitionsIn(subjects: readonly string[]): string[] {
  return [...new Set(subjects.map((subject) => subject.split('.')[1]!))].sort();
}

const byNumber = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });
