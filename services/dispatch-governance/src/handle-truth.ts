import { truthMarked } from '@orchestrate/contracts';
import { decodeLenient, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** A tenant's truth moved, or the mark says up to when all truths of the partition stand. */
export function handleTruth(partition: GovernancePartition, input: StoredMessage): void {
  if (input.subject.split('.').length > 2) partition.truthRecorded(input);
  // A writer whose clock is ahead cannot vouch for a time that the server has not seen.
  else partition.truthMarked(Math.min(decodeLenient(truthMarked, input.data).asOfMs, input.storedAtMs));
}
