import type { StoredMessage } from '@orchestrate/messaging';
import { offboardedIn } from '@orchestrate/service-kit';
import type { TruthPartition } from './truth-partition.ts';

/** A tenant left: its last truth stays where it is, and no other follows. */
export function handleTenantOffboarded(partition: TruthPartition, input: StoredMessage): void {
  partition.forget(offboardedIn(input));
}
