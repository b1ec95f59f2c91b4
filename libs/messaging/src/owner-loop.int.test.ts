import { setTimeout as sleep } from 'node:timers/promises';
import { KvWatchInclude } from '@nats-io/kv';
import { PARTITIONS, partitionOf } from '@orchestrate/canon';
import { layerMarked, type Mark } from '@orchestrate/contracts';
import { eventually, jsonOf, startTestBroker, stored, type TestBroker } from '@orchestrate/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Counting,
  type CountingProcess,
  countingService,
  keysInDifferentPartitions,
  outputOf,
  startLoop,
  startProcess,
} from './counting-service.test-support.ts';
import { OWNERS_BUCKET, type OwnerRecord } from './owner-record.ts';
import { readLast } from './stream-lookup.ts';

let server: TestBroker;
let counting: Counting;
beforeEach(async () => {
  server = await startTestBroker();
  counting = new Counting(server.broker);
});
afterEach(() => server[Symbol.asyncDispose]());

const KEYS = keysInDifferentPartitions(12);

/** Resolves when some of what is being sent is counted, but hardly all of it: the moment for an accident. */
async function midway(sending: { done: boolean }): Promise<void> {
  await eventually('some inputs are counted', async () => {
    const { state } = await server.broker.jsm.streams.info('LAYERS');
    return sending.done || state.messages > 64 + 3 * KEYS.length;
  });
}

function sendRounds(rounds: number): { done: boolean; finished: Promise<void> } {
  const sending = { done: false, finished: Promise.resolve() };
  sending.finished = counting.sendRounds(KEYS, rounds).then(() => {
    sending.done = true;
  });
  return sending;
}

async function caughtUp(instance: CountingProcess): Promise<void> {
  await eventually('all partitions are owned and caught up', async () => {
    const { owned, caughtUp } = await instance.status();
    return owned === PARTITIONS && caughtUp === PARTITIONS;
  });
}

