import { type CanonicalRuntimeTruth, digestOfBytes, type Policy, partitionOf } from '@orchestrate/canon';
import {
  approvalRecorded,
  type ChainRecord,
  type DecisionRecorded,
  decisionRecorded,
  interventionRecorded,
  type Mark,
  type MessageContract,
  type OutcomeReported,
  outcomeRecorded,
  outcomeReported,
  type RecordKind,
  type TenantConfig,
  type TruthRecorded,
  tenantConfigured,
  truthFromWire,
  truthMarked,
  truthRecorded,
} from '@orchestrate/contracts';
import {
  type Broker,
  decodeLenient,
  readAt,
  readLast,
  readStored,
  type StoredMessage,
} from '@orchestrate/messaging';
import { type Books, checkBooks, isDecision, type StoredRecord } from './check-books.ts';

export interface StoredConfig {
  readonly config: TenantConfig;
  readonly seq: number;
}

/** The configuration in force and where it stands in CONFIG, or null for a tenant that nobody configured. */
export async function readStoredConfig(broker: Broker, tenantId: string): Promise<StoredConfig | null> {
  const stored = await readLast(broker, 'CONFIG', `config.${partitionOf(tenantId)}.${tenantId}.tenant`);
  return stored && { config: decodeLenient(tenantConfigured, stored.data), seq: stored.seq };
}

export async function readTenantConfig(broker: Broker, tenantId: string): Promise<TenantConfig | null> {
  return (await readStoredConfig(broker, tenantId))?.config ?? null;
}

/** The ids of all tenants that have a configuration and did not leave, in alphabetical order. */
export async function readTenants(broker: Broker): Promise<string[]> {
  const configured = new Set<string>();
  const left = new Set<string>();
  const filters = ['config.*.*.tenant', 'config.*.*.offboarded'];
  for await (const { subject } of readStored(broker, { stream: 'CONFIG', filters })) {
    const [, , tenantId, kind] = subject.split('.') as [string, string, string, string];
    (kind === 'tenant' ? configured : left).add(tenantId);
  }
  return [...configured.difference(left)].sort();
}

export interface StoredTruth {
  readonly truth: CanonicalRuntimeTruth;
  /** The message that carries it. */
  readonly record: TruthRecorded;
  readonly seq: number;
  readonly storedAtMs: number;
}

/** The newest truth. How fresh it is only the mark of its partition tells. */
export async function readTruth(broker: Broker, tenantId: string): Promise<StoredTruth | null> {
  const subject = truthRecorded.subject({ p: partitionOf(tenantId), tenantId });
  const stored = await readLast(broker, 'TRUTH', subject);
  return stored && storedTruth(stored);
}

export function storedTruth({ seq, storedAtMs, data }: StoredMessage): StoredTruth {
  const record = decodeLenient(truthRecorded, data);
  return { truth: truthFromWire(record), record, seq, storedAtMs };
}

/** The truths of a tenant that the stream still holds, oldest first: what changed, and when. */
export async function readTruthHistory(broker: Broker, tenantId: string): Promise<StoredTruth[]> {
  const filters = [truthRecorded.subject({ p: partitionOf(tenantId), tenantId })];
  const history: StoredTruth[] = [];
  for await (const stored of readStored(broker, { stream: 'TRUTH', filters, fromSeq: 1 }))
    history.push(storedTruth(stored));
  return history;
}

/** Up to when, and up to which inputs, the truths of a partition are complete. */
export async function readTruthMark(broker: Broker, p: number): Promise<Mark | null> {
  const stored = await readLast(broker, 'TRUTH', truthMarked.subject(p));
  return stored && decodeLenient(truthMarked, stored.data);
}

/** Whether what is known up to that time is fresh: at most as many cadences old as the policy allows. */
export function isFresh(asOfMs: number | null, { dispatch }: Policy, nowMs: number): boolean {
  return asOfMs !== null && nowMs - asOfMs <= dispatch.cadenceSec * dispatch.truthCadences * 1000;
}

/** Where the records of a tenant's chain stand in DECISIONS: all, or those of some kinds. */
export function chainSubjects(tenantId: string, kinds?: readonly RecordKind[]): string[] {
  return (kinds ?? ['*']).map((kind) => `decision.${partitionOf(tenantId)}.${tenantId}.${kind}`);
}

