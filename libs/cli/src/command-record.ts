import { partitionOf } from '@orchestrate/canon';
import { followChain, type OperatorCommand, sendCommand } from '@orchestrate/client';
import type { ApprovalRecorded, InterventionRecorded } from '@orchestrate/contracts';
import { type Broker, lastSeqOf } from '@orchestrate/messaging';
import { Failure } from './failure.ts';
import { whileWaiting } from './progress.ts';

const RECORD_MS_MAX = 15_000;

export interface CommandRecord {
  readonly seq: number;
  readonly record: ApprovalRecorded | InterventionRecorded;
}

/** Gives a command and waits for its record in the tenant's chain: before that nothing has happened. */
export async function commandAndAwaitRecord(
  broker: Broker,
  command: OperatorCommand & { readonly tenantId: string },
): Promise<CommandRecord> {
  const fromSeq = await nextRecordSeq(broker, command.tenantId);
  const [commandSeq] = await sendCommand(broker, command);
  const record = awaitRecord(broker, command.tenantId, commandSeq!, fromSeq);
  return whileWaiting(`waiting for the record of ${command.command}`, record);
}

/** Records of a tenant that are written from now on have this sequence in DECISIONS or a higher one. */
export async function nextRecordSeq(broker: Broker, tenantId: string): Promise<number> {
  return (await nextRecordSeqs(broker, [tenantId]))(tenantId);
}

/** The same for each of many tenants: it is asked for once a partition. */
export async function nextRecordSeqs(
  broker: Broker,
  tenants: readonly string[],
): Promise<(tenantId: string) => number> {
  const partitions = [...new Set(tenants.map(partitionOf))];
  const next = async (p: number) => (await lastSeqOf(broker, 'DECISIONS', `decision.${p}.*.*`)) + 1;
  const found = new Map(await Promise.all(partitions.map(async (p) => [p, await next(p)] as const)));
  return (tenantId) => found.get(partitionOf(tenantId))!;
}

/** People's acts are on subjects of their own: however much is decided meanwhile, this one is not overlooked. */
export async function awaitRecord(
  broker: Broker,
  tenantId: string,
  commandSeq: number,
  fromSeq: number,
): Promise<CommandRecord> {
  const found = Promise.withResolvers<CommandRecord>();
  const kinds = ['APPROVAL', 'INTERVENTION'] as const;
  const follower = await followChain(broker, { tenantId, fromSeq, kinds }, ({ seq, record }) => {
    const byPerson = record as CommandRecord['record'];
    if (byPerson.commandSeq === commandSeq) found.resolve({ seq, record: byPerson });
  });
  const timer = setTimeout(() => found.reject(notRecorded(tenantId, commandSeq)), RECORD_MS_MAX);
  try {
    return await found.promise;
  } finally {
    clearTimeout(timer);
    await follower.close();
  }
}

function notRecorded(tenantId: string, commandSeq: number): Failure {
  return new Failure(
    'failed',
    `the command is stored (OPERATOR/${commandSeq}) and takes effect with its record, which \`${tenantId}\` did not get within ${RECORD_MS_MAX / 1000} s: see whether dispatch-governance is up with \`orchestrate status\`, and \`orchestrate doctor\` for what was rejected`,
  );
}