describe('every input is reflected exactly once and in order', () => {
  it('by one instance, of what came before it and of what comes while it runs', async () => {
    await counting.sendRounds(KEYS, 30);
    const loop = await startLoop(server.broker, 'one');
    await counting.sendRounds(KEYS, 30);
    await counting.allCounted();
    await loop.close();
  });

  it('by two that come and go in turn, and hand over what they had begun', async () => {
    const sending = sendRounds(150);
    let turn = 0;
    let running = await startLoop(await server.connect('turn-0'), 'turn-0');
    while (!sending.done && turn < 20) {
      const next = await startLoop(await server.connect(`turn-${++turn}`), `turn-${turn}`);
      await running.close();
      running = next;
    }
    await sending.finished;
    await counting.allCounted();
    expect(turn).toBeGreaterThan(0);
    await eventually('the last one has everything', () => running.status().owned === PARTITIONS);
    expect(running.status().conflicts).toBe(0);
    await running.close();
  });

  it('and while another joins, and one of two stops, no more than one partition is without an owner who works', async () => {
    const one = await startLoop(await server.connect('one'), 'one', countingService(), {
      givesMsMax: 60_000,
    });
    const kv = await server.broker.kvm.open(OWNERS_BUCKET);
    const entries = await kv.watch({ include: KvWatchInclude.UpdatesOnly });
    const unowned = new Set<string>();
    let mostUnowned = 0;
    let taken = 0;
    const watching = (async () => {
      for await (const entry of entries) {
        const { state, works } = entry.json<OwnerRecord>();
        if (state === 'held' && works) taken += unowned.delete(entry.key) ? 1 : 0;
        else unowned.add(entry.key);
        mostUnowned = Math.max(mostUnowned, unowned.size);
      }
    })();
    const two = await startLoop(await server.connect('two'), 'two');
    await eventually('both have their share', () => one.status().owned + two.status().owned === PARTITIONS);
    const joined = two.status().owned;
    expect(joined).toBeGreaterThan(0);
    await one.close();
    await eventually('the other has everything', () => two.status().owned === PARTITIONS);
    await eventually('all of it was seen', () => taken === PARTITIONS);
    expect([mostUnowned, unowned.size]).toEqual([1, 0]);
    entries.stop();
    await watching;
    await two.close();
  });

  it('when another joins one that has only begun to take what it believes to be its own', async () => {
    await counting.sendRounds(KEYS, 10);
    const [brokerOfOne, brokerOfTwo] = await Promise.all(['one', 'two'].map((name) => server.connect(name)));
    const kv = await server.broker.kvm.open(OWNERS_BUCKET);
    const records = await kv.watch({ include: KvWatchInclude.UpdatesOnly });
    const starting = startLoop(brokerOfOne!, 'one');
    for await (const _first of records) break;
    const two = await startLoop(brokerOfTwo!, 'two');
    const one = await starting;
    await counting.sendRounds(KEYS, 10);
    await counting.allCounted();
    expect(one.status().owned + two.status().owned).toBe(PARTITIONS);
    expect([one, two].map((loop) => loop.status().conflicts)).toEqual([0, 0]);
    await one.close();
    await two.close();
  });

  it('when one stops while it is handing over to another', async () => {
    await counting.sendRounds(KEYS, 10);
    const one = await startLoop(await server.connect('one'), 'one');
    const two = startLoop(await server.connect('two'), 'two');
    await eventually('some are handed over', () => one.status().owned < PARTITIONS - 2);
    await one.close();
    await counting.sendRounds(KEYS, 10);
    await counting.allCounted();
    const other = await two;
    await eventually('the other has everything', () => other.status().owned === PARTITIONS);
    expect(one.status()).toMatchObject({ owned: 0, conflicts: 0, lost: 0 });
    expect(other.status().conflicts).toBe(0);
    await other.close();
  });

  it('when one that stops has no time to wait for who comes', async () => {
    await counting.sendRounds(KEYS, 10);
    const one = await startLoop(await server.connect('one'), 'one', countingService(), { givesMsMax: 0 });
    const two = await startLoop(await server.connect('two'), 'two');
    await one.close();
    expect(one.status().owned).toBe(0);
    await counting.sendRounds(KEYS, 10);
    await counting.allCounted();
    expect(two.status().conflicts).toBe(0);
    await two.close();
  });

  it('when the one is killed midway and another takes over', async () => {
    await using one = await startProcess(server.nats.url, 'one', { handleMs: 1 });
    const sending = sendRounds(100);
    await midway(sending);
    one.child.kill('SIGKILL');
    await using other = await startProcess(server.nats.url, 'other');
    await sending.finished;
    await counting.allCounted();
    await caughtUp(other);
  });

  it('when one is stopped for so long that another takes over, and then wakes up believing it still owns [T2]', async () => {
    await using zombie = await startProcess(server.nats.url, 'zombie', { handleMs: 1 });
    const sending = sendRounds(60);
    await midway(sending);
    zombie.child.kill('SIGSTOP');
    await using other = await startProcess(server.nats.url, 'other');
    await sending.finished;
    await counting.allCounted();
    await caughtUp(other);
    // It goes on where it was stopped: what it still writes of that would take the counts back.
    zombie.child.kill('SIGCONT');
    await eventually('the two share again, with what the stream says', async () => {
      const [a, b] = await Promise.all([zombie.status(), other.status()]);
      return a.owned > 0 && a.owned + b.owned === PARTITIONS && a.caughtUp + b.caughtUp === PARTITIONS;
    });
    await counting.allCounted();
    await counting.sendRounds(KEYS, 5);
    await counting.allCounted();
  });

  it('when nats-server is killed midway, twice', async () => {
    const loop = await startLoop(await server.connect('one'), 'one', countingService({ handleMs: 1 }));
    const sending = sendRounds(150);
    await sleep(150);
    await server.killAndRestart();
    await sleep(400);
    await server.killAndRestart(300);
    await sending.finished;
    await counting.allCounted();
    await eventually('the reader knows that nothing waits', () => loop.status().caughtUp === PARTITIONS);
    await loop.close();
  });

  it('when the partition is lost while it is being opened', async () => {
    const service = countingService();
    let openings = 0;
    const loop = await startLoop(server.broker, 'one', {
      ...service,
      open: async (context, mark) => {
        const worker = await service.open(context, mark);
        if (context.p === partitionOf(KEYS[0]!) && ++openings < 3) {
          context.lost(new Error('somebody else wrote while this opened'));
        }
        return worker;
      },
    });
    await counting.sendRounds(KEYS, 5);
    await counting.allCounted();
    expect(openings).toBe(3);
    expect(loop.status().owned).toBe(PARTITIONS);
    await loop.close();
  });
});

