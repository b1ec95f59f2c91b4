import type { DispatchBlocker, DispatchDecision } from '@orchestrate/canon';
import { RATIONALE_CODES } from '@orchestrate/canon';
import { POLICY } from './tenant.ts';

/** Words in which the ten rules are written once, to be translated for each engine. */
export type Condition =
  | { readonly any: readonly Condition[] }
  | { readonly all: readonly Condition[] }
  | { readonly fact: string; readonly in: readonly (string | boolean)[] }
  | { readonly fact: string; readonly notIn: readonly (string | boolean)[] }
  | { readonly fact: string; readonly atLeast: number };

/** What comes of it, hardest first. An unmet constraint holds, but only what else would have gone out degraded. */
export const RANKS = [
  'BLOCK',
  'HOLD_FOR_HUMAN_REVIEW',
  'HOLD_FOR_REPUTATION',
  'HOLD_FOR_REPLY_RISK',
  'HOLD_FOR_CONTEXT',
  'UNMET_CONSTRAINT',
  'DEGRADE_AND_APPROVE',
] as const;
export type Rank = (typeof RANKS)[number];

export const decisionOf = (rank: Rank | undefined): DispatchDecision =>
  rank === undefined ? 'APPROVE' : rank === 'UNMET_CONSTRAINT' ? 'HOLD_FOR_REPUTATION' : rank;

const any = (...conditions: Condition[]): Condition => ({ any: conditions });
const all = (...conditions: Condition[]): Condition => ({ all: conditions });
const is = (fact: string, ...values: (string | boolean)[]): Condition => ({ fact, in: values });
const isNot = (fact: string, ...values: (string | boolean)[]): Condition => ({ fact, notIn: values });
const atLeast = (fact: string, value: number): Condition => ({ fact, atLeast: value });
const anyIs = (facts: readonly string[], ...values: string[]): Condition[] =>
  facts.map((fact) => is(fact, ...values));

const BILLING = ['subscription', 'paymentMethod', 'entitlement'];
const PROOFS = ['spf', 'dkim', 'dmarc', 'alignment'];
const MAILBOX = ['identityClass', 'token', 'canSend', 'canReadReplies', 'canSeeBounces'];
const CAMPAIGN = ['approval', 'lint', 'unresolvedVars', 'optOut', 'bindings'];
const WATCHED = ['watch', 'throttled'];
const { degradations, dispatch } = POLICY;

/**
 * The rules of the ten gates over flat facts, as short as they can be while they still decide the same: what one gate
 * refuses anyway is not asked again by another of the same decision.
 */
