import { readTenantConfig } from '@orchestrate/client';
import type { Broker } from '@orchestrate/messaging';

/** What was named, or the only one there is; asks for a name when there are several. */
export function onlyOne(
  what: 'campaign' | 'import',
  declared: readonly { readonly id: string }[],
  named: string | undefined,
): string {
  if (named !== undefined) return named;
  const [only] = declared;
  if (only && declared.length === 1) return only.id;
  throw new Error(
    `name the ${what} with --${what}: there are ${declared.map(({ id }) => id).join(', ') || 'none'}`,
  );
}

export async function importOf(broker: Broker, tenantId: string, named: string | undefined): Promise<string> {
  const config = await readTenantConfig(broker, tenantId);
  if (!config) throw new Error(`there is no tenant \`${tenantId}\`: apply its tenant file first`);
  return onlyOne('import', config.imports, named);
}
