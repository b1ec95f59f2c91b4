import { partitionOf } from '@orchestrate/canon';
import { type TenantOffboarded, tenantOffboarded } from '@orchestrate/contracts';
import { type Broker, decodeLenient, readLast } from '@orchestrate/messaging';
import { NotThere, noTenant } from './not-there.ts';

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
  const day = dayOf(found.offboarding.offboardedAtMs);
  throw new NotThere(
    `\`${tenantId}\` was offboarded on ${day}: its id is not given out again, choose another`,
  );
}

/** Why a tenant cannot be looked at: it left, and then its records are what remains; or nobody ever applied it. */
export async function missingTenant(broker: Broker, tenantId: string): Promise<NotThere> {
  const found = await readOffboarding(broker, tenantId);
  if (!found) return noTenant(tenantId);
  return new NotThere(
    `\`${tenantId}\` was offboarded on ${dayOf(found.offboarding.offboardedAtMs)}: of it only the records remain, see \`orchestrate decisions ${tenantId}\``,
  );
}

const dayOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 10);
