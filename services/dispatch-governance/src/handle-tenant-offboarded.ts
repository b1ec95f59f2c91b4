import type { StoredMessage } from '@orchestrate/messaging';
import { offboardedIn } from '@orchestrate/service-kit';
import type { GovernancePartition } from './governance-partition.ts';

/** A tenant left: only its chain goes on, for what is still asked and for outcomes that are still owed. */
export async function handleTenantOffboarded(
  partition: GovernancePartition,
  input: StoredMessage,
): Promise<void> {
  const tenantId = offboardedIn(input);
  await partition.atReadyDesk(tenantId, input, (desk) => {
    partition.index.leave(partition.index.at(tenantId));
    desk.leave();
  });
  // Whoever purges waits until we say that we have heard of it.
  partition.context.requestMark();
}