/** Every record of the tenant, or every one of some kinds, that is still in the stream, oldest first. */
export async function readChain(
  broker: Broker,
  tenantId: string,
  kinds?: readonly RecordKind[],
): Promise<StoredRecord[]> {
  const filters = chainSubjects(tenantId, kinds);
  const records: StoredRecord[] = [];
  for await (const stored of readStored(broker, { stream: 'DECISIONS', filters, fromSeq: 1 })) {
    records.push(storedRecord(stored));
  }
  return records;
}

/** The newest records of a tenant, oldest first: read from the head back along the chain. */
export async function readChainEnd(broker: Broker, tenantId: string, count: number): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  const head = `decision.${partitionOf(tenantId)}.${tenantId}.*`;
  let stored = count > 0 ? await readLast(broker, 'DECISIONS', head) : null;
  while (stored) {
    const one = storedRecord(stored);
    records.unshift(one);
    if (records.length === count || one.record.prevSeq === 0) break;
    stored = await readAt(broker, 'DECISIONS', one.record.prevSeq, partitionOf(tenantId));
  }
  return records;
}

export function storedRecord(stored: StoredMessage): StoredRecord {
  return { seq: stored.seq, digest: digestOfBytes(stored.data), record: decodeRecord(stored) };
}

function decodeRecord(stored: StoredMessage): ChainRecord {
  const kind = stored.subject.split('.').at(-1)!;
  const decode = <T extends ChainRecord>(contract: MessageContract<T, never>) =>
    decodeLenient(contract, stored.data);
  if (isDecision(kind)) return decode(decisionRecorded);
  switch (kind) {
    case 'OUTCOME':
      return decode(outcomeRecorded);
    case 'INTERVENTION':
      return decode(interventionRecorded);
    case 'APPROVAL':
      return decode(approvalRecorded);
    default:
      throw new Error(
        `record ${stored.seq} of DECISIONS is of kind \`${kind}\`, which this version cannot read: upgrade it`,
      );
  }
}

/** The decision in effect on each dispatch: the last one. */
export function effectiveDecisions(
  records: Iterable<{ readonly record: ChainRecord }>,
): Map<string, DecisionRecorded> {
  const effective = new Map<string, DecisionRecorded>();
  for (const { record } of records) {
    if (isDecision(record.kind))
      effective.set((record as DecisionRecorded).dispatchId, record as DecisionRecorded);
  }
  return effective;
}

/** The newest outcome of each dispatch that a sender took up. */
export async function readOutcomes(broker: Broker, tenantId: string): Promise<Map<string, OutcomeReported>> {
  const outcomes = new Map<string, OutcomeReported>();
  const filters = [`outcome.${partitionOf(tenantId)}.${tenantId}.*`];
  for await (const stored of readStored(broker, { stream: 'OUTCOMES', filters })) {
    const outcome = decodeLenient(outcomeReported, stored.data);
    outcomes.set(outcome.dispatchId, outcome);
  }
  return outcomes;
}

/** The ids of all dispatches that were asked for and are still in the stream. */
export async function readRequested(broker: Broker, tenantId: string): Promise<Set<string>> {
  const requested = new Set<string>();
  const filters = [`dispatch.${partitionOf(tenantId)}.${tenantId}.*`];
  for await (const stored of readStored(broker, { stream: 'REQUESTS', filters, fromSeq: 1 })) {
    requested.add(stored.subject.split('.')[3]!);
  }
  return requested;
}

/** How many inputs broke their contract or a handler. */
export async function countRejected(broker: Broker): Promise<number> {
  const { state } = await broker.jsm.streams.info('REJECTED');
  return state.messages;
}

/** Reads and checks the books of a tenant. Outcomes are read first, so that none seems to lack its decision. */
export async function readBooks(broker: Broker, tenantId: string): Promise<Books> {
  const outcomes = await readOutcomes(broker, tenantId);
  const chain = await readChain(broker, tenantId);
  const requests = await readRequested(broker, tenantId);
  return checkBooks({ tenantId, requests, chain, outcomes, asOfMs: Date.now() });
}
