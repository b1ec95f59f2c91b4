import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import { type OperatorCommanded, operatorCommanded, tenantConfigured, VERSION } from '@orchestrate/contracts';
import {
  activatePolicy,
  type Broker,
  encode,
  FoldingPublisher,
  readAt,
  type StoredMessage,
} from '@orchestrate/messaging';
import { PolicyInForce } from '@orchestrate/service-kit';
import {
  declarationOf,
  defaultPolicy,
  neighbours,
  startTestBroker,
  type TestBroker,
} from '@orchestrate/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LayerPartition } from './layer-partition.ts';

let server: TestBroker;
let broker: Broker;
let policy: PolicyInForce;
beforeAll(async () => {
  server = await startTestBroker();
  broker = server.broker;
  await activatePolicy(broker, defaultPolicy());
  policy = await PolicyInForce.follow(broker);
});
afterAll(async () => {
  await policy.close();
  await server[Symbol.asyncDispose]();
});

/** Each test has a partition of its own, with a tenant from before everything and one that comes late. */
const groups = ['overtaken', 'unheard', 'ended', 'known', 'left', 'superseded'].map(
  (prefix) => neighbours(2, prefix) as [string, string],
);

/** What stands in the streams now, without having read any input since: the inputs are told in the order of the test. */
async function open(tenantId: string): Promise<LayerPartition> {
  const lost = (error: Error) => {
    throw error;
  };
  const publisher = new FoldingPublisher(broker, 'LAYERS', lost);
  const p = partitionOf(tenantId);
  const self = { service: 'layer-runtime', instance: 'test', requestMark() {}, closed: () => false };
  return LayerPartition.open({ ...self, p, broker, publisher, lost }, policy);
}

async function everything(command: 'freeze' | 'unfreeze', tenantId: string): Promise<StoredMessage> {
  const message: OperatorCommanded = {
    v: VERSION,
    id: randomUUID(),
    tenantId: '_all',
    causedBy: null,
    command,
    actor: 'olga',
    reasonCode: 'incident',
    dispatchId: null,
    actionDigest: null,
    target: null,
    atMs: Date.now(),
  };
  const subject = operatorCommanded.subject({ p: partitionOf(tenantId), tenantId: '_all', command });
  const { seq } = await broker.publisher.publish(subject, encode(operatorCommanded, message));
  return (await readAt(broker, 'OPERATOR', seq))!;
}

async function declare(tenantId: string): Promise<StoredMessage> {
  const data = encode(tenantConfigured, declarationOf(tenantId));
  const { seq } = await broker.publisher.publish(tenantConfigured.subject(tenantId), data);
  return (await readAt(broker, 'CONFIG', seq))!;
}

function isFrozen(partition: LayerPartition, tenantId: string): boolean {
  const { loaded } = partition.store.find(tenantId, 'governance', 'main')!;
  return 'freeze_all' in loaded!.source.context.holds;
}

it('a tenant that comes while everything is frozen is frozen, also while older commands are read again', async () => {
  const [elder, newcomer] = groups[0]!;
  const inputs = [
    await declare(elder),
    await everything('freeze', elder),
    await everything('unfreeze', elder),
    await everything('freeze', elder),
  ] as const;
  const late = await declare(newcomer);

  const partition = await open(elder);
  for (const input of inputs.slice(0, 3)) {
    await partition.handle(input);
    expect(isFrozen(partition, elder)).toBe(true);
  }
  await partition.handle(late);
  expect(isFrozen(partition, newcomer)).toBe(true);
  await partition.handle(inputs[3]);
  expect([elder, newcomer].map((one) => isFrozen(partition, one))).toEqual([true, true]);
});

it('a freeze of everything reaches also a tenant that was heard of before it and declared after it', async () => {
  const [elder, newcomer] = groups[1]!;
  const first = await declare(elder);
  const partition = await open(elder);
  await partition.handle(first);
  const freeze = await everything('freeze', elder);
  await partition.handle(await declare(newcomer));
  expect(isFrozen(partition, newcomer)).toBe(false);
  await partition.handle(freeze);
  expect([elder, newcomer].map((one) => isFrozen(partition, one))).toEqual([true, true]);
});

it('the end of it reaches also a tenant that was heard of before it and declared after it', async () => {
  const [elder, newcomer] = groups[2]!;
  const inputs = [await declare(elder), await everything('freeze', elder)] as const;
  const partition = await open(elder);
  for (const input of inputs) await partition.handle(input);
  const unfreeze = await everything('unfreeze', elder);
  await partition.handle(await declare(newcomer));
  expect(isFrozen(partition, newcomer)).toBe(true);
  await partition.handle(unfreeze);
  expect([elder, newcomer].map((one) => isFrozen(partition, one))).toEqual([false, false]);
});

it('a freeze of everything reaches also tenants whose declarations were read in an earlier life', async () => {
  const [elder, other] = groups[3]!;
  {
    const before = await open(elder);
    for (const tenantId of [elder, other]) await before.handle(await declare(tenantId));
    await before.context.publisher.flushed();
  }
  const partition = await open(elder);
  await partition.handle(await everything('freeze', elder));
  expect([elder, other].map((one) => isFrozen(partition, one))).toEqual([true, true]);
});

it('and none that left, also while it is being told', async () => {
  const [elder, other] = groups[4]!;
  const partition = await open(elder);
  for (const tenantId of [elder, other]) await partition.handle(await declare(tenantId));
  const freezing = partition.handle(await everything('freeze', elder));
  partition.forget(elder);
  await freezing;
  expect(partition.store.sourcesOf(elder)).toEqual([]);
  expect(isFrozen(partition, other)).toBe(true);
});

it('what a tenant declares is the newest that is stored, also while older declarations are handled again', async () => {
  const [tenantId] = groups[5]!;
  const modeOf = async (partition: LayerPartition) =>
    (await partition.store.configOf(tenantId))?.governance.mode;
  const older = await declare(tenantId);
  const partition = await open(tenantId);
  const { governance, ...rest } = declarationOf(tenantId);
  const newer = { ...rest, governance: { ...governance, mode: 'supervised' as const } };
  const data = encode(tenantConfigured, newer);
  const { seq } = await broker.publisher.publish(tenantConfigured.subject(tenantId), data);
  await partition.handle(older);
  expect(await modeOf(partition)).toBe('supervised');
  await partition.handle((await readAt(broker, 'CONFIG', seq))!);
  expect(await modeOf(partition)).toBe('supervised');
});
