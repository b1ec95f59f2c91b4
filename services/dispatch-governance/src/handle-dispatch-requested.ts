import { dispatchRequested } from '@orchestrate/contracts';
import { ContractViolation, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** Somebody asks whether one message may go out: it waits for its turn at its tenant's desk. */
export function handleDispatchRequested(partition: GovernancePartition, input: StoredMessage): void {
  const request = decodeStrict(dispatchRequested, input.data);
  const addressed = `dispatch.${partition.context.p}.${request.tenantId}.${request.dispatchId}`;
  if (addressed !== input.subject) {
    throw new ContractViolation(dispatchRequested.name, [
      { path: 'dispatchId', message: `the request is ${addressed}, but came on ${input.subject}` },
    ]);
  }
  partition.desk(request.tenantId).request(request, input);
}
