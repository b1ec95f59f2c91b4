import { partitionOf } from '@orchestrate/canon';
import { type TenantConfig, tenantConfigured } from '@orchestrate/contracts';
import {
  type Broker,
  ContractViolation,
  decodeLenient,
  referenceTo,
  rejectInput,
  type StoredMessage,
} from '@orchestrate/messaging';

export const TENANT_CONFIGS = 'config.*.*.tenant';

/** A tenant as it last declared itself. */
export interface ConfiguredTenant {
  readonly p: number;
  readonly config: TenantConfig;
  /** The message that said so. */
  readonly reference: string;
}

/** Null when the message breaks its contract; it is in REJECTED then. */
export async function handleTenantConfig(
  broker: Broker,
  service: string,
  message: StoredMessage,
): Promise<ConfiguredTenant | null> {
  try {
    const config = decodeLenient(tenantConfigured, message.data);
    const p = partitionOf(config.tenantId);
    if (message.subject !== `config.${p}.${config.tenantId}.tenant`) {
      const issue = { path: 'tenantId', message: 'the subject names another tenant' };
      throw new ContractViolation(tenantConfigured.name, [issue]);
    }
    return { p, config, reference: referenceTo(message) };
  } catch (error) {
    if (!(error instanceof ContractViolation)) throw error;
    await rejectInput(broker, service, message, 'contract_violation', error);
    return null;
  }
}
