import { partitionOf } from '@orchestrate/canon';
import { operatorCommanded } from '@orchestrate/contracts';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import { wasDeclaredBefore } from '@orchestrate/service-kit';
import type { GovernancePartition } from './governance-partition.ts';

/** A person acted: the record of it goes into the chain of every tenant that it concerns. */
export async function handleOperatorCommand(
  partition: GovernancePartition,
  input: StoredMessage,
): Promise<void> {
  const command = decodeStrict(operatorCommanded, input.data);
  const { tenantId } = command;
  const p = tenantId === '_all' ? partition.context.p : partitionOf(tenantId);
  checkAddress(
    operatorCommanded,
    input,
    operatorCommanded.subject({ p, tenantId, command: command.command }),
  );
  if (tenantId !== '_all') {
    partition.desk(tenantId).command(command, input);
    return;
  }
  for (const desk of [...partition.desks()]) {
    const { declared } = desk;
    if (declared && (await wasDeclaredBefore(partition.context, declared, input)))
      desk.command(command, input);
  }
}
