import type { StoredMessage } from '@orchestrate/messaging';
import { offboardedIn } from '@orchestrate/service-kit';
import type { LayerPartition } from './layer-partition.ts';

/** A tenant left: its machines end, and whatever still arrives about it says nothing. */
export function handleTenantOffboarded(partition: LayerPartition, input: StoredMessage): void {
  partition.forget(offboardedIn(input));
  // Whoever purges waits until we say that we have heard of it.
  partition.context.requestMark();
}
