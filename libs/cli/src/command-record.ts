import { setTimeout as sleep } from 'node:timers/promises';
import { type OperatorCommand, readChainEnd, sendCommand } from '@orchestrate/client';
import type { ApprovalRecorded, InterventionRecorded } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { Failure } from './failure.ts';

const RECORD_MS_MAX = 15_000;
const LOOK_MS = 100;
const RECORDS_LOOKED_AT = 32;

export interface CommandRecord {
  readonly seq: number;
  readonly record: ApprovalRecorded | InterventionRecorded;
}

/** Gives a command and waits for its record in the tenant's chain: before that nothing has happened. */
export async function commandAndAwaitRecord(
  broker: Broker,
  command: OperatorCommand & { readonly tenantId: string },
): Promise<CommandRecord> {
  const [commandSeq] = await sendCommand(broker, command);
  return awaitRecord(broker, command.tenantId, commandSeq!);
}

export async function awaitRecord(
  broker: Broker,
  tenantId: string,
  commandSeq: number,
): Promise<CommandRecord> {
  const deadline = Date.now() + RECORD_MS_MAX;
  while (Date.now() < deadline) {
    for (const { seq, record } of await readChainEnd(broker, tenantId, RECORDS_LOOKED_AT)) {
      if ((record.kind === 'APPROVAL' || record.kind === 'INTERVENTION') && record.commandSeq === commandSeq)
        return { seq, record };
    }
    await sleep(LOOK_MS);
  }
  throw new Failure(
    'failed',
    `the command is stored (OPERATOR/${commandSeq}) and takes effect with its record, which \`${tenantId}\` did not get within ${RECORD_MS_MAX / 1000} s: see whether dispatch-governance is up with \`orchestrate status\`, and \`orchestrate doctor\` for what was rejected`,
  );
}
