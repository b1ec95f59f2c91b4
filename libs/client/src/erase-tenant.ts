import { partitionOf } from '@orchestrate/canon';
import { inputRejected, RECIPIENTS_BUCKET, recipientsKey, type StreamName } from '@orchestrate/contracts';
import { type Broker, decodeLenient, purgeStored, readStored } from '@orchestrate/messaging';
import { readOffboarding, refuseOffboarded } from './offboarding.ts';

export const ERASED_FROM = [
  'RECIPIENTS',
  'SUPPRESSIONS',
  'CONFIG',
  'REQUESTS',
  'LAYERS',
  'LEDGER',
  'EVIDENCE',
  'REJECTED',
] as const;
const RECIPIENTS_STREAM = `KV_${RECIPIENTS_BUCKET}`;
const subjectIn = (key: string) => `$KV.${RECIPIENTS_BUCKET}.${key}`;

/** Messages and entries that were erased, by stream or bucket. */
export type Erased = Readonly<Record<(typeof ERASED_FROM)[number], number>>;

/**
 * Erases what is known of a tenant but its records and what these cite. The key goes first: from then on nobody can tell
 * whom the recipient keys in the records were about. Erasing again erases what came in between.
 */
export async function eraseTenant(broker: Broker, tenantId: string): Promise<Erased> {
  const at = `${partitionOf(tenantId)}.${tenantId}`;
  const purge = async (stream: StreamName, ...filters: string[]) => {
    let purged = 0;
    for (const filter of filters) purged += await purgeStored(broker, stream, filter);
    return purged;
  };
  return {
    RECIPIENTS: await eraseRecipients(broker, tenantId),
    SUPPRESSIONS: await purge('SUPPRESSIONS', `suppression.${at}.*`),
    CONFIG: await purge('CONFIG', `config.${at}.tenant`),
    REQUESTS: await purge('REQUESTS', `dispatch.${at}.*`),
    LAYERS: await purge('LAYERS', `layer.${at}.*.*`),
    // Its state stays: it holds where the chain ends, which outlives the records in the stream.
    LEDGER: await purge('LEDGER', `ledger.${at}.touches.*`, `ledger.${at}.hold.*`),
    // Late: a probe may have been looking when it heard that the tenant left.
    EVIDENCE: await purge('EVIDENCE', `evidence.${at}.*.*`),
    REJECTED: await eraseRejected(broker, tenantId),
  };
}

/** For whoever wrote about a tenant that left meanwhile: erases it once more, then throws as if it had come later. */
export async function eraseIfOffboarded(broker: Broker, tenantId: string): Promise<void> {
  if (!(await readOffboarding(broker, tenantId))) return;
  await eraseTenant(broker, tenantId);
  await refuseOffboarded(broker, tenantId);
}

async function eraseRecipients(broker: Broker, tenantId: string): Promise<number> {
  const key = await overwriteKey(broker, tenantId);
  const keys = [
    recipientsKey.lead(tenantId, '*'),
    recipientsKey.content(tenantId, '*'),
    recipientsKey.mailbox(tenantId, '*'),
  ];
  // By subject and not by key: deleting a key leaves a marker that says that there was one.
  return key + (await purgeAll(broker, RECIPIENTS_STREAM, keys.map(subjectIn)));
}

/**
 * A purge makes messages unreachable; their bytes stay in the server's files until it rewrites them. The key is
 * overwritten where it lies. For all leads that would take the server minutes of nothing else.
 */
async function overwriteKey(broker: Broker, tenantId: string): Promise<number> {
  const subject = subjectIn(recipientsKey.hmacKey(tenantId));
  const found = await broker.jsm.streams.getMessage(RECIPIENTS_STREAM, { last_by_subj: subject });
  if (found) await deleteMessage(broker, RECIPIENTS_STREAM, found.seq);
  return (found ? 1 : 0) + (await purgeAll(broker, RECIPIENTS_STREAM, [subject]));
}

async function purgeAll(broker: Broker, stream: string, filters: readonly string[]): Promise<number> {
  let purged = 0;
  for (const filter of filters) purged += (await broker.jsm.streams.purge(stream, { filter })).purged;
  return purged;
}

/** What was rejected is kept as it came, whatever stands in it; its subject says whom it was about. */
async function eraseRejected(broker: Broker, tenantId: string): Promise<number> {
  const range = { stream: 'REJECTED', filters: ['rejected.*.*'], fromSeq: 1 } as const;
  const found: number[] = [];
  for await (const { data, seq } of readStored(broker, range)) {
    const { subject } = decodeLenient(inputRejected, data);
    if (subject.split('.')[2] === tenantId) found.push(seq);
  }
  for (const seq of found) await deleteMessage(broker, 'REJECTED', seq);
  return found.length;
}

/** Overwrites its bytes. Another call, or its age, may have been quicker. */
async function deleteMessage(broker: Broker, stream: string, seq: number): Promise<void> {
  try {
    await broker.jsm.streams.deleteMessage(stream, seq, true);
  } catch (error) {
    if (await broker.jsm.streams.getMessage(stream, { seq })) throw error;
  }
}
