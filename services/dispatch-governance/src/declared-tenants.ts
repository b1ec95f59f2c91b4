import { type PartitionContext, readFirst, type StoredMessage, untilAnswered } from '@orchestrate/messaging';

/** Since when a tenant's newest declaration stands, by the server's clock. */
export interface Declared {
  readonly tenantId: string;
  readonly storedAtMs: number;
}

/**
 * Whether a tenant was declared when a command for everybody was given: after a take-over commands are read again,
 * and who came later has nothing to do with them. Asks the server only of a tenant that declared itself since, and
 * until it answers: a command must not be lost because nobody could tell whom it is for.
 */
export async function wasDeclaredBefore(
  { broker, p, closed }: PartitionContext,
  { tenantId, storedAtMs }: Declared,
  command: Pick<StoredMessage, 'storedAtMs'>,
): Promise<boolean> {
  if (storedAtMs <= command.storedAtMs) return true;
  const ask = () => readFirst(broker, 'CONFIG', `config.${p}.${tenantId}.tenant`);
  const first = await untilAnswered(ask, closed);
  return first !== null && first.storedAtMs <= command.storedAtMs;
}
