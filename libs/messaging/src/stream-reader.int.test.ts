import { partitionOf } from '@orchestrate/canon';
import { eventually, onConsumer, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from './connect.ts';
import { counted, publishCertainly } from './counting-service.test-support.ts';
import { type ReadRange, readHeads, readNewest, readStored, StreamFollower } from './stream-reader.ts';

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

type Visit = (at: { readonly seq: number }) => void | Promise<void>;

async function visitStored(of: Broker, range: ReadRange, visit: Visit): Promise<void> {
  for await (const stored of readStored(of, range)) await visit(stored);
}

describe.each([
  { name: 'readStored', read: visitStored },
  { name: 'readHeads', read: readHeads },
])('$name', ({ name, read }) => {
  it('reads everything once and in order although the server is killed in the middle', async () => {
    const filters = [await storeMany(`restarted-${name}`, 3_000)];
    const seqs: number[] = [];
    let restarted: Promise<void> | undefined;
    await read(broker, { stream: 'EVIDENCE', filters, fromSeq: 1 }, ({ seq }) => {
      seqs.push(seq);
      if (seqs.length === 1_200) restarted = server.killAndRestart();
      if (name === 'readStored') return restarted;
    });
    await restarted;
    expect(restarted).toBeDefined();
    expect(seqs).toHaveLength(3_000);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  });

  it('does not wait for ever for messages that were deleted before they came', async () => {
    const filters = [await storeMany(`purged-${name}`, 10)];
    const purging = onConsumer(broker, () => broker.jsm.streams.purge('EVIDENCE', { filter: filters[0]! }));
    const found: number[] = [];
    await read(purging, { stream: 'EVIDENCE', filters, fromSeq: 1 }, ({ seq }) => void found.push(seq));
    expect(found).toEqual([]);
  });

  it('ends with the error of whoever takes what is read, and gives it no more', async () => {
    const filters = [await storeMany(`refused-${name}`, 10)];
    const seqs: number[] = [];
    const refusing = read(broker, { stream: 'EVIDENCE', filters, fromSeq: 1 }, ({ seq }) => {
      seqs.push(seq);
      if (seqs.length === 3) throw new Error('not this one');
    });
    await expect(refusing).rejects.toThrow('not this one');
    expect(seqs).toHaveLength(3);
  });
});

it('readHeads tells what stands beside each message, and where it stands', async () => {
  const filter = await storeMany('headed', 3);
  const heads: { seq: number; subject: string; size: string; none: string }[] = [];
  await readHeads(
    broker,
    { stream: 'EVIDENCE', filters: [filter], fromSeq: 1 },
    ({ seq, subject, header }) => {
      heads.push({ seq, subject, size: header('Nats-Msg-Size'), none: header('Nobody-Said-This') });
    },
  );
  const stored = await Array.fromAsync(
    readStored(broker, { stream: 'EVIDENCE', filters: [filter], fromSeq: 1 }),
  );
  const expected = stored.map(({ seq, subject, data }) => ({
    seq,
    subject,
    size: `${data.length}`,
    none: '',
  }));
  expect(heads).toEqual(expected);
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