export const RULES: Readonly<Record<DispatchBlocker, Partial<Record<Rank, Condition>>>> = {
  operator_freeze: {
    BLOCK: any(
      is('frozenOnRecord', true),
      is('freeze', 'true'),
      all(is('frozenWithAll', true), is('freeze', 'false')),
    ),
    HOLD_FOR_HUMAN_REVIEW: is('freeze', 'unanswered'),
    HOLD_FOR_CONTEXT: is('freeze', 'stale'),
  },
  recipient_suppressed: {
    BLOCK: is('suppression', 'suppressed'),
    HOLD_FOR_CONTEXT: any(is('suppression', 'unknown'), is('suppressionSync', 'unknown')),
  },
  lawful_basis_absent: {
    BLOCK: is('lawfulBasis', 'none'),
    HOLD_FOR_HUMAN_REVIEW: any(
      is('lawfulBasis', 'unknown', 'unanswered'),
      is('jurisdiction', 'undeclared', 'unanswered'),
    ),
    HOLD_FOR_CONTEXT: any(...anyIs(['lawfulBasis', 'jurisdiction'], 'stale')),
  },
  not_entitled: {
    BLOCK: any(...anyIs(BILLING, 'hard')),
    HOLD_FOR_CONTEXT: any(...anyIs(BILLING, 'unknown')),
    DEGRADE_AND_APPROVE: any(...anyIs(BILLING, 'grace')),
  },
  identity_unauthenticated: {
    BLOCK: any(...anyIs(PROOFS, 'hard')),
    HOLD_FOR_REPUTATION: any(...anyIs(PROOFS, 'unknown', 'grace'), is('domainEnabled', false)),
    DEGRADE_AND_APPROVE: any(...anyIs(PROOFS, 'soft', 'grace_proven')),
  },
  mailbox_incapable: {
    BLOCK: any(...anyIs(MAILBOX, 'hard'), is('mailboxEnabled', false), is('mailboxHeld', true)),
    HOLD_FOR_REPUTATION: is('mailboxLimited', true),
    HOLD_FOR_CONTEXT: any(...anyIs(MAILBOX, 'unknown')),
    DEGRADE_AND_APPROVE: any(...anyIs(MAILBOX, 'soft'), is('mailboxRequalifying', true)),
  },
  reputation_unsafe: {
    BLOCK: any(is('band', 'blocked'), is('pacingHeld', true)),
    HOLD_FOR_REPUTATION: any(
      is('band', 'quarantined', 'unknown'),
      all(is('band', 'sample'), is('budget', 'spent')),
      is('pacingCooling', true),
      is('capReached', true),
      isNot('slot', 'free'),
    ),
    UNMET_CONSTRAINT: any(
      all(
        is('band', 'sample'),
        atLeast('usedToday', degradations.reputation_sample_unknown_budgeted.maxToday!),
      ),
      all(
        is('pacingRequalifying', true),
        isNot('band', 'sample'),
        any(
          atLeast('usedToday', degradations.reputation_probation.maxToday!),
          is('recipientVerified', false),
        ),
      ),
      all(is('recipientVerified', false), any(...anyIs(PROOFS, 'grace_proven'))),
    ),
    DEGRADE_AND_APPROVE: any(is('band', 'sample'), is('pacingRequalifying', true)),
  },
  reply_or_duplicate_risk: {
    BLOCK: is('duplicate', true),
    HOLD_FOR_HUMAN_REVIEW: is('unresolvedOutcome', true),
    HOLD_FOR_REPLY_RISK: any(
      isNot('conversation', 'none'),
      all(atLeast('step', 2), isNot('canReadReplies', 'pass')),
    ),
  },
  context_insufficient: {
    HOLD_FOR_CONTEXT: any(
      ...anyIs([...CAMPAIGN, 'importState'], 'unknown', 'hard'),
      isNot('campaignState', 'active'),
      is('campaignUsable', false),
      is('campaignLater', true),
      is('dataUsable', false),
      is('dataLater', true),
      is('windowOpen', false),
      is('windowReason', 'unknown'),
      is('clockWrong', true),
      all(is('providerUsable', false), is('templateApproved', false)),
      is('bound', false),
      isNot('prospect', ...RATIONALE_CODES.whyProspect.supports),
      is('due', false),
      is('mailboxChoice', 'arbitrary'),
      isNot('cta', ...RATIONALE_CODES.whyCta.supports),
      isNot('tone', ...RATIONALE_CODES.whyTone.supports),
      ...anyIs(['sector', 'capToday', 'delivered', 'hardBounces'], 'unknown'),
      is('band', ...WATCHED),
      atLeast('touches', dispatch.touchesMax),
    ),
    DEGRADE_AND_APPROVE: all(is('providerUsable', false), is('templateApproved', true)),
  },
  human_authority_required: {
    HOLD_FOR_HUMAN_REVIEW: any(
      is('mode', 'unknown', 'draft_only'),
      all(is('layerHeld', true), isNot('mode', 'stale')),
      all(is('mode', 'approval_required'), is('approved', false)),
    ),
    HOLD_FOR_CONTEXT: is('mode', 'stale'),
  },
};

/** The rules that lead to one decision, in the order of their gates. */
export function rulesOf(rank: Rank): readonly Condition[] {
  return Object.values(RULES).flatMap((gate) => gate[rank] ?? []);
}
