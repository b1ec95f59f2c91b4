import { PARTITIONS } from '@orchestrate/canon';
import { eventually, startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Broker } from './connect.ts';
import { countingService, startLoop, startProcess } from './counting-service.test-support.ts';
import type { OwnerLoop } from './owner-loop.ts';
import { OWNERS_BUCKET } from './owner-record.ts';
import { PRESENCE_BUCKET } from './presence.ts';
import { ownerOf } from './rendezvous.ts';

let server: TestBroker;
let broker: Broker;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
});
afterAll(() => server[Symbol.asyncDispose]());

const ALL = Array.from({ length: PARTITIONS }, (_, p) => p);
const sharesAmong = (members: readonly string[]) => ALL.map((p) => ownerOf(p, members));

/** Who holds each partition, as the owners themselves wrote down. */
async function heldBy(service: string): Promise<(string | undefined)[]> {
  const kv = await broker.kvm.open(OWNERS_BUCKET);
  return Promise.all(
    ALL.map(async (p) => {
      const record = (await kv.get(`${service}.${p}`))?.json<{ instance: string; state: string }>();
      return record?.state === 'held' ? record.instance : undefined;
    }),
  );
}

async function sharedAmong(service: string, members: Record<string, OwnerLoop>): Promise<void> {
  const wanted = sharesAmong(Object.keys(members));
  await eventually(`${service} shared among ${Object.keys(members).join(', ')}`, async () => {
    const held = await heldBy(service);
    const owned = Object.values(members).map((loop) => loop.status().owned);
    return JSON.stringify(held) === JSON.stringify(wanted) && owned.reduce((a, b) => a + b) === PARTITIONS;
  });
}

describe('ownerOf', () => {
  it('gives every partition to one member, and moves only those that a new member wins', () => {
    const two = sharesAmong(['a-1', 'a-2']);
    const three = sharesAmong(['a-1', 'a-2', 'a-3']);
    expect(new Set(two)).toEqual(new Set(['a-1', 'a-2']));
    for (const p of ALL) expect([two[p], 'a-3']).toContain(three[p]);
    expect(three.filter((owner) => owner === 'a-3').length).toBeGreaterThan(PARTITIONS / 6);
  });
});

describe('the instances of a service', () => {
  it('share the partitions without overlap, a third takes only what it wins, and one that leaves gives back', async () => {
    const service = countingService({ name: 'shared' });
    const start = (instance: string) => startLoop(broker, instance, service);
    await using stack = new AsyncDisposableStack();
    const one = stack.adopt(await start('c-1'), (loop) => loop.close());
    await sharedAmong('shared', { 'c-1': one });
    const two = stack.adopt(await start('c-2'), (loop) => loop.close());
    await sharedAmong('shared', { 'c-1': one, 'c-2': two });
    const three = stack.adopt(await start('c-3'), (loop) => loop.close());
    await sharedAmong('shared', { 'c-1': one, 'c-2': two, 'c-3': three });
    await two.close();
    await sharedAmong('shared', { 'c-1': one, 'c-3': three });
    expect([one, two, three].map((loop) => loop.status().conflicts)).toEqual([0, 0, 0]);
  });

  it('do not wait for one that was killed: its key expires, also when the server restarted in between', async () => {
    await using survivor = {
      loop: await startLoop(broker, 'survivor'),
      [Symbol.asyncDispose]: () => survivor.loop.close(),
    };
    await using victim = await startProcess(server.nats.url, 'victim');
    await sharedWith(survivor.loop, victim);
    await server.killAndRestart();
    await sharedWith(survivor.loop, victim);
    victim.child.kill('SIGKILL');
    await eventually('the key of the killed one expired', async () => {
      const kv = await broker.kvm.open(PRESENCE_BUCKET);
      return (await kv.get('counter.victim'))?.operation !== 'PUT';
    });
    await eventually('its partitions are taken', () => survivor.loop.status().caughtUp === PARTITIONS);
  });
});

async function sharedWith(loop: OwnerLoop, other: Awaited<ReturnType<typeof startProcess>>): Promise<void> {
  await eventually('two share', async () => {
    const { owned } = await other.status();
    return owned > 0 && owned + loop.status().owned === PARTITIONS;
  });
}
