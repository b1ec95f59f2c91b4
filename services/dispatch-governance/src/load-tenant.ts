import { setTimeout as sleep } from 'node:timers/promises';
import { digestOfBytes } from '@orchestrate/canon';
import {
  approvalRecorded,
  type ChainRecord,
  decisionRecorded,
  holdSaved,
  interventionRecorded,
  ledgerSaved,
  type MessageContract,
  outcomeRecorded,
  type StreamName,
  type TenantConfig,
  tenantConfigured,
  touchesSaved,
  truthFromWire,
  truthRecorded,
} from '@orchestrate/contracts';
import {
  type Broker,
  ContractViolation,
  decodeLenient,
  type Head,
  newestFitting,
  type PartitionContext,
  ReadRefused,
  readLast,
  readLastOfEach,
  readNext,
  readStored,
  rejectInput,
  type StoredMessage,
  UnsupportedVersion,
} from '@orchestrate/messaging';
import type { HeldTruth } from './tenant-desk.ts';
import type { TenantEntry } from './tenant-entry.ts';
import type { TenantLedger } from './tenant-ledger.ts';

const RECORDS_AT_ONCE = 256;
const AGAIN_MS_MAX = 1_000;

export interface HeldConfig {
  readonly config: TenantConfig;
  readonly seq: number;
  readonly storedAtMs: number;
}

/** Asks until the server answers: nothing is wrong with a tenant because the server is away for a moment. */
export async function untilRead<T>(context: PartitionContext, read: () => Promise<T>): Promise<T> {
  for (let backoffMs = 20; ; backoffMs = Math.min(backoffMs * 2, AGAIN_MS_MAX)) {
    try {
      return await read();
    } catch (error) {
      const isOurs = error instanceof ContractViolation || error instanceof UnsupportedVersion;
      if (isOurs || context.closed()) throw error;
      await sleep(backoffMs);
    }
  }
}

/**
 * Folds the ledger from its last saving, then every record that came after it; gives the heads of its saved parts.
 * Everything is read before anything is folded: reading may have to be repeated, and folding twice counts twice.
 */
export async function loadLedger(
  context: PartitionContext,
  entry: TenantEntry,
  ledger: TenantLedger,
): Promise<Map<string, Head>> {
  const { broker, p } = context;
  const saved = `ledger.${p}.${entry.tenantId}.>`;
  const parts = await untilRead(context, () => savedParts(broker, saved, entry.stateSeq));
  const records = await untilRead(context, () => recordsAfter(context, entry));
  for (const stored of parts) restore(ledger, stored);
  for (const stored of records) replay(ledger, stored);
  return new Map(parts.map(({ subject, seq }) => [subject, { seq }]));
}

async function recordsAfter(
  { broker, p }: PartitionContext,
  { tenantId, tail }: TenantEntry,
): Promise<StoredMessage[]> {
  const records: StoredMessage[] = [];
  if (!tail) return records;
  const filter = `decision.${p}.${tenantId}.*`;
  for (let fromSeq = tail.fromSeq; fromSeq <= tail.toSeq; ) {
    const next = await readNext(broker, 'DECISIONS', { filter, fromSeq, max: RECORDS_AT_ONCE });
    if (next.length === 0) break;
    records.push(...next);
    fromSeq = next.at(-1)!.seq + 1;
  }
  return records;
}

/** A replica that answers may be behind: what is older than what is known is read again, from a consumer. */
async function savedParts(broker: Broker, filter: string, stateSeq: number): Promise<StoredMessage[]> {
  try {
    const parts = await readLastOfEach(broker, 'LEDGER', [filter]);
    if ((parts.at(-1)?.seq ?? 0) >= stateSeq) return parts;
  } catch (error) {
    if (!(error instanceof ReadRefused) || error.code !== TOO_MANY) throw error;
  }
  const parts: StoredMessage[] = [];
  for await (const stored of readStored(broker, { stream: 'LEDGER', filters: [filter] })) parts.push(stored);
  return parts;
}

/** More subjects than the server gives in one answer: holds of years stand there, closed. */
const TOO_MANY = 413;

