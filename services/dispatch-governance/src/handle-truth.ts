import { truthMarked } from '@orchestrate/contracts';
import { decodeLenient, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';
import { decodeTruth } from './load-tenant.ts';

/** A tenant's truth moved, or the mark says up to when all truths of the partition stand. */
export function handleTruth(partition: GovernancePartition, input: StoredMessage): void {
  const [, , tenantId] = input.subject.split('.');
  if (tenantId === undefined) {
    // A writer whose clock is ahead cannot vouch for a time that the server has not seen.
    partition.truthMarked(Math.min(decodeLenient(truthMarked, input.data).asOfMs, input.storedAtMs));
    return;
  }
  const entry = partition.index.at(tenantId);
  entry.truthSeq = Math.max(entry.truthSeq, input.seq);
  if (entry.desk?.isReady) entry.desk.truthMoved(decodeTruth(input));
  else if (entry.mayHold()) partition.visit(entry, 'truth_changed');
}
