import { PARTITIONS, partitionOf } from '@orchestrate/canon';
import { layerMarked } from '@orchestrate/contracts';
import { eventually, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Counting,
  countingService,
  keysInDifferentPartitions,
  startLoop,
} from './counting-service.test-support.ts';
import type { OwnerLoop } from './owner-loop.ts';
import type { PartitionContext } from './partitioned-service.ts';

let server: TestBroker;
let counting: Counting;
beforeEach(async () => {
  server = await startTestBroker();
  counting = new Counting(server.broker);
});
afterEach(() => server[Symbol.asyncDispose]());

const [KEY, OTHER] = keysInDifferentPartitions(2) as [string, string];
const P = partitionOf(KEY);

const markedAll = (loop: OwnerLoop) =>
  eventually('every owned partition is marked', () => {
    const { owned, markedAsOfMs } = loop.status();
    return Object.keys(markedAsOfMs).length === owned;
  });

describe('the status of an owner loop', () => {
  it('tells by stream what waits while a handler stands, and what was handled when it goes on', async () => {
    const gate = Promise.withResolvers<void>();
    const loop = await startLoop(server.broker, 'one', countingService({ blocked: gate.promise }));
    expect(loop.status()).toMatchObject({ lag: 0, lagOf: { EVIDENCE: 0 }, handledOf: { EVIDENCE: 0 } });
    await counting.send(KEY, 'block');
    for (let n = 0; n < 4; n++) await counting.send(KEY);
    await counting.send(OTHER);
    await eventually('the other partition goes on', () => loop.status().handledOf.EVIDENCE === 1);
    await eventually('all that waits behind it is known', () => loop.status().lagOf.EVIDENCE === 4);
    expect(loop.status()).toMatchObject({ lag: 4, caughtUp: PARTITIONS - 1 });
    gate.resolve();
    await counting.allCounted();
    await eventually('nothing waits', () => loop.status().lagOf.EVIDENCE === 0);
    expect(loop.status().handledOf).toEqual({ EVIDENCE: 6 });
    await loop.close();
  });

  it('tells what the marks in the stream vouch for, of its own partitions alone', async () => {
    const one = await startLoop(server.broker, 'one');
    await markedAll(one);
    const first = one.status().markedAsOfMs;
    expect(Object.keys(first)).toHaveLength(PARTITIONS);
    await eventually('marks come again', () => one.status().markedAsOfMs[P]! > first[P]!);
    const asOfMs = one.status().markedAsOfMs[P]!;
    const stored = await server.broker.jsm.streams.getMessage('LAYERS', {
      last_by_subj: layerMarked.subject(P),
    });
    expect(stored!.json<{ asOfMs: number }>().asOfMs).toBeGreaterThanOrEqual(asOfMs);
    expect(Math.abs(Date.now() - asOfMs)).toBeLessThan(20_000);

    const two = await startLoop(await server.connect('two'), 'two');
    await eventually('they share', () => one.status().owned + two.status().owned === PARTITIONS);
    await Promise.all([markedAll(one), markedAll(two)]);
    const marked = [one, two].flatMap((loop) => Object.keys(loop.status().markedAsOfMs));
    expect(new Set(marked).size).toBe(PARTITIONS);
    expect(marked).toHaveLength(PARTITIONS);
    await two.close();
    await one.close();
  });

  it('knows a partition that it handed on from one that it gave up, and a conflict from another reason', async () => {
    const contexts = new Map<number, PartitionContext>();
    const service = countingService();
    const one = await startLoop(server.broker, 'one', {
      ...service,
      open: (context, mark) => {
        contexts.set(context.p, context);
        return service.open(context, mark);
      },
    });
    await markedAll(one);
    expect(one.status()).toMatchObject({ taken: PARTITIONS, released: 0, lost: 0, conflicts: 0 });

    contexts.get(partitionOf(OTHER))!.lost(new Error('the world is down'));
    await eventually('it is taken again', () => one.status().taken === PARTITIONS + 1);
    expect(one.status()).toMatchObject({ released: 0, lost: 1, conflicts: 0 });

    await server.broker.publisher.publish(layerMarked.subject(P), Buffer.from(await markBytes()));
    await eventually('the conflict is seen, and the partition taken again', () => {
      return one.status().taken === PARTITIONS + 2;
    });
    expect(one.status()).toMatchObject({ released: 0, lost: 2, conflicts: 1, owned: PARTITIONS });

    await one.close();
    expect(one.status()).toMatchObject({ owned: 0, released: PARTITIONS, markedAsOfMs: {} });
  });
});

/** The mark of the partition as it stands: whoever writes it a second time is somebody else. */
async function markBytes(): Promise<Uint8Array> {
  const stored = await server.broker.jsm.streams.getMessage('LAYERS', {
    last_by_subj: layerMarked.subject(P),
  });
  return stored!.data;
}