function restore(ledger: TenantLedger, stored: StoredMessage): void {
  const [, , , kind, part] = stored.subject.split('.') as [string, string, string, string, string];
  if (kind === 'state') ledger.restoreState(decodeLenient(ledgerSaved, stored.data));
  else if (kind === 'touches') ledger.restoreTouches(part, decodeLenient(touchesSaved, stored.data));
  else {
    const { hold } = decodeLenient(holdSaved, stored.data);
    if (hold) ledger.restoreHold(hold);
  }
}

function replay(ledger: TenantLedger, stored: StoredMessage): void {
  const record = decodeLenient(recordContract(stored.subject), stored.data) as ChainRecord;
  ledger.apply(record, stored.seq, stored.data);
}

const CONTRACTS: Readonly<Record<string, unknown>> = {
  OUTCOME: outcomeRecorded,
  INTERVENTION: interventionRecorded,
  APPROVAL: approvalRecorded,
};

function recordContract(subject: string): MessageContract<{ v: string }, never> {
  const kind = subject.slice(subject.lastIndexOf('.') + 1);
  return (CONTRACTS[kind] ?? decisionRecorded) as MessageContract<{ v: string }, never>;
}

/** The newest declaration that fits, null for none, and the sequence that was looked at. */
export async function loadConfig(
  context: PartitionContext,
  { tenantId, configSeq }: TenantEntry,
): Promise<{ held: HeldConfig | null; headSeq: number }> {
  const { broker, p } = context;
  const subjectOf = (config: { tenantId: string }) => `config.${p}.${config.tenantId}.tenant`;
  const head = await headOf(broker, 'CONFIG', subjectOf({ tenantId }), configSeq);
  const newest = head && (await newestFitting(broker, head, tenantConfigured, subjectOf));
  if (head && newest?.stored.seq !== head.seq) await reject(context, head, tenantConfigured.name);
  if (!newest) return { held: null, headSeq: Math.max(configSeq, head?.seq ?? 0) };
  const { message, stored, headSeq } = newest;
  return { held: { config: message, seq: stored.seq, storedAtMs: stored.storedAtMs }, headSeq };
}

/** The newest truth that fits, null for none, and the sequence that was looked at. */
export async function loadTruth(
  context: PartitionContext,
  { tenantId, truthSeq }: TenantEntry,
): Promise<{ held: HeldTruth | null; headSeq: number }> {
  const { broker, p } = context;
  const head = await headOf(broker, 'TRUTH', `truth.${p}.${tenantId}`, truthSeq);
  // It was purged meanwhile: there is nothing to wait for.
  if (!head) return { held: null, headSeq: truthSeq };
  const subjectOf = (truth: { tenantId: string }) => truthRecorded.subject({ p, tenantId: truth.tenantId });
  const newest = await newestFitting(broker, head, truthRecorded, subjectOf);
  if (newest?.stored.seq !== head.seq) await reject(context, head, truthRecorded.name);
  return { held: newest && heldTruth(newest.message, newest.stored), headSeq: head.seq };
}

/** What was not read as an input is rejected where it is looked at. */
async function reject(
  { broker, service }: PartitionContext,
  head: StoredMessage,
  name: string,
): Promise<void> {
  const error = new ContractViolation(name, [{ path: '', message: 'does not fit' }]);
  await rejectInput(broker, service, head, 'contract_violation', error);
}

export function decodeTruth(stored: StoredMessage): HeldTruth {
  return heldTruth(decodeLenient(truthRecorded, stored.data), stored);
}

function heldTruth(message: ReturnType<typeof decodeTruthMessage>, { seq, data }: StoredMessage): HeldTruth {
  const { fingerprint, epoch } = message;
  return { truth: truthFromWire(message), cited: { seq, digest: digestOfBytes(data), fingerprint, epoch } };
}

const decodeTruthMessage = (data: Uint8Array) => decodeLenient(truthRecorded, data);

/** The newest message of a subject, which is not older than what is known to stand there. */
async function headOf(
  broker: Broker,
  stream: StreamName,
  subject: string,
  knownSeq: number,
): Promise<StoredMessage | null> {
  if (knownSeq === 0) return null;
  const [near] = await readLastOfEach(broker, stream, [subject]);
  return near && near.seq >= knownSeq ? near : readLast(broker, stream, subject);
}
