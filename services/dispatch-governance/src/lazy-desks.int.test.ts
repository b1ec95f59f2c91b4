import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import {
  type DecisionRecorded,
  type HoldSaved,
  holdSaved,
  tenantConfigured,
  VERSION,
} from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { encode, readLast } from '@orchestrate/messaging';
import {
  declarationOf,
  eventually,
  jsonOf,
  neighbours,
  startTestBroker,
  type TestBroker,
} from '@orchestrate/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  activateImpatientPolicy,
  ask,
  chainOf,
  command,
  startGovernance,
} from './governance.test-support.ts';

let server: TestBroker;
let broker: Broker;
beforeEach(async () => {
  server = await startTestBroker();
  broker = server.broker;
  await activateImpatientPolicy(broker);
});
afterEach(() => server[Symbol.asyncDispose]());

const declare = (tenantId: string) =>
  broker.publisher.publish(
    tenantConfigured.subject(tenantId),
    encode(tenantConfigured, declarationOf(tenantId)),
  );

const length = (tenantId: string, count: number) =>
  eventually(`${tenantId} has ${count} records`, async () => {
    const chain = await chainOf(broker, tenantId);
    return chain.length >= count && chain;
  });

describe('a desk', () => {
  it('is there while there is work for it, and what it knew counts when it comes back', async () => {
    {
      await using governance = await startGovernance(broker);
      expect(governance.pool.desks).toBe(0);
      await command(broker, 'acme', 'freeze');
      await ask(broker, 'acme', 1);
      await length('acme', 2);
      expect(governance.pool.desks).toBe(1);
      await eventually('it is let go', () => governance.pool.desks === 0);
      await ask(broker, 'acme', 2);
      expect((await length('acme', 3)).at(-1)).toMatchObject({ kind: 'BLOCK', decidingOutcome: 'frozen' });
      await eventually('it is let go again', () => governance.pool.desks === 0);
    }
    await using governance = await startGovernance(broker);
    expect(governance.pool.desks).toBe(0);
    await ask(broker, 'acme', 3);
    expect((await length('acme', 4)).at(-1)).toMatchObject({ kind: 'BLOCK', decidingOutcome: 'frozen' });
  });

  it('that nobody saved is set up again from its chain', async () => {
    {
      await using governance = await startGovernance(broker);
      await command(broker, 'acme', 'freeze');
      await ask(broker, 'acme', 1);
      await length('acme', 2);
      await eventually('it is saved', () => governance.pool.desks === 0);
    }
    await broker.jsm.streams.purge('LEDGER');
    await using governance = await startGovernance(broker);
    await ask(broker, 'acme', 2);
    expect((await length('acme', 3)).at(-1)).toMatchObject({ kind: 'BLOCK', decidingOutcome: 'frozen' });
    await eventually('it is saved again', () => governance.pool.desks === 0);
  });
});

describe('a desk of a tenant with more closed holds than the server tells of at once', () => {
  it('is set up all the same, and writes where they stand', async () => {
    const p = partitionOf('acme');
    for (let n = 0; n < 1_100; n++) {
      const subject = holdSaved.subject({ p, tenantId: 'acme', dispatchId: `d-${n}` });
      const head = { v: VERSION, id: randomUUID(), tenantId: 'acme', causedBy: null };
      await broker.publisher.publish(subject, encode(holdSaved, { ...head, hold: null }));
    }
    await using governance = await startGovernance(broker);
    await ask(broker, 'acme', 7);
    expect((await length('acme', 1)).at(-1)).toMatchObject({ kind: 'HOLD_FOR_CONTEXT', dispatchId: 'd-7' });
    const subject = holdSaved.subject({ p, tenantId: 'acme', dispatchId: 'd-7' });
    await eventually('the hold is saved', async () => {
      const stored = await readLast(broker, 'LEDGER', subject);
      return stored && jsonOf<HoldSaved>(stored).hold !== null;
    });
    expect(governance.loop.status()).toMatchObject({ conflicts: 0, rejected: 0 });
  });
});

