import type { Constraints } from './policy.ts';

type Merge<T> = (a: T, b: T) => T;
const least: Merge<number> = Math.min;
const greatest: Merge<number> = Math.max;
const allowedOnlyByBoth: Merge<boolean> = (a, b) => a && b;
const byName = (a: string, b: string): number => (a < b ? -1 : 1);
const demandedByEither: Merge<boolean> = (a, b) => a || b;

/** How two values of each field become the stricter one; commutative, so that the order of gates never matters. */
const MERGE: { readonly [K in keyof Constraints]-?: Merge<NonNullable<Constraints[K]>> } = {
  maxToday: least,
  maxPerHour: least,
  minGapSec: greatest,
  canary: (a, b) => ({
    size: Math.min(a.size, b.size),
    holdSec: Math.max(a.holdSec, b.holdSec),
    stopUnsub: Math.min(a.stopUnsub, b.stopUnsub),
    stopComplaint: Math.min(a.stopComplaint, b.stopComplaint),
  }),
  recipientProvidersAllow: (a, b) => [...new Set(a)].filter((provider) => b.includes(provider)).sort(byName),
  verifiedRecipientsOnly: demandedByEither,
  newProspects: allowedOnlyByBoth,
  plainTextOnly: demandedByEither,
  openTracking: allowedOnlyByBoth,
  clickTracking: allowedOnlyByBoth,
  maxLinks: least,
  attachments: allowedOnlyByBoth,
  aiGeneration: (a, b) => (a === 'off' || b === 'off' ? 'off' : 'approved_template_only'),
  requireOneClick: demandedByEither,
  sendDelaySec: greatest,
  budgetIds: (a, b) => [...new Set([...a, ...b])].sort(byName),
  expiresAtMs: least,
};

/** The most restrictive of all, field by field; an unset field means unlimited. */
export function mergeConstraints(all: readonly Constraints[]): Constraints {
  const merged: Record<string, unknown> = {};
  for (const constraints of all) {
    for (const [field, value] of Object.entries(constraints)) {
      if (value === undefined) continue;
      const merge = MERGE[field as keyof Constraints] as Merge<unknown>;
      // Merged with itself a value takes its normal form, so that a set reads the same however often it was named.
      merged[field] = merge(field in merged ? merged[field] : value, value);
    }
  }
  return merged as Constraints;
}

/** Whether constraints leave nothing that may be sent at all at this time. */
export function permitsNothing(constraints: Constraints, nowMs: number): boolean {
  return (
    constraints.maxToday === 0 ||
    constraints.recipientProvidersAllow?.length === 0 ||
    (constraints.expiresAtMs !== undefined && constraints.expiresAtMs <= nowMs)
  );
}