describe('an input that cannot be handled', () => {
  it('is kept with what was wrong, and costs nobody else anything [A16]', async () => {
    const loop = await startLoop(server.broker, 'one');
    const key = KEYS[0]!;
    await counting.send(key);
    const thrownAt = await counting.send(key, 'throw');
    const { seq: brokenAt } = await server.broker.publisher.publish(
      `evidence.${key}.test.main`,
      Buffer.from(JSON.stringify({ v: '1.0', key, n: 'many', act: 'count', colour: 'red' })),
    );
    const { seq: garbledAt } = await server.broker.publisher.publish(
      `evidence.${key}.test.main`,
      Buffer.from('{"v":'),
    );
    const { seq: strayAt } = await server.broker.publisher.publish(
      `evidence.${key}.test.main`,
      Buffer.from(JSON.stringify({ v: '1.0', key: 'another', n: 1, act: 'count' })),
    );
    await counting.sendRounds(KEYS, 3);
    await counting.allCounted();
    const rejections = await server.rejections();
    expect(rejections.map(({ seq, reason }) => [seq, reason])).toEqual([
      [thrownAt, 'handler_fault'],
      [brokenAt, 'contract_violation'],
      [garbledAt, 'contract_violation'],
      [strayAt, 'contract_violation'],
    ]);
    const issues = rejections.map((one) =>
      one.issues.map(({ path, message }) => `${path}: ${message}`).join('; '),
    );
    expect(issues[0]).toContain('more than the handler can take');
    expect(issues[1]).toMatch(/n: .*number.*colour/);
    expect(issues[2]).toContain('not JSON');
    expect(issues[3]).toContain(`but came on evidence.${partitionOf(key)}.${key}.test.main`);
    expect(loop.status()).toMatchObject({ rejected: 4, red: [] });
    await loop.close();
  });

  it('because it kills the process is skipped after the third death, and health is red', async () => {
    const [key] = KEYS;
    await counting.sendRounds(KEYS, 2);
    const deadlyAt = await counting.send(key!, 'exit');
    await counting.sendRounds(KEYS, 2);
    let deaths = 0;
    let instance = await startProcess(server.nats.url, 'mortal');
    while (await endsBefore(instance, () => counting.allCounted())) {
      if (++deaths > 5) throw new Error('it goes on dying');
      instance = await startProcess(server.nats.url, 'mortal');
    }
    await using survivor = instance;
    expect(deaths).toBe(3);
    expect((await server.rejections()).map(({ seq, reason }) => [seq, reason])).toEqual([
      [deadlyAt, 'process_deaths'],
    ]);
    const { red } = await survivor.status();
    expect(red).toEqual([expect.stringContaining(`EVIDENCE/${deadlyAt}`)]);
    await counting.sendRounds(KEYS, 2);
    await counting.allCounted();
  });

  it('because it is of a newer version stops its partition alone, and is not taken for garbage [A8]', async () => {
    const loop = await startLoop(server.broker, 'one');
    const [stopped, ...others] = KEYS as [string, ...string[]];
    await server.broker.publisher.publish(
      `evidence.${stopped}.test.main`,
      Buffer.from(JSON.stringify({ v: '2.0', key: stopped, something: 'new' })),
    );
    await eventually('health is red', () => loop.status().red.length === 1);
    expect(loop.status().red[0]).toMatch(new RegExp(`partition ${partitionOf(stopped)}: .*2\\.0.*upgrade`));
    await counting.sendRounds(others, 3);
    await counting.allCounted();
    expect(loop.status().owned).toBe(PARTITIONS - 1);
    expect(await server.rejections()).toEqual([]);
    await loop.close();

    const again = await startLoop(server.broker, 'again');
    await eventually('health is red after a restart too', () => again.status().red.length === 1);
    await again.close();
  });

  it('tells nothing of what was sent where it says what was wrong with it [A11]', async () => {
    const secret = 'ann.smith@example.com';
    const key = KEYS[0]!;
    const subject = `evidence.${key}.test.main`;
    const input = { v: '1.0', key, n: 1, act: 'count' };
    const broken = [
      JSON.stringify({ ...input, [secret]: true }),
      JSON.stringify({ ...input, act: secret }),
      JSON.stringify({ ...input, key: secret }),
      JSON.stringify({ ...input, v: `${'9'.repeat(20)}.0`, note: secret }),
      JSON.stringify(secret),
      secret,
      `{"v":"1.0","key":${secret}`,
      `{"v":"1.0" "${secret}"}`,
    ];
    const loop = await startLoop(server.broker, 'one');
    for (const payload of broken) await server.broker.publisher.publish(subject, Buffer.from(payload));
    await counting.sendRounds(KEYS, 1);
    await counting.allCounted();
    const rejections = await server.rejections();
    expect(rejections.map(({ reason }) => reason)).toEqual(broken.map(() => 'contract_violation'));
    for (const { issues } of rejections) {
      expect(issues.length).toBeGreaterThan(0);
      expect(JSON.stringify(issues)).not.toMatch(/ann|smith|example|999/);
    }
    await loop.close();
  });
});

