import { partitionOf } from '@orchestrate/canon';
import { eventually, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from './connect.ts';
import { counted, publishCertainly } from './counting-service.test-support.ts';
import { readNewest, readStored, StreamFollower } from './stream-reader.ts';

let server: TestBroker;
let broker: Broker;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
});
afterAll(() => server[Symbol.asyncDispose]());

async function storeMany(key: string, count: number): Promise<string> {
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      publishCertainly(broker, counted.subject(key), Buffer.from(`${n}`)),
    ),
  );
  return `evidence.${partitionOf(key)}.${key}.test.main`;
}

describe('readStored', () => {
  it('reads everything once and in order although the server is killed in the middle', async () => {
    const filters = [await storeMany('restarted', 3_000)];
    const seqs: number[] = [];
    for await (const { seq } of readStored(broker, { stream: 'EVIDENCE', filters, fromSeq: 1 })) {
      seqs.push(seq);
      if (seqs.length === 1_200) await server.killAndRestart();
    }
    expect(seqs).toHaveLength(3_000);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  });

  it('does not wait for ever for messages that were deleted before they came', async () => {
    const filters = [await storeMany('purged', 10)];
    const purging = {
      ...broker,
      js: {
        ...broker.js,
        consumers: {
          get: async (...range: Parameters<Broker['js']['consumers']['get']>) => {
            const consumer = await broker.js.consumers.get(...range);
            await broker.jsm.streams.purge('EVIDENCE', { filter: filters[0]! });
            return consumer;
          },
        },
      },
    } as unknown as Broker;
    const found = [];
    for await (const one of readStored(purging, { stream: 'EVIDENCE', filters, fromSeq: 1 })) found.push(one);
    expect(found).toEqual([]);
  });
});

describe('readNewest', () => {
  it('goes back to what fits when the newest message is garbage or speaks for somebody else', async () => {
    const send = (key: string, message: object) =>
      publishCertainly(broker, counted.subject(key), Buffer.from(JSON.stringify(message)));
    const good = (key: string, n: number) => ({ v: '1.0', key, n, act: 'count' });
    await send('garbled', good('garbled', 1));
    const known = await send('garbled', good('garbled', 2));
    await send('garbled', { v: '1.0', key: 'garbled', n: 'three' });
    const head = await send('garbled', good('another', 4));
    await send('hopeless', { v: '1.0' });
    const subjectOf = ({ key }: { key: string }) => `evidence.${partitionOf(key)}.${key}.test.main`;
    const filters = ['garbled', 'hopeless'].map((key) => subjectOf({ key }));
    const found = [];
    for await (const one of readNewest(broker, { stream: 'EVIDENCE', filters }, counted, subjectOf)) {
      found.push([one.message.n, one.stored.seq, one.headSeq]);
    }
    expect(found).toEqual([[2, known, head]]);
  });
});

describe('StreamFollower', () => {
  it('goes on reading after a restart of the server, and knows what waits', async () => {
    const filters = [await storeMany('followed', 10)];
    const seqs: number[] = [];
    const range = { stream: 'EVIDENCE', filters, fromSeq: 1 } as const;
    const follower = await StreamFollower.start(broker, range, ({ seq }) => {
      seqs.push(seq);
    });
    await eventually('the first are read', () => follower.isCaughtUp());
    for (let restart = 0; restart < 2; restart++) {
      await server.nats.kill();
      await eventually('it knows that it cannot know', () => !follower.isCaughtUp());
      await server.nats.restart();
      await storeMany('followed', 1_500);
      await eventually('all are read', () => seqs.length === 10 + 1_500 * (restart + 1));
      await eventually('it knows', () => follower.isCaughtUp());
    }
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(new Set(seqs).size).toBe(seqs.length);
    await follower.close();
  });
});
