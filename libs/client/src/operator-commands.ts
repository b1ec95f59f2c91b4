import { randomUUID } from 'node:crypto';
import { PARTITIONS, partitionOf } from '@orchestrate/canon';
import { type Command, type OperatorCommanded, operatorCommanded, VERSION } from '@orchestrate/contracts';
import { type Broker, readLast } from '@orchestrate/messaging';
import { publishMessage } from './publish-message.ts';

export interface OperatorCommand {
  /** `_all` concerns every tenant. */
  readonly tenantId: string;
  readonly command: Command;
  readonly actor: string;
  readonly reasonCode: OperatorCommanded['reasonCode'];
  readonly dispatchId?: string | null;
  readonly actionDigest?: string | null;
  readonly target?: OperatorCommanded['target'];
}

export const ALL_TENANTS = '_all';

type Field = 'dispatchId' | 'actionDigest' | 'target';

/** What a command must name to mean anything. */
const NEEDS: Readonly<Record<Command, readonly Field[]>> = {
  freeze: [],
  unfreeze: [],
  approve: ['dispatchId', 'actionDigest'],
  reject: ['dispatchId'],
  hold_layer: ['target'],
  release_layer: ['target'],
  offboard: [],
};
const FOR_ALL: readonly Command[] = ['freeze', 'unfreeze'];

/**
 * Asks for something to be done. It takes effect when its record stands in the tenant's chain, not before.
 * Returns where the command stands in OPERATOR: once, or once for each partition when it is for all tenants.
 */
export async function sendCommand(broker: Broker, command: OperatorCommand): Promise<readonly number[]> {
  const messages = commandMessages(command, Date.now());
  const stored = await Promise.all(
    messages.map(({ p, message }) =>
      publishMessage(broker, operatorCommanded, operatorCommanded.subject({ p, ...message }), message),
    ),
  );
  return stored.map(({ seq }) => seq);
}

/** Whether the last word on everything, in the partition of this tenant, was a freeze. */
export async function isEverythingFrozen(broker: Broker, tenantId: string): Promise<boolean> {
  const p = partitionOf(tenantId);
  const last = async (command: 'freeze' | 'unfreeze') => {
    const subject = operatorCommanded.subject({ p, tenantId: ALL_TENANTS, command });
    return (await readLast(broker, 'OPERATOR', subject))?.seq ?? 0;
  };
  return (await last('freeze')) > (await last('unfreeze'));
}

export function commandMessages(
  command: OperatorCommand,
  atMs: number,
): readonly { readonly p: number; readonly message: OperatorCommanded }[] {
  const { tenantId, command: name } = command;
  for (const field of NEEDS[name]) if (!command[field]) throw new Error(`\`${name}\` needs ${field}`);
  const isForAll = tenantId === ALL_TENANTS;
  if (isForAll && !FOR_ALL.includes(name)) {
    throw new Error(`\`${name}\` is for one tenant: only ${FOR_ALL.join(' and ')} can be for all`);
  }
  const partitions = isForAll ? Array.from({ length: PARTITIONS }, (_, p) => p) : [partitionOf(tenantId)];
  return partitions.map((p) => ({
    p,
    message: {
      v: VERSION,
      id: randomUUID(),
      tenantId,
      causedBy: null,
      command: name,
      actor: command.actor,
      reasonCode: command.reasonCode,
      dispatchId: command.dispatchId ?? null,
      actionDigest: command.actionDigest ?? null,
      target: command.target ?? null,
      atMs,
    },
  }));
}
