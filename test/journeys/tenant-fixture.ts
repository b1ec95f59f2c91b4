import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type CanonicalRuntimeTruth, dispatches, partitionOf } from '@orchestrate/canon';
import { checkLinks, isDecision, type Link } from '@orchestrate/chaos';
import {
  type ChainRecord,
  type Command,
  type DecisionRecorded,
  dispatchRequested,
  type EvidenceObserved,
  evidenceObserved,
  type InputRejected,
  inputRejected,
  type OperatorCommanded,
  operatorCommanded,
  outcomeReported,
  type TenantConfig,
  tenantConfigured,
  truthFromWire,
  truthRecorded,
  VERSION,
} from '@orchestrate/contracts';
import {
  type Broker,
  decodeStrict,
  encode,
  PublishConflict,
  PublishRefused,
  PublishUncertain,
  readLast,
  readStored,
} from '@orchestrate/messaging';
import { declarationOf, eventually, READY_FACTS } from '@orchestrate/test-kit';

/** Tenants of the journeys: what they declare, what is observed of them, what they ask, and what became of it. */
export const DIGEST = 'a'.repeat(64);

export interface TenantWishes {
  /** A second mailbox `bert`, and a campaign `summer` that both may send. */
  readonly colleague?: boolean;
  readonly capPerDay?: number;
  readonly mode?: TenantConfig['governance']['mode'];
}

/** One domain, one mailbox, one approved campaign, one import. */
export function tenantConfig(tenantId: string, wishes: TenantWishes = {}): TenantConfig {
  const { capPerDay = 3, mode = 'autonomous', colleague = false } = wishes;
  const declared = declarationOf(tenantId, capPerDay);
  const config = { ...declared, governance: { ...declared.governance, mode } };
  if (!colleague) return config;
  const [anna] = config.mailboxes;
  const [spring] = config.campaigns;
  return {
    ...config,
    mailboxes: [anna!, { ...anna!, id: 'bert' }],
    campaigns: [spring!, { ...spring!, id: 'summer', mailboxes: ['anna', 'bert'] }],
  };
}

