import { setTimeout as sleep } from 'node:timers/promises';
import { PARTITIONS, partitionOf } from '@orchestrate/canon';
import { layerMarked, type Mark } from '@orchestrate/contracts';
import { eventually, jsonOf, startTestBroker, stored, type TestBroker } from '@orchestrate/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Count,
  Counting,
  countingService,
  keysInDifferentPartitions,
  outputOf,
  startLoop,
  startProcess,
} from './counting-service.test-support.ts';
import { readLast } from './stream-lookup.ts';

let server: TestBroker;
let counting: Counting;
beforeEach(async () => {
  server = await startTestBroker();
  counting = new Counting(server.broker);
});
afterEach(() => server[Symbol.asyncDispose]());

const KEYS = keysInDifferentPartitions(8);
const [KEY, OTHER] = KEYS as [string, string];

async function markOf(key: string): Promise<Mark> {
  const message = await readLast(server.broker, 'LAYERS', layerMarked.subject(partitionOf(key)));
  if (!message) throw new Error(`the partition of ${key} has no mark yet`);
  return jsonOf<Mark>(message);
}

const marksOf = async (key: string): Promise<Mark[]> =>
  (await stored(server.broker, 'LAYERS', layerMarked.subject(partitionOf(key)))).map((one) =>
    jsonOf<Mark>(one),
  );

describe('a mark', () => {
  it('never claims an input whose effect a kill could still take back [T14]', async () => {
    for (let round = 0; round < 6; round++) {
      const instance = await startProcess(server.nats.url, 'mortal', { markEveryMs: 1, handleMs: round % 3 });
      const sending = counting.sendRounds(KEYS, 40);
      await sleep(Math.random() * 250);
      instance.child.kill('SIGKILL');
      await instance.exited;
      await sending;
      for (const key of KEYS) {
        const mark = await markOf(key).catch(() => null);
        const inputs = await stored(server.broker, 'EVIDENCE', `evidence.${partitionOf(key)}.*.*.*`);
        const claimed = inputs.filter(({ seq }) => seq <= (mark?.inputs.EVIDENCE ?? 0)).at(-1)?.seq ?? 0;
        const durable = await readLast(server.broker, 'LAYERS', outputOf(key));
        expect(durable ? jsonOf<Count>(durable).inputSeq : 0).toBeGreaterThanOrEqual(claimed);
      }
    }
    await using last = await startProcess(server.nats.url, 'last');
    await counting.allCounted();
    expect((await last.status()).red).toEqual([]);
  });

  it('waits for the write that is on its way, however long that takes', async () => {
    const slow = await server.connect('slow');
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const publish = slow.publisher.publish.bind(slow.publisher);
    slow.publisher.publish = async (...message) => {
      if (message[0] === outputOf(KEY)) await gate;
      return publish(...message);
    };
    const loop = await startLoop(slow, 'one', countingService({ markEveryMs: 1 }));
    const seq = await counting.send(KEY);
    const otherSeq = await counting.send(OTHER);
    await eventually('others are marked', async () => (await markOf(OTHER)).inputs.EVIDENCE === otherSeq);
    await eventually('time for a mark has passed twice', async () => {
      const passed = (await marksOf(OTHER)).filter((mark) => mark.inputs.EVIDENCE === otherSeq);
      return passed.length >= 3;
    });
    expect((await markOf(KEY)).inputs.EVIDENCE).not.toBe(seq);
    open();
    await eventually('it is marked', async () => (await markOf(KEY)).inputs.EVIDENCE === seq);
    await loop.close();
  });

  it('stands still in time while an input waits, goes on afterwards, and never goes back [T14]', async () => {
    const { promise: blocked, resolve: unblock } = Promise.withResolvers<void>();
    const loop = await startLoop(server.broker, 'one', countingService({ markEveryMs: 1, blocked }));
    await eventually('a first mark', () => markOf(OTHER));
    const seq = await counting.send(KEY, 'block');
    const { time } = (await server.broker.jsm.streams.getMessage('EVIDENCE', { seq }))!;
    await counting.send(OTHER);
    const blockedAt = (await marksOf(KEY)).length;
    await eventually(
      'marks are made while it waits',
      async () => (await marksOf(KEY)).length >= blockedAt + 2,
    );
    const waiting = await markOf(KEY);
    expect(waiting.inputs.EVIDENCE ?? 0).toBeLessThan(seq);
    expect(waiting.asOfMs).toBeLessThanOrEqual(time.getTime());
    await eventually('others go on', async () => (await markOf(OTHER)).asOfMs > time.getTime());
    unblock();
    await eventually('it goes on', async () => (await markOf(KEY)).asOfMs > time.getTime());
    await counting.allCounted();
    await loop.close();
    const times = (await marksOf(KEY)).map((mark) => mark.asOfMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('does not say "now" for a reader that the server has forgotten [T14]', async () => {
    const loop = await startLoop(server.broker, 'one', countingService({ markEveryMs: 1 }));
    await eventually('a mark', () => markOf(KEY));
    for await (const { name } of server.broker.jsm.consumers.list('EVIDENCE')) {
      await server.broker.jsm.consumers.delete('EVIDENCE', name);
    }
    const seq = await counting.send(KEY);
    const { time } = (await server.broker.jsm.streams.getMessage('EVIDENCE', { seq }))!;
    await eventually('marks go on', async () => {
      const mark = await markOf(KEY);
      if (mark.asOfMs > time.getTime() && (mark.inputs.EVIDENCE ?? 0) < seq) throw new Error('it said "now"');
      return (mark.inputs.EVIDENCE ?? 0) >= seq && mark.asOfMs > time.getTime();
    });
    for (const mark of await marksOf(KEY)) {
      if ((mark.inputs.EVIDENCE ?? 0) < seq) expect(mark.asOfMs).toBeLessThanOrEqual(time.getTime());
    }
    await loop.close();
  });

  it('comes at another time for each partition, however they were taken', async () => {
    const loop = await startLoop(server.broker, 'one', countingService({ markEveryMs: 4_000 }));
    const seconds = await eventually('each partition is marked by the clock', async () => {
      const marks = (await stored(server.broker, 'LAYERS', 'layer.*')).map((one) => ({
        p: jsonOf<Mark>(one).p,
        atMs: one.storedAtMs,
      }));
      const second = Array.from({ length: PARTITIONS }, (_, p) => marks.filter((mark) => mark.p === p)[1]);
      return second.every((mark) => mark !== undefined) && second.map((mark) => mark!.atMs);
    });
    // They are spread over the whole interval; half of it leaves room for the tick that looks at the clock.
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThan(2_000);
    await loop.close();
  });

  it('of a clean release covers everything, so that the next owner reads nothing twice', async () => {
    const loop = await startLoop(server.broker, 'one');
    await counting.sendRounds(KEYS, 20);
    const lastSeq = await counting.send(KEY);
    await counting.allCounted();
    await loop.close();
    expect((await markOf(KEY)).inputs.EVIDENCE).toBe(lastSeq);
  });
});
