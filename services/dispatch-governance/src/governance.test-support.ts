import { randomUUID } from 'node:crypto';
import { digestOfBytes, partitionOf } from '@orchestrate/canon';
import {
  type ChainRecord,
  type Command,
  type DispatchRequested,
  dispatchRequested,
  operatorCommanded,
  VERSION,
} from '@orchestrate/contracts';
import { activatePolicy, type Broker, encode, OwnerLoop } from '@orchestrate/messaging';
import { PolicyInForce } from '@orchestrate/service-kit';
import { defaultPolicy, jsonOf, stored, TEMPLATE_DIGEST } from '@orchestrate/test-kit';
import { expect } from 'vitest';
import { DeskPool } from './desk-pool.ts';
import { governanceService } from './governance-service.ts';

const QUIET = { info() {}, warn() {}, error() {} };

/** Nobody waits for a truth: there is none here, and a tenant that is frozen is blocked without. */
export async function activateImpatientPolicy(broker: Broker): Promise<void> {
  const policy = defaultPolicy();
  await activatePolicy(broker, { ...policy, dispatch: { ...policy.dispatch, staleWaitSec: 0 } });
}

export interface Governance extends AsyncDisposable {
  readonly loop: OwnerLoop;
  readonly pool: DeskPool;
}

/** Governance of all partitions in this process, let go cleanly with the test. */
export async function startGovernance(
  broker: Broker,
  options: { readonly desksMax?: number } = {},
): Promise<Governance> {
  const policy = await PolicyInForce.follow(broker);
  const pool = new DeskPool({ idleSecMax: 2, ...options });
  const service = governanceService(broker, { name: 'governance', markEveryMs: 1_000, policy, pool });
  const self = { instance: `governance-${randomUUID()}`, life: randomUUID() };
  const loop = await OwnerLoop.start(broker, service, self, QUIET);
  return {
    loop,
    pool,
    async [Symbol.asyncDispose]() {
      await loop.close();
      await policy.close();
    },
  };
}

export async function ask(broker: Broker, tenantId: string, n: number): Promise<number> {
  const message: DispatchRequested = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    dispatchId: `d-${n}`,
    requestedBy: 'test',
    requestedAtMs: Date.now(),
    action: {
      campaign: 'spring',
      step: 1,
      mailbox: 'anna',
      domain: 'main',
      importSource: 'list',
      recipientKey: digestOfBytes(Buffer.from(`${n}`)),
      recipientVerified: true,
      prospect: 'verified_import',
      conversation: 'none',
      templateDigest: TEMPLATE_DIGEST,
    },
  };
  const subject = dispatchRequested.subject({ tenantId, dispatchId: message.dispatchId });
  return (await broker.publisher.publish(subject, encode(dispatchRequested, message))).seq;
}

export async function command(broker: Broker, tenantId: string, name: Command, p = partitionOf(tenantId)) {
  const data = encode(operatorCommanded, {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    command: name,
    actor: 'olga',
    reasonCode: 'incident',
    dispatchId: null,
    actionDigest: null,
    target: null,
    atMs: Date.now(),
  });
  await broker.publisher.publish(operatorCommanded.subject({ p, tenantId, command: name }), data);
}

/** The records of a tenant, after checking that each follows the one before. */
export async function chainOf(broker: Broker, tenantId: string) {
  const messages = await stored(broker, 'DECISIONS', `decision.${partitionOf(tenantId)}.${tenantId}.*`);
  const chain = messages.map((message) => ({ message, record: jsonOf<ChainRecord>(message) }));
  for (const [at, { record }] of chain.entries()) {
    const before = chain[at - 1]?.message;
    const link = { ordinal: at + 1, prevSeq: before?.seq ?? 0 };
    expect(record).toMatchObject(before ? { ...link, prevHash: digestOfBytes(before.data) } : link);
  }
  return chain.map(({ message, record }) => ({ ...record, seq: message.seq }));
}
