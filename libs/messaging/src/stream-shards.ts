import type { JetStreamManager } from '@nats-io/jetstream';
import { PARTITIONS } from '@orchestrate/canon';
import type { StreamName } from '@orchestrate/contracts';

/** Streams that a declaration may divide by partition, with the first token of their subjects. */
const ROOTS = { LAYERS: 'layer', TRUTH: 'truth', DECISIONS: 'decision' } as const;
export type ShardedStream = keyof typeof ROOTS;
export type WholeStream = Exclude<StreamName, ShardedStream>;

/** Powers of two, so that each shard has as many partitions as the next. */
export const SHARD_COUNTS = [1, 2, 4, 8, 16, 32, 64] as const;
export type ShardCount = (typeof SHARD_COUNTS)[number];

export const isSharded = (stream: StreamName): stream is ShardedStream => stream in ROOTS;

/** Everything that stands in a stream, or what is about the tenants of one partition. */
export const subjectsOf = (stream: ShardedStream, p?: number): string =>
  p === undefined ? `${ROOTS[stream]}.>` : `${ROOTS[stream]}.${p}.>`;

/** Shard `k` of `n` has the partitions from `k * 64 / n` on. */
export const shardOf = (p: number, shards: ShardCount): number => Math.floor((p * shards) / PARTITIONS);

export function partitionsOf(shard: number, shards: ShardCount): number[] {
  const width = PARTITIONS / shards;
  return Array.from({ length: width }, (_, at) => shard * width + at);
}

/** What the streams are called on the server, in the order of their partitions. */
export function shardNames(stream: StreamName, shards: ShardCount): string[] {
  return shards === 1 ? [stream] : Array.from({ length: shards }, (_, shard) => `${stream}-${shard}`);
}

/** A stream on the server, and what is asked of it. */
export interface StreamPart {
  readonly name: string;
  readonly filters: readonly string[];
}

/**
 * Knows where the messages of a stream stand: in one of that name, or in shards. The server is asked once, and is right:
 * a process must not read past what stands there because its declaration is another one.
 */
export class StreamShards {
  readonly #jsm: JetStreamManager;
  readonly #counts = new Map<ShardedStream, Promise<ShardCount | null>>();

  constructor(jsm: JetStreamManager) {
    this.#jsm = jsm;
  }

  /** The streams on the server that hold what the filters take, in the order of their partitions. */
  async parts(stream: StreamName, filters: readonly string[]): Promise<StreamPart[]> {
    if (!isSharded(stream)) return [{ name: stream, filters }];
    const shards = await this.#countOf(stream);
    if (shards === 1) return [{ name: stream, filters }];
    return shardNames(stream, shards)
      .map((name, shard) => ({ name, filters: filters.filter((filter) => takesFrom(filter, shard, shards)) }))
      .filter((part) => part.filters.length > 0);
  }

  /** The one stream on the server that holds these subjects: a sequence means something only there. */
  async part(stream: StreamName, filters: readonly string[]): Promise<StreamPart> {
    const parts = await this.parts(stream, filters);
    const [part] = parts;
    if (part && parts.length === 1) return part;
    throw new Error(
      `${filters.join(', ')} stands in ${parts.length} shards of ${stream}: name a partition that is in one`,
    );
  }

  async nameOf(stream: StreamName, subject: string): Promise<string> {
    return (await this.part(stream, [subject])).name;
  }

  /** All streams on the server that make up this one. */
  async names(stream: StreamName): Promise<string[]> {
    return isSharded(stream) ? shardNames(stream, await this.#countOf(stream)) : [stream];
  }

  async #countOf(stream: ShardedStream): Promise<ShardCount> {
    const asked = this.#counts.getOrInsertComputed(stream, () => this.#askCount(stream));
    const forget = () => {
      if (this.#counts.get(stream) === asked) this.#counts.delete(stream);
    };
    try {
      const count = await asked;
      // Whoever asks for it by its own name hears from the server that there is none.
      if (count === null) forget();
      return count ?? 1;
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Null when there is nothing. The last partition tells a part of many shards from all of few. */
  async #askCount(stream: ShardedStream): Promise<ShardCount | null> {
    const [found, last] = await Promise.all([
      this.#namesOn(subjectsOf(stream)),
      this.#namesOn(subjectsOf(stream, PARTITIONS - 1)),
    ]);
    if (found.length === 0) return null;
    const count = SHARD_COUNTS.find((shards) => isSame(shardNames(stream, shards), found));
    if (count !== undefined && isSame(last, shardNames(stream, count).slice(-1))) return count;
    throw new Error(
      `of ${stream} the server has ${found.toSorted().join(', ')} and lacks the rest: \`orchestrate doctor\` says which, and what to do`,
    );
  }

  async #namesOn(subject: string): Promise<string[]> {
    const names: string[] = [];
    for await (const name of this.#jsm.streams.names(subject)) names.push(name);
    return names;
  }
}

function takesFrom(filter: string, shard: number, shards: ShardCount): boolean {
  const p = filter.split('.')[1];
  return p === '*' || p === '>' || shardOf(Number(p), shards) === shard;
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((one) => others.includes(one));
