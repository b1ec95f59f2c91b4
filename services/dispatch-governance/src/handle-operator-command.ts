import { partitionOf } from '@orchestrate/canon';
import { operatorCommanded } from '@orchestrate/contracts';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import { wasDeclaredBefore } from './declared-tenants.ts';
import type { GovernancePartition } from './governance-partition.ts';

/** Desks that are set up side by side for a command that is for everybody. */
const AT_ONCE = 32;

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
    await partition.atDesk(tenantId, input, (desk) => desk.command(command, input));
    return;
  }
  const declared = [...partition.index.all()].filter((entry) => entry.configSeq > 0 && !entry.hasLeft);
  await inGroups(declared, AT_ONCE, (entry) =>
    partition.atReadyDesk(entry.tenantId, input, async (desk) => {
      const { declared } = desk;
      if (declared && (await wasDeclaredBefore(partition.context, declared, input)))
        desk.command(command, input);
    }),
  );
}

/** Does something about each, with so many under way. */
async function inGroups<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
