import { PARTITIONS, partitionOf } from '@orchestrate/canon';
import { eventually, shardedStreams, startTestBroker, stored, type TestBroker } from '@orchestrate/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareStreams } from './compare-streams.ts';
import type { Broker } from './connect.ts';
import { Counting, keysInDifferentPartitions, startProcess } from './counting-service.test-support.ts';
import { provisionStreams } from './provision-streams.ts';
import { rejectInput } from './rejections.ts';
import type { StoredMessage } from './stored-message.ts';
import { countMessages, countStored, lastSeqOf, purgeStored } from './stream-contents.ts';
import { readAt, readLast, readLastOfEach } from './stream-lookup.ts';
import { readStored, StreamFollower } from './stream-reader.ts';

const FOUR = shardedStreams(4);

let server: TestBroker;
let broker: Broker;
beforeEach(async () => {
  server = await startTestBroker(FOUR);
  broker = server.broker;
});
afterEach(() => server[Symbol.asyncDispose]());

const textOf = ({ data }: StoredMessage) => Buffer.from(data).toString();

/** `<p>/<n>` on the truth of a tenant of each partition, n from 1 on. */
async function storeRounds(rounds: number): Promise<void> {
  for (let n = 1; n <= rounds; n++) {
    const all = Array.from({ length: PARTITIONS }, (_, p) =>
      broker.publisher.publish(`truth.${p}.acme`, Buffer.from(`${p}/${n}`)),
    );
    await Promise.all(all);
  }
}

async function namesOnServer(): Promise<string[]> {
  const names: string[] = [];
  for await (const name of broker.jsm.streams.names('truth.>')) names.push(name);
  return names;
}

describe('a stream in four shards', () => {
  it('is as declared, and each shard holds its sixteen partitions', async () => {
    expect(await compareStreams(broker, FOUR)).toEqual([]);
    await storeRounds(1);
    for (const [shard, name] of ['TRUTH-0', 'TRUTH-1', 'TRUTH-2', 'TRUTH-3'].entries()) {
      const { state } = await broker.jsm.streams.info(name, { subjects_filter: '>' });
      const partitions = Object.keys(state.subjects!).map((subject) => Number(subject.split('.')[1]));
      expect(partitions.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 16 }, (_, at) => shard * 16 + at),
      );
    }
  });

  it('is read as one: all of it, each partition in its order, or the newest of each subject', async () => {
    await storeRounds(3);
    const all = await stored(broker, 'TRUTH', 'truth.*.*');
    expect(new Set(all.map(({ stream }) => stream))).toEqual(new Set(['TRUTH']));
    for (let p = 0; p < PARTITIONS; p++) {
      const ofOne = all.map(textOf).filter((text) => text.startsWith(`${p}/`));
      expect(ofOne).toEqual([`${p}/1`, `${p}/2`, `${p}/3`]);
    }
    const newest = [];
    for await (const one of readStored(broker, { stream: 'TRUTH', filters: ['truth.*.*'] })) newest.push(one);
    expect(new Set(newest.map(textOf))).toEqual(
      new Set(Array.from({ length: PARTITIONS }, (_, p) => `${p}/3`)),
    );
    expect(newest.length).toBe(PARTITIONS);
    expect(await countMessages(broker, 'TRUTH')).toBe(3 * PARTITIONS);
    expect(await countStored(broker, 'TRUTH', 'truth.*.*')).toBe(3 * PARTITIONS);
    expect(await countStored(broker, 'TRUTH', 'truth.63.*')).toBe(3);
  });

  it('gives a message by its sequence in the shard of its partition, and what stands on a subject', async () => {
    await storeRounds(2);
    for (const p of [0, 15, 16, 40, 63]) {
      const last = (await readLast(broker, 'TRUTH', `truth.${p}.acme`))!;
      expect(textOf(last)).toBe(`${p}/2`);
      expect(textOf((await readAt(broker, 'TRUTH', last.seq, p))!)).toBe(`${p}/2`);
      expect((await readLastOfEach(broker, 'TRUTH', [`truth.${p}.*`])).map(textOf)).toEqual([`${p}/2`]);
      expect(await lastSeqOf(broker, 'TRUTH', `truth.${p}.acme`)).toBe(32);
    }
    expect(await readLast(broker, 'TRUTH', 'truth.5.nobody')).toBeNull();
  });

  it('is purged by subject, in one shard or in all', async () => {
    await storeRounds(2);
    expect(await purgeStored(broker, 'TRUTH', 'truth.20.acme')).toBe(2);
    expect(await countMessages(broker, 'TRUTH')).toBe(2 * (PARTITIONS - 1));
    expect(await purgeStored(broker, 'TRUTH', 'truth.*.acme')).toBe(2 * (PARTITIONS - 1));
    expect(await countMessages(broker, 'TRUTH')).toBe(0);
  });

  it('is followed one shard at a time, and a sequence that could mean four places is refused', async () => {
    await storeRounds(2);
    const seen: string[] = [];
    const range = { stream: 'TRUTH', filters: ['truth.50.*', 'truth.51.*'], fromSeq: 1 } as const;
    const follower = await StreamFollower.start(broker, range, (message) => {
      seen.push(textOf(message));
    });
    await broker.publisher.publish('truth.50.acme', Buffer.from('50/3'));
    await broker.publisher.publish('truth.2.acme', Buffer.from('2/3'));
    await eventually('all are read', () => seen.length === 5);
    expect(seen.filter((text) => text.startsWith('50/'))).toEqual(['50/1', '50/2', '50/3']);
    await follower.close();

    const everywhere = { ...range, filters: ['truth.*.*'] };
    await expect(StreamFollower.start(broker, everywhere, () => {})).rejects.toThrow(/4 shards of TRUTH/);
    await expect(readLast(broker, 'TRUTH', 'truth.*.acme')).rejects.toThrow(/4 shards of TRUTH/);
    await expect(readStored(broker, { ...everywhere, fromSeq: 2 }).next()).rejects.toThrow(/4 shards/);
  });

  it('keeps two rejected inputs apart that have one sequence', async () => {
    await storeRounds(1);
    const inputs = await Promise.all([readAt(broker, 'TRUTH', 1, 0), readAt(broker, 'TRUTH', 1, 63)]);
    for (const input of [...inputs, ...inputs]) {
      await rejectInput(broker, 'reader', input!, 'handler_fault', new Error('no'));
    }
    expect((await server.rejections()).map(({ seq, subject }) => `${seq} ${subject.split('.')[0]}`)).toEqual([
      '1 truth',
      '1 truth',
    ]);
  });

  it('loses and doubles nothing when an owner is killed and another takes its partitions', async () => {
    const counting = new Counting(broker);
    const keys = keysInDifferentPartitions(24);
    expect(new Set(keys.map((key) => Math.floor(partitionOf(key) / 16))).size).toBe(4);
    const first = await startProcess(server.nats.url, 'first');
    await using _second = await startProcess(server.nats.url, 'second');
    const sending = counting.sendRounds(keys, 40);
    await eventually('some are counted', async () => (await countMessages(broker, 'LAYERS')) > 200);
    first.child.kill('SIGKILL');
    await sending;
    await counting.allCounted();
  });
});

