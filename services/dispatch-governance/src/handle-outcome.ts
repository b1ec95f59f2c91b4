import { outcomeReported } from '@orchestrate/contracts';
import { decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** A sender says what became of a release. */
export function handleOutcome(partition: GovernancePartition, input: StoredMessage): void {
  const outcome = decodeStrict(outcomeReported, input.data);
  partition.desk(outcome.tenantId).outcome(outcome, input);
}
