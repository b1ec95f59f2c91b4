import { missingTenant, NotThere, notAmong, readStoredConfig, type StoredConfig } from '@orchestrate/client';
import type { TenantConfig } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';

/** What was named, or the only one there is; asks for a name when there are several. */
export function onlyOne(
  what: 'campaign' | 'import',
  declared: readonly { readonly id: string }[],
  named: string | undefined,
): string {
  const known = declared.map(({ id }) => id);
  if (named !== undefined) {
    if (known.includes(named)) return named;
    throw notAmong(`there is no ${what} \`${named}\``, named, known);
  }
  const [only] = known;
  if (only !== undefined && known.length === 1) return only;
  throw new NotThere(`name the ${what} with --${what}: there are ${known.join(', ') || 'none'}`);
}

/** The tenant's configuration in force; throws NotThere. */
export async function tenantNamed(broker: Broker, tenantId: string): Promise<TenantConfig> {
  return (await storedTenant(broker, tenantId)).config;
}

export async function storedTenant(broker: Broker, tenantId: string): Promise<StoredConfig> {
  const stored = await readStoredConfig(broker, tenantId);
  if (!stored) throw await missingTenant(broker, tenantId);
  return stored;
}