describe('shards that are not all there', () => {
  it('are no empty ones: reading fails and says so, until they are provisioned', async () => {
    const other = await server.connect('other');
    await storeRounds(1);
    for (const name of ['TRUTH-2', 'TRUTH-3']) await broker.jsm.streams.delete(name);
    await expect(readLast(other, 'TRUTH', 'truth.0.acme')).rejects.toThrow(
      /of TRUTH the server has TRUTH-0, TRUTH-1 and lacks the rest/,
    );
    expect(await compareStreams(broker, FOUR)).toEqual([
      { kind: 'missing', stream: 'TRUTH-2' },
      { kind: 'missing', stream: 'TRUTH-3' },
    ]);
    await provisionStreams(broker, FOUR);
    expect(textOf((await readLast(other, 'TRUTH', 'truth.0.acme'))!)).toBe('0/1');
    expect(await readLast(other, 'TRUTH', 'truth.63.acme')).toBeNull();
  });
});

describe('provisioning', () => {
  it.each([1, 2, 8] as const)(
    'refuses %i shards where there are four, and changes nothing',
    async (shards) => {
      await storeRounds(1);
      const { streams, ...rest } = shardedStreams(shards);
      const changed = { ...rest, streams: streams.map((one) => ({ ...one, max_bytes: 1_048_576 })) };
      await expect(provisionStreams(broker, changed)).rejects.toThrow(
        `TRUTH is declared with \`"shards": ${shards}\` and stands on the server with \`"shards": 4\` (TRUTH-0, TRUTH-1, TRUTH-2, TRUTH-3; 64 messages)`,
      );
      expect(await compareStreams(broker, FOUR)).toEqual([]);
      expect(await countMessages(broker, 'TRUTH')).toBe(PARTITIONS);
    },
  );

  it('refuses shards where the stream is in one piece, and goes on with what is there', async () => {
    await using whole = await startTestBroker();
    await whole.broker.publisher.publish('truth.3.acme', Buffer.from('3/1'));
    await expect(provisionStreams(whole.broker, FOUR)).rejects.toThrow(
      /TRUTH is declared with `"shards": 4` and stands on the server with `"shards": 1` \(TRUTH; 1 message\)/,
    );
    await provisionStreams(whole.broker);
    expect(await compareStreams(whole.broker)).toEqual([]);
    expect(textOf((await readAt(whole.broker, 'TRUTH', 1, 3))!)).toBe('3/1');
  });

  it('may be done again', async () => {
    await storeRounds(1);
    await provisionStreams(broker, FOUR);
    expect(await namesOnServer()).toEqual(['TRUTH-0', 'TRUTH-1', 'TRUTH-2', 'TRUTH-3']);
    expect(await countMessages(broker, 'TRUTH')).toBe(PARTITIONS);
  });
});
