import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Causes } from '../condition.ts';
import {
  type CaseChange,
  type ConditionChange,
  caseWith,
  lost,
  NOW_MS,
} from '../dispatch-case.test-support.ts';
import { type CanonicalBlockerLayer, DISPATCH_BLOCKERS, type DispatchBlocker } from '../words.ts';
import { GATES } from './index.ts';

/** What a gate answers, in full: its outcome, and on which facts it rests, with verdict, reason and owner. */
function saidBy(blocker: DispatchBlocker, change: CaseChange): string {
  const { outcome, because } = GATES[DISPATCH_BLOCKERS.indexOf(blocker)]!.ask(caseWith(change));
  const facts = because.map(
    ({ layer, source, fact, verdict, reason, owner }) =>
      `\n  ${layer}/${source} ${fact} ${verdict} ${reason} ${owner}`,
  );
  return outcome + facts.join('');
}

const on = (layer: CanonicalBlockerLayer, change: ConditionChange): CaseChange => ({
  layers: { [layer]: change },
});
const causes = (layer: CanonicalBlockerLayer, some: Partial<Causes>): CaseChange =>
  on(layer, { causes: some });
const held = { holds: { review: { sinceMs: 0 } } };
const cooling = { cooldowns: { overloaded: { untilMs: NOW_MS + 1, ordinal: 1 } } };
const requalifying = { requalifications: { x: { ordinal: 1, from: null, count: 0 } } };
const grace = { graces: { spf: { untilMs: NOW_MS + 1, spent: false } } };
const CASES: readonly (readonly [DispatchBlocker, string, CaseChange])[] = [
  ...DISPATCH_BLOCKERS.map((blocker) => [blocker, 'all is well', {}] as const),
  ...DISPATCH_BLOCKERS.map((blocker) => [blocker, 'the truth is stale', { fresh: false }] as const),
  [
    'operator_freeze',
    'everything is frozen',
    causes('governance', { holds: { freeze_all: { sinceMs: 0 } } }),
  ],
  [
    'operator_freeze',
    'frozen twice',
    on('governance', { facts: { freeze: true }, causes: { holds: { freeze_all: { sinceMs: 0 } } } }),
  ],
  ['operator_freeze', 'a freeze on record', { freezes: ['freeze'] }],
  [
    'operator_freeze',
    'nobody sees the freeze',
    on('governance', { facts: { freeze: lost('handler_fault') } }),
  ],
  ['recipient_suppressed', 'suppressed', { recipient: { suppression: 'suppressed' } }],
  ['recipient_suppressed', 'nobody knows', { recipient: { suppression: 'unknown' } }],
  ['recipient_suppressed', 'an old list', on('data', { facts: { suppressionSyncAgeSec: 301 } })],
  [
    'recipient_suppressed',
    'a list that nobody told of',
    on('data', { facts: { suppressionSyncAgeSec: null } }),
  ],
  ['lawful_basis_absent', 'no basis', on('governance', { facts: { lawfulBasis: 'none' } })],
  ['lawful_basis_absent', 'an unknown basis', on('governance', { facts: { lawfulBasis: 'unknown' } })],
  ['lawful_basis_absent', 'no jurisdiction', on('governance', { facts: { jurisdiction: 'undeclared' } })],
  [
    'lawful_basis_absent',
    'both expired',
    on('governance', {
      facts: { jurisdiction: { expiresAtMs: NOW_MS }, lawfulBasis: { expiresAtMs: NOW_MS } },
    }),
  ],
  ['not_entitled', 'nothing left', on('billing', { facts: { entitlementRemaining: 0 } })],
  [
    'not_entitled',
    'past due in its grace',
    on('billing', {
      facts: { subscriptionStatus: 'past_due' },
      causes: { graces: { subscriptionStatus: { untilMs: NOW_MS + 1, spent: false } } },
    }),
  ],
  [
    'not_entitled',
    'nobody knows the payment method',
    on('billing', { facts: { paymentMethod: lost('no_answer') } }),
  ],
  ['identity_unauthenticated', 'no record', on('sending_domain', { facts: { spf: 'none' } })],
  ['identity_unauthenticated', 'a weak key', on('sending_domain', { facts: { dkim: 'weak' } })],
  [
    'identity_unauthenticated',
    'no record, in its grace, and no later proof',
    on('sending_domain', { facts: { spf: 'none' }, causes: grace }),
  ],
  [
    'identity_unauthenticated',
    'no record, in its grace, and a later proof',
    on('sending_domain', { facts: { spf: 'none', alignment: { observedAtMs: NOW_MS } }, causes: grace }),
  ],
  [
    'identity_unauthenticated',
    'no DMARC and no alignment',
    on('sending_domain', { facts: { dmarc: 'none', alignment: 'misaligned' } }),
  ],
  ['identity_unauthenticated', 'a domain switched off', on('sending_domain', { enabled: false })],
  [
    'mailbox_incapable',
    'blind and unable to read',
    on('mailbox', { facts: { canSeeBounces: false, canReadReplies: false } }),
  ],
  ['mailbox_incapable', 'it may not send', on('mailbox', { facts: { canSend: false } })],
  ['mailbox_incapable', 'switched off', on('mailbox', { enabled: false })],
  ['mailbox_incapable', 'held', causes('mailbox', held)],
  ['mailbox_incapable', 'a full quota', causes('mailbox', { closures: { quota_full: { untilMs: null } } })],
  [
    'mailbox_incapable',
    'closed for another reason',
    causes('mailbox', { closures: { holiday: { untilMs: null } } }),
  ],
  ['mailbox_incapable', 'cooling down', causes('mailbox', cooling)],
  ['mailbox_incapable', 'requalifying', causes('mailbox', requalifying)],
  ['mailbox_incapable', 'another mailbox', on('mailbox', { source: 'ben' })],
  ['reputation_unsafe', 'held', causes('pacing', held)],
  ['reputation_unsafe', 'cooling down', causes('pacing', cooling)],
  ['reputation_unsafe', 'requalifying', causes('pacing', requalifying)],
  [
    'reputation_unsafe',
    'the cap is reached',
    causes('pacing', { closures: { cap_reached: { untilMs: null } } }),
  ],
  [
    'reputation_unsafe',
    'closed for another reason',
    causes('pacing', { closures: { holiday: { untilMs: null } } }),
  ],
  ['reputation_unsafe', 'no slot', { reservation: { slot: 'cap_reached' } }],
  ['reputation_unsafe', 'too soon', { reservation: { slot: 'gap' } }],
  [
    'reputation_unsafe',
    'a small sample, no budget',
    { ...on('pacing', { facts: { band: lost('unobservable') } }), reservation: { budget: 'spent' } },
  ],
  ['reputation_unsafe', 'a small sample', on('pacing', { facts: { band: lost('unobservable') } })],
  [
    'reply_or_duplicate_risk',
    'all at once',
    { action: { step: 2 }, recipient: { conversation: 'replied', duplicate: true, unresolvedOutcome: true } },
  ],
  ['reply_or_duplicate_risk', 'unresolved', { recipient: { unresolvedOutcome: true } }],
  ['reply_or_duplicate_risk', 'away', { recipient: { conversation: 'out_of_office' } }],
  ['reply_or_duplicate_risk', 'nobody knows', { recipient: { conversation: 'unknown' } }],
  [
    'reply_or_duplicate_risk',
    'a second step, blind',
    { action: { step: 2 }, ...on('mailbox', { facts: { canReadReplies: false } }) },
  ],
  ['context_insufficient', 'not bound', { action: { bound: false } }],
  ['context_insufficient', 'campaign held', causes('campaign', held)],
  ['context_insufficient', 'campaign switched off', on('campaign', { enabled: false })],
  ['context_insufficient', 'import switched off', on('data', { enabled: false })],
  ['context_insufficient', 'campaign cooling down', causes('campaign', cooling)],
  ['context_insufficient', 'import closed', causes('data', { closures: { queue_empty: { untilMs: null } } })],
  ['context_insufficient', 'a draft', on('campaign', { facts: { campaignState: 'draft' } })],
  ['context_insufficient', 'nobody knows the lint', on('campaign', { facts: { lint: lost('no_answer') } })],
  ['context_insufficient', 'window closed', on('continuity_window', { facts: { 'window.open': false } })],
  [
    'context_insufficient',
    'window unseen',
    on('continuity_window', { facts: { 'window.open': lost('heartbeat_lost') } }),
  ],
  [
    'context_insufficient',
    'no time zone',
    on('continuity_window', { facts: { windowReason: 'tz_unknown' } }),
  ],
  ['context_insufficient', 'a wrong clock', on('continuity_window', { facts: { clockSkewMs: 2001 } })],
  [
    'context_insufficient',
    'a clock that nobody looks at',
    on('continuity_window', { facts: { clockSkewMs: lost('no_answer') } }),
  ],
  ['context_insufficient', 'provider down', on('provider_health', { facts: { reachable: false } })],
  ['context_insufficient', 'provider slow', on('provider_health', { facts: { p95Ms: 30_000 } })],
  ['context_insufficient', 'provider refuses us', on('provider_health', { facts: { errorClass: 'auth' } })],
  ['context_insufficient', 'provider held', causes('provider_health', held)],
  ['context_insufficient', 'provider cooling down', causes('provider_health', cooling)],
  [
    'context_insufficient',
    'provider down and nothing approved',
    {
      layers: {
        provider_health: { facts: { reachable: false } },
        campaign: { facts: { approval: 'drifted' } },
      },
    },
  ],
  ['context_insufficient', 'no reason to write', { action: { prospect: 'none_found' } }],
  [
    'context_insufficient',
    'a stale truth and no reason to write',
    { fresh: false, action: { prospect: 'none_found' } },
  ],
  [
    'human_authority_required',
    'approval needed',
    on('governance', { facts: { requestedMode: 'approval_required' } }),
  ],
  ['human_authority_required', 'drafts only', on('governance', { facts: { requestedMode: 'draft_only' } })],
  ['human_authority_required', 'supervised', on('governance', { facts: { requestedMode: 'supervised' } })],
  [
    'human_authority_required',
    'nobody knows the mode',
    on('governance', { facts: { requestedMode: lost('no_answer') } }),
  ],
  [
    'human_authority_required',
    'four layers held',
    {
      layers: {
        billing: { causes: held },
        sending_domain: { causes: held },
        governance: { causes: held },
        continuity_window: { causes: held },
      },
    },
  ],
];

/** The answers to all cases, written down once more: a title, the outcome, and a line for each fact. */
const written = readFileSync(join(import.meta.dirname, 'reasons.proofs.txt'), 'utf8');
const said = new Map(
  written
    .trim()
    .split('\n\n')
    .map((entry) => {
      const [title, ...answer] = entry.split('\n');
      return [title!, answer.join('\n')] as const;
    }),
);

test.each(CASES.map(([blocker, title, change]) => [`${blocker}: ${title}`, blocker, change] as const))(
  '%s [G11]',
  (title, blocker, change) => {
    expect(saidBy(blocker, change)).toBe(said.get(title));
  },
);

test('nothing is written down that no case asks for [G11]', () => {
  expect([...said.keys()]).toEqual(CASES.map(([blocker, title]) => `${blocker}: ${title}`));
});
