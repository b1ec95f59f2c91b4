import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import { type DecisionRecorded, decisionRecorded, inputRejected } from '@orchestrate/contracts';
import { decodeLenient, encode, readLast } from '@orchestrate/messaging';
import {
  decision,
  publishDecision,
  shardedStreams,
  startTestBroker,
  type TestBroker,
} from '@orchestrate/test-kit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type DecisionsOptions, subscribeDecisions } from './subscribe-decisions.ts';

let server: TestBroker;
beforeAll(async () => {
  server = await startTestBroker();
});
afterAll(() => server[Symbol.asyncDispose]());

/** A tenant of its own per test: the stream is shared. */
async function collecting(tenantId: string, options: Partial<DecisionsOptions> = {}) {
  const seen: DecisionRecorded[] = [];
  const subscription = await subscribeDecisions(server.broker, {
    durable: tenantId,
    tenants: [tenantId],
    handle: async (message) => {
      seen.push(message);
      return 'done';
    },
    ...options,
  });
  return { seen, subscription, ids: () => seen.map(({ dispatchId }) => dispatchId) };
}

test('only decisions that dispatch are handed over [G33]', async () => {
  const tenantId = 'kinds';
  const kinds = ['BLOCK', 'APPROVE', 'HOLD_FOR_CONTEXT', 'HOLD_FOR_HUMAN_REVIEW'] as const;
  for (const kind of kinds) await publishDecision(server.broker, decision({ tenantId, kind }));
  await publishDecision(server.broker, decision({ tenantId, constraints: { plainTextOnly: true } }));
  await publishDecision(server.broker, decision({ tenantId: 'somebody-else' }));
  const { seen, subscription } = await collecting(tenantId);
  await vi.waitFor(() => expect(seen).toHaveLength(2));
  expect(new Set(seen.map(({ kind }) => kind))).toEqual(new Set(['APPROVE', 'DEGRADE_AND_APPROVE']));
  await subscription.close();
});

test('two senders share the work, and each decision is done once', async () => {
  const tenantId = 'shared';
  const two = await Promise.all([collecting(tenantId), collecting(tenantId)]);
  const dispatches = Array.from({ length: 60 }, () => decision({ tenantId }));
  await Promise.all(dispatches.map((dispatch) => publishDecision(server.broker, dispatch)));
  const all = () => two.flatMap(({ ids }) => ids());
  await vi.waitFor(() => expect(all()).toHaveLength(60));
  expect(new Set(all()).size).toBe(60);
  for (const { subscription } of two) await subscription.close();
});

test('a decision is not handed over before its time', async () => {
  const tenantId = 'early';
  const notBeforeMs = Date.now() + 700;
  await publishDecision(server.broker, decision({ tenantId, notBeforeMs }));
  const { seen, subscription } = await collecting(tenantId, {
    handle: async (message) => {
      expect(Date.now()).toBeGreaterThanOrEqual(notBeforeMs);
      seen.push(message);
      return 'done';
    },
  });
  await vi.waitFor(() => expect(seen).toHaveLength(1), { timeout: 5_000 });
  await subscription.close();
});

test('a decision that is put off, or whose handler fails, comes again', async () => {
  const tenantId = 'again';
  const attempts: number[] = [];
  const troubles: string[] = [];
  const { subscription } = await collecting(tenantId, {
    handle: async (_, { deliveries }) => {
      attempts.push(deliveries);
      if (deliveries === 1) return { retryAtMs: Date.now() + 50 };
      if (deliveries === 2) throw new Error('no way to the addresses');
      return 'done';
    },
    onTrouble: (error) => troubles.push(error.message),
  });
  await publishDecision(server.broker, decision({ tenantId }));
  await vi.waitFor(() => expect(subscription.status().handled).toBe(1), { timeout: 10_000 });
  expect(attempts).toEqual([1, 2, 3]);
  expect(troubles).toEqual(['no way to the addresses']);
  await subscription.close();
});

test('a send that takes longer than the server waits is not given to somebody else', async () => {
  const tenantId = 'slow';
  let handled = 0;
  const slow: Partial<DecisionsOptions> = {
    handle: async () => {
      handled++;
      await new Promise((resolve) => setTimeout(resolve, 12_500));
      return 'done';
    },
  };
  const two = await Promise.all([collecting(tenantId, slow), collecting(tenantId, slow)]);
  await publishDecision(server.broker, decision({ tenantId }));
  await vi.waitFor(() => expect(two.map(({ subscription }) => subscription.status().handled)).toContain(1), {
    timeout: 20_000,
  });
  expect(handled).toBe(1);
  for (const { subscription } of two) await subscription.close();
});

