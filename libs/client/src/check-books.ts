import { DISPATCH_DECISIONS, type DispatchDecision, dispatches } from '@orchestrate/canon';
import {
  type ChainRecord,
  type DecisionRecorded,
  GENESIS_HASH,
  type OutcomeReported,
} from '@orchestrate/contracts';

/** A record of a tenant's chain where it stands, with the digest of its very bytes. */
export interface StoredRecord {
  readonly seq: number;
  readonly digest: string;
  readonly record: ChainRecord;
}

export const BOOK_MISMATCHES = [
  'request_without_decision',
  'decision_without_request',
  'two_dispatching_decisions',
  /** A release whose time is over and of which nobody knows what became. */
  'release_without_settled_outcome',
  'outcome_without_release',
  'chain_broken',
] as const;
export type BookMismatch = (typeof BOOK_MISMATCHES)[number];

/** What was asked of one tenant, what was decided and what became of it. */
export interface Books {
  readonly tenantId: string;
  readonly requests: number;
  /** Records in the chain, of every kind. */
  readonly records: number;
  /** Dispatches by the decision in effect. */
  readonly decisions: Readonly<Record<DispatchDecision, number>>;
  readonly effectiveDecisions: number;
  /** Dispatches that were released. */
  readonly released: number;
  readonly sent: number;
  readonly notSent: number;
  readonly unknown: number;
  /** Released, and not settled yet. */
  readonly open: number;
  readonly mismatches: Readonly<Record<BookMismatch, number>>;
  readonly mismatchTotal: number;
}

export interface BooksInput {
  readonly tenantId: string;
  readonly requests: ReadonlySet<string>;
  readonly chain: readonly StoredRecord[];
  readonly outcomes: ReadonlyMap<string, Pick<OutcomeReported, 'state'>>;
  /** A release that is still valid then may be open; later it may not. Infinity: none may be open. */
  readonly asOfMs: number;
}

export function isDecision(kind: string): kind is DispatchDecision {
  return (DISPATCH_DECISIONS as readonly string[]).includes(kind);
}

/** Whether requests, decisions and outcomes fit together, and whether the chain is whole. */
export function checkBooks({ tenantId, requests, chain, outcomes, asOfMs }: BooksInput): Books {
  const decisions = chain
    .map(({ record }) => record)
    .filter((record) => isDecision(record.kind)) as DecisionRecorded[];
  const byDispatch = Map.groupBy(decisions, ({ dispatchId }) => dispatchId);
  const releases = new Map(
    [...byDispatch].map(([id, records]) => [id, records.filter(({ kind }) => dispatches(kind))] as const),
  );
  const released = [...releases].flatMap(([id, [first]]) => (first ? [{ id, release: first }] : []));
  const stateOf = (id: string) => outcomes.get(id)?.state;
  const open = released.filter(({ id }) => stateOf(id) === undefined || stateOf(id) === 'claimed');
  const settledAs = (state: string) => released.filter(({ id }) => stateOf(id) === state).length;
  const mismatches: Record<BookMismatch, number> = {
    request_without_decision: count(requests, (id) => !byDispatch.has(id)),
    decision_without_request: count(byDispatch.keys(), (id) => !requests.has(id)),
    two_dispatching_decisions: count(releases.values(), (records) => records.length > 1),
    release_without_settled_outcome: count(open, ({ release }) => (release.validUntilMs ?? 0) < asOfMs),
    outcome_without_release: count(outcomes.keys(), (id) => (releases.get(id)?.length ?? 0) === 0),
    chain_broken: count(chain.keys(), (index) => !fits(chain[index]!, chain[index - 1])),
  };
  const effective = [...byDispatch.values()].map((records) => records.at(-1)!.kind);
  return {
    tenantId,
    requests: requests.size,
    records: chain.length,
    decisions: tally(effective),
    effectiveDecisions: byDispatch.size,
    released: released.length,
    sent: settledAs('sent'),
    notSent: settledAs('not_sent'),
    unknown: settledAs('unknown'),
    open: open.length,
    mismatches,
    mismatchTotal: Object.values(mismatches).reduce((sum, one) => sum + one, 0),
  };
}

/** The oldest record still there follows one that left the stream by age, unless it is the tenant's first. */
function fits({ record }: StoredRecord, before: StoredRecord | undefined): boolean {
  if (before) {
    return (
      record.ordinal === before.record.ordinal + 1 &&
      record.prevSeq === before.seq &&
      record.prevHash === before.digest
    );
  }
  return record.ordinal > 1 || (record.prevSeq === 0 && record.prevHash === GENESIS_HASH);
}

function tally(kinds: readonly DispatchDecision[]): Record<DispatchDecision, number> {
  const all = DISPATCH_DECISIONS.map((kind) => [kind, count(kinds, (one) => one === kind)]);
  return Object.fromEntries(all) as Record<DispatchDecision, number>;
}

function count<T>(items: Iterable<T>, isSo: (item: T) => boolean): number {
  let found = 0;
  for (const item of items) if (isSo(item)) found++;
  return found;
}
