/** Ids travel as single subject tokens: no dots, stars, spaces or capitals can reach a subject. */
export const ID_PATTERN = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/** The number of partitions is part of the stored subjects and never changes. */
export const PARTITIONS = 64;

/**
 * The partition of a tenant, 0 to 63: FNV-1a (32 bit) of the tenant token modulo 64, the same value that
 * nats-server computes for `partition(64,n)` in a subject transform.
 */
export function partitionOf(tenantId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < tenantId.length; index++) {
    hash ^= tenantId.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return hash % PARTITIONS;
}
