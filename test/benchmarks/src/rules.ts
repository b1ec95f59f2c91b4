import { type DispatchBlocker, type DispatchDecision, RATIONALE_CODES } from '@orchestrate/canon';
import { POLICY } from './tenant.ts';

/** Words in which the ten rules are written once, to be translated for each engine. */
export type Condition =
  | { readonly any: readonly Condition[] }
  | { readonly all: readonly Condition[] }
  | { readonly fact: string; readonly in: readonly (string | number | boolean)[] }
  | { readonly fact: string; readonly notIn: readonly (string | number | boolean)[] }
  | { readonly fact: string; readonly atLeast: number };

/** What a gate may come to, hardest first; a gate of which none applies passes. */
export const RANKS = [
  'BLOCK',
  'HOLD_FOR_HUMAN_REVIEW',
  'HOLD_FOR_REPUTATION',
  'HOLD_FOR_REPLY_RISK',
  'HOLD_FOR_CONTEXT',
  'DEGRADE_AND_APPROVE',
] as const satisfies readonly DispatchDecision[];
export type Rank = (typeof RANKS)[number];

const any = (...conditions: Condition[]): Condition => ({ any: conditions });
const all = (...conditions: Condition[]): Condition => ({ all: conditions });
const is = (fact: string, ...values: (string | number | boolean)[]): Condition => ({ fact, in: values });
const isNot = (fact: string, ...values: (string | number | boolean)[]): Condition => ({
  fact,
  notIn: values,
});
const atLeast = (fact: string, value: number): Condition => ({ fact, atLeast: value });
const anyIs = (facts: readonly string[], ...values: string[]): Condition[] =>
  facts.map((fact) => is(fact, ...values));

const UNKNOWN = ['unknown', 'stale'];
const UNANSWERED = ['unanswered', 'stale'];
const WATCHED = ['watch', 'throttled'];
const AWAITED = ['reply_owed', 'commitment_due'];
const BILLING = ['subscription', 'paymentMethod', 'entitlement'];
const PROOFS = ['spf', 'dkim', 'dmarc', 'alignment'];
const MAILBOX = ['identityClass', 'token', 'canSend', 'canReadReplies', 'canSeeBounces'];
const SAMPLED = ['delivered', 'hardBounces'];
const CAMPAIGN = ['approval', 'lint', 'unresolvedVars', 'optOut', 'bindings'];
const { degradations, dispatch } = POLICY;
const needsReplies = any(atLeast('step', 2), is('conversation', ...AWAITED));

/** What another gate holds for at least as hard: an outcome of its own gate, but never the decision. */
const MOOT = new Set<Condition>();
function moot(condition: Condition): Condition {
  MOOT.add(condition);
  return condition;
}

/** The rules of the ten gates over flat facts, each complete by itself. Of one gate the hardest that applies counts. */
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
    HOLD_FOR_CONTEXT: any(...anyIs(BILLING, ...UNKNOWN)),
    DEGRADE_AND_APPROVE: any(...anyIs(BILLING, 'grace')),
  },
  identity_unauthenticated: {
    BLOCK: any(...anyIs(PROOFS, 'hard')),
    HOLD_FOR_REPUTATION: any(...anyIs(PROOFS, 'unknown', 'grace'), is('domainEnabled', false)),
    HOLD_FOR_CONTEXT: moot(any(...anyIs(PROOFS, 'stale'))),
    DEGRADE_AND_APPROVE: any(...anyIs(PROOFS, 'soft', 'grace_proven')),
  },
  mailbox_incapable: {
    BLOCK: any(...anyIs(MAILBOX, 'hard'), is('mailboxEnabled', false), is('mailboxHeld', true)),
    HOLD_FOR_REPUTATION: is('quotaFull', true),
    HOLD_FOR_CONTEXT: any(...anyIs(MAILBOX, ...UNKNOWN)),
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
    HOLD_FOR_CONTEXT: moot(is('band', 'stale')),
    DEGRADE_AND_APPROVE: any(is('band', 'sample', ...WATCHED), is('pacingRequalifying', true)),
  },
  reply_or_duplicate_risk: {
    BLOCK: is('duplicate', true),
    HOLD_FOR_HUMAN_REVIEW: is('unresolvedOutcome', true),
    HOLD_FOR_REPLY_RISK: any(
      isNot('conversation', 'none', ...AWAITED),
      all(needsReplies, isNot('canReadReplies', 'pass', 'stale')),
    ),
    HOLD_FOR_CONTEXT: moot(all(needsReplies, is('canReadReplies', 'stale'))),
  },
  context_insufficient: {
    HOLD_FOR_CONTEXT: any(
      ...anyIs([...CAMPAIGN, 'importState'], ...UNKNOWN, 'hard'),
      isNot('campaignState', 'active'),
      is('campaignUsable', false),
      is('campaignLater', true),
      is('dataUsable', false),
      is('dataLater', true),
      is('windowOpen', false),
      is('windowReason', ...UNKNOWN),
      is('clockWrong', true),
      all(is('providerUsable', false), is('templateApproved', false)),
      is('bound', false),
      isNot('prospect', ...RATIONALE_CODES.whyProspect.supports),
      all(isNot('conversation', ...AWAITED), is('due', false)),
      is('mailboxChoice', 'arbitrary'),
      isNot('cta', ...RATIONALE_CODES.whyCta.supports),
      all(is('cta', 'breakup'), is('step', 1)),
      isNot('tone', ...RATIONALE_CODES.whyTone.supports),
      ...anyIs(['sector', 'capToday', ...SAMPLED], ...UNKNOWN),
      moot(
        any(
          ...anyIs([...BILLING, ...PROOFS, ...MAILBOX, 'band', 'mode'], ...UNKNOWN),
          ...anyIs(['freeze', 'lawfulBasis', 'jurisdiction'], ...UNANSWERED),
        ),
      ),
      all(is('budget', 'spent'), any(...anyIs(['capToday', 'band', ...SAMPLED], 'sample'))),
      all(
        isNot('conversation', ...AWAITED),
        any(isNot('lawfulBasis', 'consent'), isNot('prospect', 'inbound_interest')),
        any(is('band', ...WATCHED, 'quarantined', 'blocked'), atLeast('touches', dispatch.touchesMax)),
      ),
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

/** A condition that this very message cannot meet holds it at gate 7, if nothing but conditions stands in its way. */
export const UNMET: Condition = any(
  all(is('band', 'sample'), atLeast('usedToday', degradations.reputation_sample_unknown_budgeted.maxToday!)),
  all(
    is('pacingRequalifying', true),
    isNot('band', 'sample'),
    any(atLeast('usedToday', degradations.reputation_probation.maxToday!), is('recipientVerified', false)),
  ),
  all(is('recipientVerified', false), any(is('band', ...WATCHED), ...anyIs(PROOFS, 'grace_proven'))),
);

/** Of the decision alone, hardest first, without what can change none. A degraded release is last, after what undoes it. */
export function rulesInOrder(): readonly (readonly [name: Rank | 'UNMET', rule: Condition])[] {
  const rules = RANKS.map((rank): [Rank | 'UNMET', Condition] => [rank, any(...rulesOf(rank))]);
  return rules.toSpliced(-1, 0, ['UNMET', UNMET]);
}

function rulesOf(rank: Rank): readonly Condition[] {
  return Object.values(RULES).flatMap((gate) => {
    const rule = gate[rank];
    if (!rule || MOOT.has(rule)) return [];
    return 'any' in rule ? any(...rule.any.filter((one) => !MOOT.has(one))) : rule;
  });
}
