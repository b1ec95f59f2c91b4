import { startTestBroker, type TestBroker } from '@orchestrate/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from './connect.ts';
import { DeathWatch, Turn } from './death-watch.ts';
import { OwnerRecords } from './owner-record.ts';
import type { StoredMessage } from './stored-message.ts';

let server: TestBroker;
let broker: Broker;
let records: OwnerRecords;
let lives = 0;
let service = 0;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
});
beforeEach(async () => {
  records = await OwnerRecords.open(broker, `watch-${++service}`);
});
afterEach(() => records.close());
afterAll(() => server[Symbol.asyncDispose]());

const input = (seq: number, pending: number): StoredMessage => ({
  stream: 'EVIDENCE',
  subject: 'evidence.0.acme.test.main',
  seq,
  storedAtMs: 0,
  data: new Uint8Array(),
  pending,
});

async function take(): Promise<DeathWatch> {
  const taking = { isAlive: () => false, turn: new Turn(), byForce: false };
  const watch = await DeathWatch.take(records, 0, { instance: 'i', life: `life-${++lives}` }, taking);
  return watch!;
}

/** One life of an owner with inputs 1 to `last` before it; tells what it skipped. It dies at `diesAt`, or hands on. */
async function live(last: number, diesAt: number | 'before the first' | null): Promise<number[]> {
  const watch = await take();
  watch.backlog('EVIDENCE', last);
  await watch.opened();
  const skipped: number[] = [];
  if (diesAt === 'before the first') return skipped;
  const workedOff = async () => {};
  for (let seq = 1; seq <= last; seq++) {
    const one = input(seq, last - seq);
    let began = true;
    if (watch.isCautious('EVIDENCE')) {
      began = !(await watch.begin(one, { start() {}, workedOff }));
    }
    if (began && seq === diesAt) return skipped;
    if (!began) skipped.push(seq);
    await watch.handled(one, workedOff);
  }
  if (diesAt === null) await watch.release();
  return skipped;
}

describe('DeathWatch', () => {
  it('keeps the note of an input that begins before every stream is open', async () => {
    await take();
    for (let death = 1; death <= 2; death++) {
      const watch = await take();
      watch.backlog('EVIDENCE', 1);
      expect(await watch.begin(input(1, 0), { start() {}, workedOff: async () => {} })).toBe(false);
      await watch.opened();
    }
    const last = await take();
    last.backlog('EVIDENCE', 1);
    expect(await last.begin(input(1, 0), { start() {}, workedOff: async () => {} })).toBe(true);
  });

  it('skips the very input that killed three processes, and only that', async () => {
    for (let deaths = 0; deaths < 3; deaths++) expect(await live(20, 7)).toEqual([]);
    expect(await live(20, 7)).toEqual([7]);
    expect(await live(20, null)).toEqual([]);
  });

  it('finds it in a long backlog too, with a note for a step of many', async () => {
    // One more than usual: the death that pointed to the step says little about a single input of it.
    for (let deaths = 0; deaths < 4; deaths++) expect(await live(2_000, 1_501)).toEqual([]);
    expect(await live(2_000, 1_501)).toEqual([1_501]);
  });

  it('does not blame an input for processes that died before they reached it', async () => {
    await live(20, 'before the first');
    await live(20, 1);
    for (let deaths = 0; deaths < 5; deaths++) await live(20, 'before the first');
    expect(await live(20, null)).toEqual([]);
  });

  it('does not blame an input for processes that died at others', async () => {
    for (const diesAt of [3, 9, 4, 11, 5, 3]) expect(await live(20, diesAt)).toEqual([]);
    expect(await live(20, null)).toEqual([]);
  });

  it('lets partitions work off their backlogs side by side after one death, and in turn after two', async () => {
    expect((await take()).isSuspicious()).toBe(false);
    const second = await take();
    expect(second.isSuspicious()).toBe(false);
    second.backlog('EVIDENCE', 20);
    expect(second.isCautious('EVIDENCE')).toBe(true);
    await second.begin(input(1, 19), { start() {}, workedOff: async () => {} });
    expect((await take()).isSuspicious()).toBe(true);
  });

  it('forgets deaths once what waited at the take-over is worked off, however much came since', async () => {
    await live(20, 7);
    const watch = await take();
    watch.backlog('EVIDENCE', 3);
    for (const seq of [1, 2]) await watch.handled(input(seq, 500), async () => {});
    expect(watch.isCautious('EVIDENCE')).toBe(true);
    await watch.handled(input(3, 500), async () => {});
    expect(watch.isCautious('EVIDENCE')).toBe(false);
    expect(await records.read(0)).toMatchObject({ state: 'held', deaths: 0, suspect: null });
  });

  it('forgets deaths once the backlog is worked off, and when there is none', async () => {
    await live(20, 7);
    await live(20, 7);
    await live(0, 'before the first');
    expect(await records.read(0)).toMatchObject({ state: 'held', deaths: 0, suspect: null });
  });

  it('takes what its owner let go or died with, and from one that is alive only by force', async () => {
    const from = (life: string, alive: readonly string[], byForce = false) =>
      DeathWatch.take(
        records,
        0,
        { instance: life, life },
        { isAlive: (holder) => alive.includes(holder.life), turn: new Turn(), byForce },
      );
    const first = await from('first', []);
    expect(first).not.toBeNull();
    expect(await from('second', ['first'])).toBeNull();
    expect(await records.read(0)).toMatchObject({ life: 'first' });
    await first!.release();
    expect(await from('second', ['first'])).not.toBeNull();
    expect(await from('third', ['second'])).toBeNull();
    expect(await from('third', ['second'], true)).not.toBeNull();
    expect(await records.read(0)).toMatchObject({ life: 'third', works: false, deaths: 0 });
    expect(await from('fourth', ['first', 'second'])).not.toBeNull();
    expect(await records.read(0)).toMatchObject({ life: 'fourth', deaths: 1 });
  });

  it('is taken by one of many that come at once', async () => {
    const lives = Array.from({ length: 8 }, (_, nth) => `life-${nth}`);
    const taking = { isAlive: () => true, turn: new Turn(), byForce: false };
    const taken = await Promise.all(
      lives.map((life) => DeathWatch.take(records, 0, { instance: life, life }, taking)),
    );
    expect(taken.filter((watch) => watch !== null)).toHaveLength(1);
  });

  it('knows as much as before when its owner could not open it, and takes it again', async () => {
    await live(20, 7);
    const self = { instance: 'i', life: 'again' };
    const taking = { isAlive: () => false, turn: new Turn(), byForce: false };
    const first = (await DeathWatch.take(records, 0, self, taking))!;
    first.backlog('EVIDENCE', 20);
    await first.begin(input(7, 13), { start() {}, workedOff: async () => {} });
    const before = await records.read(0);
    expect(before).toMatchObject({ deaths: 1, suspect: { stream: 'EVIDENCE' } });
    await DeathWatch.take(records, 0, self, taking);
    expect(await records.read(0)).toMatchObject({ deaths: before!.deaths, suspect: before!.suspect });
  });
});
