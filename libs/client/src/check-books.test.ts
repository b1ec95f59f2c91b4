import { digestOfBytes } from '@orchestrate/canon';
import { type ChainRecord, GENESIS_HASH } from '@orchestrate/contracts';
import { expect, test } from 'vitest';
import { type BooksInput, checkBooks, type StoredRecord } from './check-books.ts';
import { effectiveDecisions } from './read-side.ts';

const LATER_MS = 2_000;

/** A whole chain of `[kind, dispatchId]`, at the sequences 10, 20, 30 ... */
function chainOf(...records: readonly (readonly [kind: string, dispatchId: string])[]): StoredRecord[] {
  const chain: StoredRecord[] = [];
  for (const [index, [kind, dispatchId]] of records.entries()) {
    const before = chain.at(-1);
    const record = {
      kind,
      dispatchId,
      ordinal: index + 1,
      prevSeq: before?.seq ?? 0,
      prevHash: before?.digest ?? GENESIS_HASH,
      validUntilMs: 1_000,
    } as unknown as ChainRecord;
    chain.push({ seq: (index + 1) * 10, digest: digestOfBytes(JSON.stringify(record)), record });
  }
  return chain;
}

function check(input: Partial<BooksInput>) {
  return checkBooks({
    tenantId: 'acme',
    requests: new Set(),
    chain: [],
    outcomes: new Map(),
    asOfMs: LATER_MS,
    ...input,
  });
}

const found = (input: Partial<BooksInput>) =>
  Object.fromEntries(Object.entries(check(input).mismatches).filter(([, count]) => count > 0));

test('books that fit have no mismatch and count each dispatch once', () => {
  const books = check({
    requests: new Set(['a', 'b', 'c', 'd']),
    chain: chainOf(
      ['APPROVE', 'a'],
      ['HOLD_FOR_CONTEXT', 'b'],
      ['OUTCOME', 'a'],
      ['BLOCK', 'c'],
      ['APPROVE', 'd'],
      ['DEGRADE_AND_APPROVE', 'b'],
    ),
    outcomes: new Map([
      ['a', { state: 'sent' }],
      ['b', { state: 'not_sent' }],
      ['d', { state: 'unknown' }],
    ]),
  });
  expect(books).toMatchObject({
    requests: 4,
    records: 6,
    effectiveDecisions: 4,
    released: 3,
    sent: 1,
    notSent: 1,
    unknown: 1,
    open: 0,
    mismatchTotal: 0,
  });
  expect(books.decisions).toMatchObject({
    APPROVE: 2,
    DEGRADE_AND_APPROVE: 1,
    BLOCK: 1,
    HOLD_FOR_CONTEXT: 0,
  });
});

test('the last decision on a dispatch is the one in effect', () => {
  const effective = effectiveDecisions(chainOf(['HOLD_FOR_CONTEXT', 'a'], ['OUTCOME', 'x'], ['BLOCK', 'a']));
  expect([...effective].map(([id, { kind }]) => [id, kind])).toEqual([['a', 'BLOCK']]);
});

test('a request that nobody answered and a decision that nobody asked for are found', () => {
  expect(found({ requests: new Set(['a']), chain: chainOf(['BLOCK', 'b']) })).toEqual({
    request_without_decision: 1,
    decision_without_request: 1,
  });
});

test('a second release of the same dispatch is found', () => {
  const outcomes = new Map([['a', { state: 'sent' as const }]]);
  const chain = chainOf(['APPROVE', 'a'], ['DEGRADE_AND_APPROVE', 'a']);
  expect(found({ requests: new Set(['a']), chain, outcomes })).toEqual({ two_dispatching_decisions: 1 });
});

test('a release may be open while it is valid, claimed or not, and no longer', () => {
  const input = {
    requests: new Set(['a', 'b']),
    chain: chainOf(['APPROVE', 'a'], ['APPROVE', 'b']),
    outcomes: new Map([['b', { state: 'claimed' as const }]]),
  };
  expect(check({ ...input, asOfMs: 500 })).toMatchObject({ open: 2, mismatchTotal: 0 });
  expect(check({ ...input, asOfMs: 1_500 }).mismatches.release_without_settled_outcome).toBe(2);
});

test('an outcome of something that was held is found', () => {
  const outcomes = new Map([
    ['a', { state: 'sent' as const }],
    ['b', { state: 'sent' as const }],
  ]);
  expect(found({ requests: new Set(['a']), chain: chainOf(['HOLD_FOR_CONTEXT', 'a']), outcomes })).toEqual({
    outcome_without_release: 2,
  });
});

test.each<[string, (chain: StoredRecord[]) => StoredRecord[]]>([
  ['a record that is gone', (chain) => chain.toSpliced(1, 1)],
  ['a record whose bytes were changed', (chain) => chain.with(1, { ...chain[1]!, digest: GENESIS_HASH })],
  ['a record that was moved', (chain) => chain.with(1, { ...chain[1]!, seq: 21 })],
  [
    'a first record that names a predecessor',
    (chain) => chain.with(0, { ...chain[0]!, record: { ...chain[0]!.record, prevSeq: 5 } }),
  ],
])('%s breaks the chain [A13]', (_, damage) => {
  const chain = chainOf(['BLOCK', 'a'], ['BLOCK', 'b'], ['BLOCK', 'c']);
  const requests = new Set(['a', 'b', 'c']);
  expect(check({ requests, chain }).mismatches.chain_broken).toBe(0);
  expect(check({ requests, chain: damage(chain) }).mismatches.chain_broken).toBe(1);
});

test('records that left the stream by age do not break the chain of the rest [A13]', () => {
  const chain = chainOf(['BLOCK', 'a'], ['BLOCK', 'b'], ['BLOCK', 'c']).slice(1);
  expect(check({ chain }).mismatches.chain_broken).toBe(0);
});
