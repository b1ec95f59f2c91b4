import { randomUUID } from 'node:crypto';
import { holdSaved, ledgerSaved, type Touch, touchesSaved, VERSION } from '@orchestrate/contracts';
import { encode, type Head, type PartitionContext, type Produce } from '@orchestrate/messaging';
import type { TenantLedger } from './tenant-ledger.ts';

/** Beside a saved state: the tenant left and nothing is kept of it that it must be forgotten for. */
export const LEFT = { name: 'Orchestrate-Ledger', value: 'left' } as const;

/**
 * Saves what changed since the last saving, so that a take-over reads a little of the chain instead of all of it.
 * Gives the second half, which saves the state as it is now: to be called once the first half is durable.
 */
export function saveTouchesAndHolds(
  { p, publisher }: PartitionContext,
  ledger: TenantLedger,
  headOf: (subject: string) => Head,
): () => void {
  const { tenantId, dirty } = ledger;
  const head = () => ({ v: VERSION, id: randomUUID(), tenantId, causedBy: null });
  const set = (subject: string, produce: Produce) => publisher.set(subject, produce, headOf(subject));
  // Of a tenant that left everything is in its state: its other subjects are purged and must not come back.
  if (ledger.isForgotten) {
    dirty.buckets.clear();
    dirty.holds.clear();
  }
  const { chainSeq } = ledger.chain;
  for (const [bucket, touches] of touchesIn(ledger, dirty.buckets)) {
    const data = encode(touchesSaved, { ...head(), chainSeq, touches });
    set(touchesSaved.subject({ p, tenantId, bucket }), () => data);
  }
  dirty.buckets.clear();
  for (const dispatchId of dirty.holds) {
    set(holdSaved.subject({ p, tenantId, dispatchId }), () =>
      encode(holdSaved, { ...head(), hold: ledger.holds.get(dispatchId) ?? null }),
    );
  }
  dirty.holds.clear();
  if (!dirty.state) return () => {};
  dirty.state = false;
  const data = encode(ledgerSaved, {
    ...head(),
    ...ledger.chain,
    mailboxes: Object.fromEntries(ledger.mailboxes),
    domains: Object.fromEntries(ledger.domains),
    approvals: Object.fromEntries(ledger.approvals),
    freezes: [...ledger.freezes].sort(),
    offboarded: ledger.isOffboarded,
    awaited: ledger.isForgotten ? Object.fromEntries(ledger.touches) : null,
  });
  const state = ledger.isForgotten ? { data, headers: { [LEFT.name]: LEFT.value } } : data;
  return () => set(ledgerSaved.subject({ p, tenantId }), () => state);
}

/** The touches of these buckets, in one walk over all of them. */
function touchesIn(ledger: TenantLedger, buckets: ReadonlySet<string>): Map<string, Record<string, Touch>> {
  const byBucket = new Map([...buckets].map((bucket) => [bucket, {} as Record<string, Touch>]));
  if (buckets.size === 0) return byBucket;
  for (const [key, touch] of ledger.touches) {
    const touches = byBucket.get(ledger.bucketOf(key));
    if (touches) touches[key] = touch;
  }
  return byBucket;
}
