import { BOOK_MISMATCHES, type Books } from '@orchestrate/client';
import { describe, expect, it } from 'vitest';
import { bookProblems } from './check.ts';
import type { Expectation } from './workspace.ts';

const EXPECTED: Expectation = {
  maySend: true,
  mustContain: ['APPROVE'],
  mustNotContain: ['HOLD_FOR_HUMAN_REVIEW'],
  mode: 'autonomous',
  layers: {},
};

const GOOD: Books = {
  tenantId: 'acme',
  requests: 10,
  records: 18,
  decisions: {
    APPROVE: 8,
    DEGRADE_AND_APPROVE: 0,
    HOLD_FOR_CONTEXT: 0,
    HOLD_FOR_REPUTATION: 0,
    HOLD_FOR_REPLY_RISK: 0,
    HOLD_FOR_HUMAN_REVIEW: 0,
    BLOCK: 2,
  },
  effectiveDecisions: 10,
  released: 8,
  sent: 8,
  notSent: 0,
  unknown: 0,
  open: 0,
  mismatches: Object.fromEntries(BOOK_MISMATCHES.map((name) => [name, 0])) as Books['mismatches'],
  mismatchTotal: 0,
};

describe("the demo's own books", () => {
  it('finds nothing wrong in books that balance', () => {
    expect(bookProblems(EXPECTED, GOOD, 8, false)).toEqual([]);
  });

  it.each([
    ['a request without its decision', { effectiveDecisions: 9 }, 8],
    ['a release that nobody accounts for', { sent: 7, open: 1 }, 7],
    ['a mail more than was reported sent', {}, 9],
    ['a mail less than was reported sent', {}, 7],
    ['an unknown outcome although nothing was killed', { sent: 7, unknown: 1 }, 7],
    ['a decision that must not be', { decisions: { ...GOOD.decisions, HOLD_FOR_HUMAN_REVIEW: 1 } }, 8],
    ['a decision that is missing', { decisions: { ...GOOD.decisions, APPROVE: 0 } }, 8],
    ['nothing asked for at all', { requests: 0, effectiveDecisions: 0, released: 0, sent: 0 }, 0],
    ['a broken chain', { mismatches: { ...GOOD.mismatches, chain_broken: 1 } }, 8],
  ] as const)('finds %s', (_what, change, mails) => {
    expect(bookProblems(EXPECTED, { ...GOOD, ...change }, mails, false)).not.toEqual([]);
  });

  it('finds a mail of a tenant that must not send', () => {
    const [problem] = bookProblems({ ...EXPECTED, maySend: false }, GOOD, 8, false);
    expect(problem).toContain('must not send');
  });

  it('takes an unknown outcome after a kill, but no mail beyond the unknown ones', () => {
    const books = { ...GOOD, sent: 6, unknown: 2 };
    expect(bookProblems(EXPECTED, books, 7, true)).toEqual([]);
    expect(bookProblems(EXPECTED, books, 9, true)).not.toEqual([]);
    expect(bookProblems(EXPECTED, books, 5, true)).not.toEqual([]);
  });
});