describe('a freeze of everything', () => {
  it('is on record for tenants at whose desks nobody was, although few of them fit at once', async () => {
    const tenants = neighbours(60);
    for (const tenantId of tenants) await declare(tenantId);
    await using governance = await startGovernance(broker, { desksMax: 8 });
    expect(governance.pool.desks).toBe(0);
    await command(broker, '_all', 'freeze', partitionOf(tenants[0]!));
    await Promise.all(tenants.map((tenantId) => length(tenantId, 1)));
    for (const tenantId of tenants) await ask(broker, tenantId, 1);
    for (const tenantId of tenants) {
      expect(await length(tenantId, 2)).toMatchObject([
        { kind: 'INTERVENTION', scope: 'all' },
        { kind: 'BLOCK', decidingOutcome: 'frozen', freezes: ['freeze_all'] },
      ]);
    }
    expect(governance.pool.desks).toBeLessThanOrEqual(8);
  }, 120_000);
});

describe('a hand-over in the middle of backlogs', () => {
  it('does not wait for them, and loses and doubles nothing', async () => {
    // More than three owners come to in the time that each of them is there.
    const REQUESTS = 1_500;
    const tenants = neighbours(8);
    const asked = await Promise.all(
      tenants.flatMap((tenantId) => Array.from({ length: REQUESTS }, (_, n) => ask(broker, tenantId, n))),
    );
    const decided = async () => (await broker.jsm.streams.info('DECISIONS')).state.messages;
    for (let owner = 1; owner <= 3; owner++) {
      await using _ = await startGovernance(broker);
      const before = await decided();
      await eventually('some are decided', async () => (await decided()) >= before + 100);
    }
    expect(await decided()).toBeLessThan(asked.length);
    await using _ = await startGovernance(broker);
    await eventually('all are decided', async () => (await decided()) >= asked.length, 120_000);
    for (const tenantId of tenants) {
      const seqs = (await chainOf(broker, tenantId)).map((record) => (record as DecisionRecorded).requestSeq);
      expect([seqs.length, new Set(seqs).size]).toEqual([REQUESTS, REQUESTS]);
    }
  }, 240_000);
});

describe('more tenants with long backlogs than desks', () => {
  it('take turns, and none of their requests is lost or decided twice', async () => {
    const tenants = neighbours(5);
    const asked = await Promise.all(
      tenants.flatMap((tenantId) => Array.from({ length: 600 }, (_, n) => ask(broker, tenantId, n))),
    );
    await using governance = await startGovernance(broker, { desksMax: 2 });
    await eventually(
      'all are decided',
      async () => (await broker.jsm.streams.info('DECISIONS')).state.messages >= asked.length,
      120_000,
    );
    for (const tenantId of tenants) {
      const seqs = (await chainOf(broker, tenantId)).map((record) => (record as DecisionRecorded).requestSeq);
      expect([seqs.length, new Set(seqs).size]).toEqual([600, 600]);
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    }
    expect(governance.pool.desks).toBeLessThanOrEqual(2);
  }, 240_000);
});

describe('a tenant that asks for very much', () => {
  it('does not keep its neighbour waiting, and each of its requests is decided once and in order', async () => {
    const [noisy, quiet] = neighbours(2) as [string, string];
    {
      await using _ = await startGovernance(broker);
      for (const tenantId of [noisy, quiet]) await command(broker, tenantId, 'freeze');
      for (const tenantId of [noisy, quiet]) await length(tenantId, 1);
    }
    const seqs = await Promise.all(Array.from({ length: 5_000 }, (_, n) => ask(broker, noisy, n)));
    await ask(broker, quiet, 1);
    await using _ = await startGovernance(broker);
    const [, answer] = await length(quiet, 2);
    await eventually(
      'all are decided',
      async () => (await broker.jsm.streams.info('DECISIONS')).state.messages === 5_003,
      120_000,
    );
    const chain = await chainOf(broker, noisy);
    const decided = chain.slice(1) as { requestSeq: number; seq: number }[];
    expect(decided.map((record) => record.requestSeq)).toEqual(seqs.toSorted((a, b) => a - b));
    expect(decided.filter((record) => record.seq < answer!.seq).length).toBeLessThan(2_000);
  }, 240_000);
});
