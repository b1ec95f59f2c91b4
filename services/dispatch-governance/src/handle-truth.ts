import { truthMarked } from '@orchestrate/contracts';
import { decodeLenient, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** A tenant's truth moved, or the mark says up to when all truths of the partition stand. */
export function handleTruth(partition: GovernancePartition, input: StoredMessage): void {
  if (input.subject.split('.').length > 2) partition.truthRecorded(input);
  else partition.truthMarked(decodeLenient(truthMarked, input.data).asOfMs);
}
