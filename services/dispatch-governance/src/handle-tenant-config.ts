import { tenantConfigured } from '@orchestrate/contracts';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { GovernancePartition } from './governance-partition.ts';

/** A tenant declared itself anew: caps, bindings and mailboxes count from here on. */
export function handleTenantConfig(partition: GovernancePartition, input: StoredMessage): void {
  const config = decodeStrict(tenantConfigured, input.data);
  checkAddress(tenantConfigured, input, `config.${partition.context.p}.${config.tenantId}.tenant`);
  partition.desk(config.tenantId).configMoved(config, input);
}