describe('what a later minor version adds', () => {
  const later = (key: string) => JSON.stringify({ v: '1.7', key, n: 1, act: 'count', colour: 'red' });

  it('is left out by a reader inside, which counts the rest [A6]', async () => {
    const [key] = KEYS as [string];
    const loop = await startLoop(server.broker, 'inner', countingService({ isInner: true }));
    await server.broker.publisher.publish(`evidence.${key}.test.main`, Buffer.from(later(key)));
    await eventually(
      'it is counted',
      async () => (await stored(server.broker, 'LAYERS', outputOf(key))).length,
    );
    expect(await server.rejections()).toEqual([]);
    expect(loop.status()).toMatchObject({ rejected: 0, red: [] });
    await loop.close();
  });

  it('is refused at an edge, and stops nothing [A5]', async () => {
    const [key] = KEYS as [string];
    const loop = await startLoop(server.broker, 'edge');
    await server.broker.publisher.publish(`evidence.${key}.test.main`, Buffer.from(later(key)));
    await counting.sendRounds(KEYS, 1);
    await counting.allCounted();
    const [rejection, ...others] = await server.rejections();
    expect(others).toEqual([]);
    expect(rejection).toMatchObject({
      reason: 'contract_violation',
      issues: [{ path: '', message: 'not known here: `colour`' }],
    });
    expect(loop.status().red).toEqual([]);
    await loop.close();
  });

  it('to the mark of a partition does not keep the next owner from going on there', async () => {
    const [key] = KEYS as [string];
    await startLoop(server.broker, 'one').then((loop) => loop.close());
    const mark = await lastMark(key);
    await publishMark(key, { ...mark, v: '1.7', colour: 'red' });
    const next = await startLoop(server.broker, 'next');
    await counting.sendRounds(KEYS, 1);
    await counting.allCounted();
    expect(next.status()).toMatchObject({ owned: PARTITIONS, red: [] });
    await next.close();
  });
});

it('a mark of the next major version stops its partition alone: its owner must not begin from the beginning [A8]', async () => {
  const [stopped, ...others] = KEYS as [string, ...string[]];
  await startLoop(server.broker, 'one').then((loop) => loop.close());
  await publishMark(stopped, { ...(await lastMark(stopped)), v: '2.0' });
  const next = await startLoop(server.broker, 'next');
  await eventually('health is red', () => next.status().red.length === 1);
  expect(next.status().red[0]).toMatch(new RegExp(`partition ${partitionOf(stopped)}: .*2\\.0.*upgrade`));
  await counting.sendRounds(others, 1);
  await counting.allCounted();
  expect(next.status().owned).toBe(PARTITIONS - 1);
  expect(await server.rejections()).toEqual([]);
  expect(await lastMark(stopped)).toMatchObject({ v: '2.0' });
  await next.close();
});

async function lastMark(key: string): Promise<Mark> {
  return jsonOf<Mark>((await readLast(server.broker, 'LAYERS', layerMarked.subject(partitionOf(key))))!);
}

async function publishMark(key: string, mark: object): Promise<void> {
  const subject = layerMarked.subject(partitionOf(key));
  await server.broker.publisher.publish(subject, Buffer.from(JSON.stringify(mark)));
}

/** Whether the process ends before the work is done. */
async function endsBefore(instance: CountingProcess, work: () => Promise<void>): Promise<boolean> {
  const outcome = await Promise.race([instance.exited.then(() => true), work().then(() => false)]);
  await sleep(0);
  return outcome;
}
