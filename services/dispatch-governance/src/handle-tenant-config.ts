import { tenantConfigured } from '@orchestrate/contracts';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** A tenant declared itself anew: caps, bindings and mailboxes count from here on. */
export function handleTenantConfig(partition: GovernancePartition, input: StoredMessage): void {
  const config = decodeStrict(tenantConfigured, input.data);
  checkAddress(tenantConfigured, input, `config.${partition.context.p}.${config.tenantId}.tenant`);
  const entry = partition.index.at(config.tenantId);
  entry.configSeq = Math.max(entry.configSeq, input.seq);
  if (entry.desk?.isReady) entry.desk.configMoved(config, input);
  else if (entry.mayHold()) partition.visit(entry, 'config_changed');
}
