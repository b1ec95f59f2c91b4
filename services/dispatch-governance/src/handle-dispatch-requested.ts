import { dispatchRequested } from '@orchestrate/contracts';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** Somebody asks whether one message may go out: it waits for its turn at its tenant's desk. */
export function handleDispatchRequested(partition: GovernancePartition, input: StoredMessage): void {
  const request = decodeStrict(dispatchRequested, input.data);
  const addressed = `dispatch.${partition.context.p}.${request.tenantId}.${request.dispatchId}`;
  checkAddress(dispatchRequested, input, addressed);
  partition.desk(request.tenantId).request(request, input);
}
