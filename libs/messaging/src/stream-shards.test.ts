import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PARTITIONS } from '@orchestrate/canon';
import { describe, expect, it, test } from 'vitest';
import { readStreamsFile, type StreamsFile } from './provision-streams.ts';
import { shardsOf } from './shard-declaration.ts';
import { isSharded, partitionsOf, SHARD_COUNTS, shardNames, shardOf } from './stream-shards.ts';

const ALL = Array.from({ length: PARTITIONS }, (_, p) => p);

describe.each(SHARD_COUNTS)('%i shards', (shards) => {
  it('have every partition once, in order, and as many as each other', () => {
    const dealt = Array.from({ length: shards }, (_, shard) => partitionsOf(shard, shards));
    expect(dealt.flat()).toEqual(ALL);
    expect(new Set(dealt.map(({ length }) => length))).toEqual(new Set([PARTITIONS / shards]));
  });

  it('are found by the partition, as they were dealt out', () => {
    for (const p of ALL) expect(partitionsOf(shardOf(p, shards), shards)).toContain(p);
  });
});

test('a stream in one piece is called and declared as it is, and its shards are numbered', () => {
  expect(shardNames('TRUTH', 1)).toEqual(['TRUTH']);
  expect(shardNames('TRUTH', 4)).toEqual(['TRUTH-0', 'TRUTH-1', 'TRUTH-2', 'TRUTH-3']);
  for (const stream of readStreamsFile().streams) {
    const { shards: _, ...rest } = stream;
    expect(shardsOf(stream)).toEqual([rest]);
  }
});

test('a shard takes the subjects of its partitions alone, with the limits of the stream', () => {
  const layers = readStreamsFile().streams.find(({ name }) => name === 'LAYERS')!;
  const [first, second] = shardsOf({ ...layers, shards: 32 });
  const limits = { max_bytes: layers.max_bytes, max_msgs_per_subject: layers.max_msgs_per_subject };
  expect(first).toEqual({
    ...limits,
    name: 'LAYERS-0',
    subjects: ['layer.0', 'layer.0.*.*.*', 'layer.1', 'layer.1.*.*.*'],
  });
  expect(second).toMatchObject({
    name: 'LAYERS-1',
    subjects: ['layer.2', 'layer.2.*.*.*', 'layer.3', 'layer.3.*.*.*'],
  });
});

describe('a declaration', () => {
  const read = (change: (stream: StreamsFile['streams'][number]) => object): StreamsFile => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'orchestrate-streams-'));
    const file = join(directory.path, 'streams.json');
    const { streams, buckets } = readStreamsFile();
    writeFileSync(file, JSON.stringify({ streams: streams.map(change), buckets }));
    return readStreamsFile(file);
  };

  it('may shard what our services write of every tenant', () => {
    const { streams } = read((stream) => (isSharded(stream.name) ? { ...stream, shards: 16 } : stream));
    expect(streams.filter(({ shards }) => shards === 16).map(({ name }) => name)).toEqual([
      'LAYERS',
      'TRUTH',
      'DECISIONS',
    ]);
  });

  it('of a number that does not deal the partitions out evenly, or of another stream, is refused', () => {
    const broken = (stream: StreamsFile['streams'][number]) =>
      stream.name === 'TRUTH' ? { ...stream, shards: 3 } : stream;
    expect(() => read(broken)).toThrow(/shards/);
    const stray = (stream: StreamsFile['streams'][number]) =>
      stream.name === 'EVIDENCE' ? { ...stream, shards: 4 } : stream;
    expect(() => read(stray)).toThrow(/shards: only LAYERS, TRUTH and DECISIONS can be sharded/);
  });
});
