import { randomUUID } from 'node:crypto';
import { holdSaved, ledgerSaved, type Touch, touchesSaved, VERSION } from '@orchestrate/contracts';
import { encode, type PartitionContext } from '@orchestrate/messaging';
import { bucketOf, type TenantLedger } from './tenant-ledger.ts';

/**
 * Saves what changed since the last saving, so that a take-over reads a little of the chain instead of all of it.
 * Gives the second half, which saves the state as it is now: to be called once the first half is durable.
 */
export function saveTouchesAndHolds({ p, publisher }: PartitionContext, ledger: TenantLedger): () => void {
  const { tenantId, dirty } = ledger;
  const head = () => ({ v: VERSION, id: randomUUID(), tenantId, causedBy: null });
  // Of a tenant that left everything is in its state: its other subjects are purged and must not come back.
  if (ledger.isForgotten) {
    dirty.buckets.clear();
    dirty.holds.clear();
  }
  for (const bucket of dirty.buckets) {
    publisher.set(touchesSaved.subject({ p, tenantId, bucket }), () => {
      const touches: Record<string, Touch> = {};
      for (const [key, touch] of ledger.touches) if (bucketOf(key) === bucket) touches[key] = touch;
      return encode(touchesSaved, { ...head(), chainSeq: ledger.chain.chainSeq, touches });
    });
  }
  dirty.buckets.clear();
  for (const dispatchId of dirty.holds) {
    publisher.set(holdSaved.subject({ p, tenantId, dispatchId }), () =>
      encode(holdSaved, { ...head(), hold: ledger.holds.get(dispatchId) ?? null }),
    );
  }
  dirty.holds.clear();
  if (!dirty.state) return () => {};
  dirty.state = false;
  const state = encode(ledgerSaved, {
    ...head(),
    ...ledger.chain,
    mailboxes: Object.fromEntries(ledger.mailboxes),
    domains: Object.fromEntries(ledger.domains),
    approvals: Object.fromEntries(ledger.approvals),
    freezes: [...ledger.freezes].sort(),
    offboarded: ledger.isOffboarded,
    awaited: ledger.isForgotten ? Object.fromEntries(ledger.touches) : null,
  });
  return () => publisher.set(ledgerSaved.subject({ p, tenantId }), () => state);
}