/** Stores a message for certain: an uncertain answer is asked again under the same message id. */
export async function publishCertainly(broker: Broker, subject: string, data: Uint8Array): Promise<number> {
  const messageId = randomUUID();
  for (;;) {
    try {
      return (await broker.publisher.publish(subject, data, { messageId })).seq;
    } catch (error) {
      if (!(error instanceof PublishUncertain)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export async function configure(broker: Broker, tenantId: string, wishes?: TenantWishes): Promise<void> {
  const config = tenantConfig(tenantId, wishes);
  await publishCertainly(broker, tenantConfigured.subject(tenantId), encode(tenantConfigured, config));
}

export async function observe(
  broker: Broker,
  tenantId: string,
  layer: string,
  source: string,
  facts: object,
): Promise<void> {
  const message = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    layer,
    source,
    observer: 'test',
    facts: Object.entries(facts).map(([fact, value]) => ({ fact, value, observedAtMs: Date.now() })),
  } as EvidenceObserved;
  const subject = evidenceObserved.subject({ tenantId, layer, source });
  await publishCertainly(broker, subject, encode(evidenceObserved, message));
}

/** A mailbox that can do everything, with a good name. */
export async function observeMailbox(broker: Broker, tenantId: string, mailbox: string): Promise<void> {
  for (const [layer, source, facts] of READY_FACTS) {
    if (source === 'anna') await observe(broker, tenantId, layer, mailbox, facts);
  }
}

/** Every fact of a tenant that may send. */
export async function observeAll(broker: Broker, tenantId: string): Promise<void> {
  for (const [layer, source, facts] of READY_FACTS) await observe(broker, tenantId, layer, source, facts);
}

export async function truthOf(broker: Broker, tenantId: string): Promise<CanonicalRuntimeTruth | null> {
  const subject = truthRecorded.subject({ p: partitionOf(tenantId), tenantId });
  const stored = await readLast(broker, 'TRUTH', subject);
  return stored && truthFromWire(decodeStrict(truthRecorded, stored.data));
}

/** Resolves with the truth in which all nine layers are ready. */
export function readyTruth(broker: Broker, tenantId: string): Promise<CanonicalRuntimeTruth> {
  return eventually(`a truth of ${tenantId} with nine ready layers`, async () => {
    const truth = await truthOf(broker, tenantId);
    return truth && Object.values(truth.layers).every((layer) => layer.state === 'ready') ? truth : null;
  });
}

/** A tenant that may send. */
export async function readyTenant(broker: Broker, tenantId: string, wishes?: TenantWishes): Promise<void> {
  await configure(broker, tenantId, wishes);
  await observeAll(broker, tenantId);
  await readyTruth(broker, tenantId);
}

export interface RequestWishes {
  readonly campaign?: string;
  readonly mailbox?: string;
  /** The recipient of that dispatch, when it is not a new one. */
  readonly recipient?: number;
}

export function requestMessage(tenantId: string, n: number, wishes: RequestWishes = {}) {
  const { campaign = 'spring', mailbox = 'anna', recipient = n } = wishes;
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    dispatchId: `d-${n}`,
    requestedBy: 'test',
    requestedAtMs: Date.now(),
    action: {
      campaign,
      step: 1,
      mailbox,
      domain: 'main',
      importSource: 'list',
      recipientKey: recipient.toString(16).padStart(64, '0'),
      recipientVerified: true,
      prospect: 'verified_import' as const,
      conversation: 'none' as const,
      templateDigest: DIGEST,
    },
  };
}

/** Asks for the dispatch `d-<n>`, each to a recipient of its own. */
export async function request(
  broker: Broker,
  tenantId: string,
  n: number,
  wishes?: RequestWishes,
): Promise<void> {
  const message = requestMessage(tenantId, n, wishes);
  const subject = dispatchRequested.subject({ tenantId, dispatchId: message.dispatchId });
  try {
    await publishCertainly(broker, subject, encode(dispatchRequested, message));
  } catch (error) {
    // A request is refused a second time: so the first try, whose answer was lost, was stored.
    if (!(error instanceof PublishRefused)) throw error;
  }
}

/** A person's command; gives its sequence in OPERATOR. */
export async function command(
  broker: Broker,
  tenantId: string,
  kind: Command,
  about: Partial<Pick<OperatorCommanded, 'dispatchId' | 'actionDigest' | 'target'>> = {},
): Promise<number> {
  const message: OperatorCommanded = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    command: kind,
    actor: 'olga',
    reasonCode: 'reviewed',
    dispatchId: null,
    actionDigest: null,
    target: null,
    atMs: Date.now(),
    ...about,
  };
  const subject = operatorCommanded.subject({ p: partitionOf(tenantId), tenantId, command: kind });
  return publishCertainly(broker, subject, encode(operatorCommanded, message));
}

export async function chainOf(broker: Broker, tenantId: string): Promise<Link[]> {
  const links: Link[] = [];
  const filters = [`decision.${partitionOf(tenantId)}.${tenantId}.*`];
  for await (const { seq, data } of readStored(broker, { stream: 'DECISIONS', filters, fromSeq: 1 })) {
    links.push({ seq, data, record: JSON.parse(Buffer.from(data).toString()) as ChainRecord });
  }
  return links;
}

export async function decisions(broker: Broker, tenantId: string): Promise<DecisionRecorded[]> {
  return (await chainOf(broker, tenantId)).map((link) => link.record).filter(isDecision);
}

/** The decision in effect on `d-<n>`, once it fits. */
export function decided(
  broker: Broker,
  tenantId: string,
  n: number,
  wanted: Partial<DecisionRecorded>,
  withinMs?: number,
): Promise<DecisionRecorded> {
  return eventually(
    `a decision on d-${n} of ${tenantId} with ${JSON.stringify(wanted)}`,
    async () => {
      const last = (await decisions(broker, tenantId)).findLast((one) => one.dispatchId === `d-${n}`);
      if (!last) return null;
      assert.partialDeepStrictEqual(last, wanted);
      return last;
    },
    withinMs,
  );
}

export async function rejections(broker: Broker): Promise<InputRejected[]> {
  const found: InputRejected[] = [];
  for await (const stored of readStored(broker, {
    stream: 'REJECTED',
    filters: ['rejected.*.*'],
    fromSeq: 1,
  })) {
    found.push(decodeStrict(inputRejected, stored.data));
  }
  return found;
}

/** Reports the outcome of a release as its one sender would: claimed once, then settled. */
export async function reportSent(broker: Broker, link: Link): Promise<void> {
  const record = link.record as DecisionRecorded;
  const { tenantId, dispatchId, constraintsDigest } = record;
  const subject = outcomeReported.subject({ p: partitionOf(tenantId), tenantId, dispatchId });
  const message = {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: `DECISIONS/${link.seq}`,
    dispatchId,
    state: 'sent' as const,
    sender: 'test',
    senderLife: randomUUID(),
    decisionSeq: link.seq,
    constraintsDigest,
    reason: 'accepted_by_server' as const,
    smtpCode: 250,
    atMs: Date.now(),
  };
  const data = encode(outcomeReported, message);
  for (;;) {
    try {
      await broker.publisher.publish(subject, data, { expect: { lastSeq: 0 } });
      return;
    } catch (error) {
      if (error instanceof PublishConflict) return;
      if (!(error instanceof PublishUncertain)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The chain is unbroken: each record names the one before by place, sequence and the hash of its bytes. */
export function expectUnbroken(chain: readonly Link[]): void {
  assert.deepEqual(checkLinks(new Map([['the tenant', chain]])), []);
}

/** What must hold of a tenant whatever was killed: everything asked is decided once, and nothing spent twice. */
export async function expectSound(
  broker: Broker,
  tenantId: string,
  wanted: { readonly requests: number; readonly capPerDay: number },
): Promise<void> {
  const chain = await chainOf(broker, tenantId);
  expectUnbroken(chain);

  const records = chain.map((link) => link.record).filter(isDecision);
  const perDispatch = Map.groupBy(records, (record) => record.dispatchId);
  assert.equal(perDispatch.size, wanted.requests, 'requests that are decided');
  for (const [dispatchId, attempts] of perDispatch) {
    const numbers = attempts.map((record) => record.attempt);
    assert.deepEqual(
      numbers,
      [...numbers.keys()].map((at) => at + 1),
      `attempts of ${dispatchId}`,
    );
    const final = attempts.findIndex((record) => record.kind === 'BLOCK' || dispatches(record.kind));
    assert.ok(final === -1 || final === attempts.length - 1, `${dispatchId} was decided after its end`);
  }

  const reserved = records.flatMap((record) => (record.reserved ? [record.reserved] : []));
  for (const [day, slots] of Map.groupBy(reserved, (slot) => `${slot.mailbox} on ${slot.day}`)) {
    assert.ok(slots.length <= wanted.capPerDay, `${slots.length} slots of ${day}`);
    assert.deepEqual(
      slots.map((slot) => slot.ordinal),
      slots.map((_, at) => at + 1),
    );
  }

  const reported = chain.flatMap(({ record }) => (record.kind === 'OUTCOME' ? [record.dispatchId] : []));
  assert.equal(new Set(reported).size, reported.length, 'outcomes recorded twice');
}
