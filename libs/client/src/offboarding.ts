import { partitionOf } from '@orchestrate/canon';
import { type TenantOffboarded, tenantOffboarded } from '@orchestrate/contracts';
import { type Broker, decodeLenient, readLast } from '@orchestrate/messaging';

/** Where the tombstone of a tenant stands. */
const tombstoneOf = (tenantId: string) => `config.${partitionOf(tenantId)}.${tenantId}.offboarded`;

export interface StoredOffboarding {
  readonly offboarding: TenantOffboarded;
  readonly seq: number;
}

/** When and by whom the tenant was offboarded; null while it is here, or never was. */
export async function readOffboarding(broker: Broker, tenantId: string): Promise<StoredOffboarding | null> {
  const stored = await readLast(broker, 'CONFIG', tombstoneOf(tenantId));
  return stored && { offboarding: decodeLenient(tenantOffboarded, stored.data), seq: stored.seq };
}

/** Throws when the tenant was offboarded: records under its id must never be about somebody else. */
export async function refuseOffboarded(broker: Broker, tenantId: string): Promise<void> {
  const found = await readOffboarding(broker, tenantId);
  if (!found) return;
  const day = new Date(found.offboarding.offboardedAtMs).toISOString().slice(0, 10);
  throw new Error(`\`${tenantId}\` was offboarded on ${day}: its id is not given out again, choose another`);
}