test('closing waits for the sends in progress, and takes nothing more', async () => {
  const tenantId = 'closing';
  const gate = Promise.withResolvers<void>();
  let [begun, finished] = [0, 0];
  const { subscription } = await collecting(tenantId, {
    concurrency: 2,
    handle: async () => {
      begun++;
      await gate.promise;
      finished++;
      return 'done';
    },
  });
  for (let n = 0; n < 5; n++) await publishDecision(server.broker, decision({ tenantId }));
  await vi.waitFor(() => expect(begun).toBe(2));
  const closed = subscription.close();
  gate.resolve();
  await closed;
  expect([begun, finished]).toEqual([2, 2]);

  const { seen, subscription: next } = await collecting(tenantId);
  await vi.waitFor(() => expect(seen).toHaveLength(3));
  await next.close();
});

test('a record that breaks its contract goes to REJECTED and stands in nobody’s way', async () => {
  const tenantId = 'broken';
  const p = partitionOf(tenantId);
  const subject = `decision.${p}.${tenantId}.APPROVE`;
  await server.broker.publisher.publish(subject, new TextEncoder().encode('{"v":"1.0"}'));
  const stranger = encode(decisionRecorded, decision({ tenantId: 'somebody-else' }));
  const { seq } = await server.broker.publisher.publish(subject, stranger);
  await publishDecision(server.broker, decision({ tenantId }));
  const { seen, subscription } = await collecting(tenantId, { concurrency: 1 });
  await vi.waitFor(() => expect(seen).toHaveLength(1));
  await subscription.close();

  const found = await readLast(server.broker, 'REJECTED', 'rejected.DECISIONS.contract_violation');
  expect(decodeLenient(inputRejected, found!.data)).toMatchObject({ seq, service: 'sender-sdk' });
});

test('a name that is taken for other decisions is refused', async () => {
  const { subscription } = await collecting('taken');
  await subscription.close();
  await expect(collecting('other', { durable: 'taken' })).rejects.toThrow(/choose another durable name/);
});

test('a decision of a newer major version waits for a newer sender [A8]', async () => {
  const tenantId = 'newer';
  const subject = `decision.${partitionOf(tenantId)}.${tenantId}.APPROVE`;
  const bytes = new TextEncoder().encode(
    JSON.stringify({ ...decision({ tenantId, id: randomUUID() }), v: '2.0' }),
  );
  await server.broker.publisher.publish(subject, bytes);
  const { seen, subscription } = await collecting(tenantId);
  await vi.waitFor(() => expect(subscription.status().trouble).toMatch(/upgrade this service/));
  expect(seen).toEqual([]);
  await subscription.close();
});

test('where DECISIONS has four shards two senders share all of them, and each decision is done once', async () => {
  await using sharded = await startTestBroker(shardedStreams(4));
  const { broker } = sharded;
  const tenants = Array.from({ length: 40 }, (_, n) => `tenant-${n}`);
  const shards = new Set(tenants.map((tenantId) => Math.floor(partitionOf(tenantId) / 16)));
  expect(shards.size).toBe(4);
  const handled: string[] = [];
  const gate = Promise.withResolvers<void>();
  const handle: DecisionsOptions['handle'] = async ({ dispatchId }) => {
    await gate.promise;
    handled.push(dispatchId);
    return 'done';
  };
  const messages = tenants.map((tenantId) => decision({ tenantId }));
  await Promise.all(messages.map((message) => publishDecision(broker, message)));
  await publishDecision(broker, decision({ tenantId: 'tenant-0', kind: 'BLOCK' }));

  // Fewer at a time than shards: each of them is served all the same.
  const two = await Promise.all(
    [1, 4].map((concurrency) => subscribeDecisions(broker, { concurrency, handle })),
  );
  await vi.waitFor(() => {
    expect(two.map((one) => one.status().inProgress)).toEqual([4, 4]);
  });
  await vi.waitFor(async () => expect(await two[0]!.backlog()).toEqual({ untaken: 32, open: 8 }));
  gate.resolve();
  await vi.waitFor(() => expect(handled).toHaveLength(40), { timeout: 10_000 });
  expect(new Set(handled)).toEqual(new Set(messages.map(({ dispatchId }) => dispatchId)));
  for (const subscription of two) await subscription.close();
});

test('a sender of one tenant works in the one shard that has it, with all it can do at a time', async () => {
  await using sharded = await startTestBroker(shardedStreams(4));
  const { broker } = sharded;
  const tenantId = 'alone';
  const gate = Promise.withResolvers<'done'>();
  const options = { durable: 'alone', tenants: [tenantId], concurrency: 6, handle: () => gate.promise };
  const subscription = await subscribeDecisions(broker, options);
  const messages = Array.from({ length: 8 }, () => decision({ tenantId }));
  await Promise.all(messages.map((message) => publishDecision(broker, message)));
  await vi.waitFor(() => expect(subscription.status().inProgress).toBe(6));
  const here = `DECISIONS-${Math.floor(partitionOf(tenantId) / 16)}`;
  for await (const name of broker.jsm.streams.names('decision.>')) {
    const consumers = await broker.jsm.consumers.list(name).next();
    expect(consumers.map((one) => one.name)).toEqual(name === here ? ['alone'] : []);
  }
  gate.resolve('done');
  await vi.waitFor(() => expect(subscription.status().handled).toBe(8));
  await subscription.close();
});
