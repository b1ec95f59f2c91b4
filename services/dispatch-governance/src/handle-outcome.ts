import { partitionOf } from '@orchestrate/canon';
import { outcomeReported } from '@orchestrate/contracts';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** A sender says what became of a release. */
export function handleOutcome(partition: GovernancePartition, input: StoredMessage): void | Promise<void> {
  const outcome = decodeStrict(outcomeReported, input.data);
  const { tenantId, dispatchId } = outcome;
  checkAddress(
    outcomeReported,
    input,
    outcomeReported.subject({ p: partitionOf(tenantId), tenantId, dispatchId }),
  );
  // A claim says that somebody sends; what becomes of it is said later.
  if (outcome.state === 'claimed') return;
  return partition.atDesk(tenantId, input, (desk) => desk.outcome(outcome, input));
}
