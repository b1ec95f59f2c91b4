import { type DispatchRequested, dispatchRequested } from '@orchestrate/contracts';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** Somebody asks whether one message may go out: it waits for its turn at its tenant's desk, or in the stream. */
export function handleDispatchRequested(
  partition: GovernancePartition,
  input: StoredMessage,
): void | Promise<void> {
  const { leftOut } = partition;
  const tenantId = input.subject.split('.')[2]!;
  // Behind others that were left in the stream: it is read again, and looked at, after them.
  if (leftOut.of(tenantId)) return leftOut.add(tenantId, input);
  const request = decodeRequest(partition.context.p, input);
  return partition.atDesk(tenantId, input, (desk) => desk.request(request, input));
}

/** Throws ContractViolation, also when the request speaks for another dispatch than its subject. */
export function decodeRequest(p: number, input: StoredMessage): DispatchRequested {
  const request = decodeStrict(dispatchRequested, input.data);
  checkAddress(dispatchRequested, input, `dispatch.${p}.${request.tenantId}.${request.dispatchId}`);
  return request;
}
