import { operatorCommanded } from '@orchestrate/contracts';
import { decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** A person acted: the record of it goes into the chain of every tenant that it concerns. */
export function handleOperatorCommand(partition: GovernancePartition, input: StoredMessage): void {
  const command = decodeStrict(operatorCommanded, input.data);
  if (command.tenantId !== '_all') {
    partition.desk(command.tenantId).command(command, input);
    return;
  }
  for (const desk of partition.desks()) if (desk.config) desk.command(command, input);
}
