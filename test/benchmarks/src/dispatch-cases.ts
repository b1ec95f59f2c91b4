import {
  type Approval,
  type DispatchAction,
  type DispatchCase,
  type RecipientStanding,
  type Reservation,
  TruthReading,
} from '@orchestrate/canon';
import { type Changes, conditionsWith, DAY_MS, NOW_MS, POLICY, truthOf } from './tenant.ts';

interface Variation {
  readonly layers?: Changes;
  readonly stale?: boolean;
  readonly action?: Partial<DispatchAction>;
  readonly recipient?: Partial<RecipientStanding>;
  readonly reservation?: Partial<Reservation>;
  readonly approval?: Approval;
  readonly freezes?: DispatchCase['freezes'];
}

const ACTION_DIGEST = 'a'.repeat(64);
const APPROVAL: Approval = {
  approvalId: 'approval-1',
  actionDigest: ACTION_DIGEST,
  expiresAtMs: NOW_MS + DAY_MS,
};
const FOLLOW_UP: Variation = {
  action: { step: 2 },
  recipient: { touches: 1, lastTouchAtMs: NOW_MS - 3 * DAY_MS, lastMailbox: 'anna' },
};
const NEW_MAILBOX: Changes = { 'pacing/anna': { delivered30d: 40, hardBounces30d: 0 } };
const CAREFUL: Changes = { 'governance/main': { requestedMode: 'approval_required' } };

/** What a day brings: about half goes out, some of it under conditions; the rest waits or is refused. */
const VARIATIONS: readonly Variation[] = [
  {},
  {},
  { action: { mailbox: 'ben', campaign: 'summer' } },
  { action: { mailbox: 'fay', campaign: 'winter', domain: 'try-acme-example', importSource: 'events' } },
  { action: { mailbox: 'cleo', prospect: 'referral' } },
  { recipient: { touches: 3, lastTouchAtMs: NOW_MS - 9 * DAY_MS, lastMailbox: 'anna' }, action: { step: 4 } },
  FOLLOW_UP,
  { ...FOLLOW_UP, layers: { 'governance/main': { requestedMode: 'supervised' } } },
  { layers: CAREFUL, approval: APPROVAL },
  // degraded
  { layers: { 'sending_domain/acme-example': { dkim: 'weak' } } },
  { layers: { 'sending_domain/acme-example': [{ spf: 'none' }, { alignment: 'aligned' }] } },
  { layers: { 'sending_domain/acme-example': { spf: 'none' } } },
  { layers: { 'provider_health/llm': { reachable: false } } },
  { layers: { 'billing/main': { subscriptionStatus: 'past_due', pastDueDays: 1 } } },
  { layers: { 'mailbox/anna': { canReadReplies: false } } },
  { layers: NEW_MAILBOX },
  { layers: NEW_MAILBOX, reservation: { usedToday: 9 }, action: { recipientVerified: false } },
  // waits
  { layers: NEW_MAILBOX, reservation: { usedToday: 10, nextSlotAtMs: NOW_MS + DAY_MS } },
  { layers: NEW_MAILBOX, reservation: { budget: 'spent' } },
  { layers: { 'pacing/anna': { complaints30d: 1 } } },
  { layers: { 'pacing/anna': { complaints30d: 3 } } },
  { reservation: { slot: 'gap', nextSlotAtMs: NOW_MS + 60_000 } },
  { layers: { 'mailbox/anna': { quotaUsed: 2000 } } },
  { layers: { 'sending_domain/acme-example': { spf: 'unanswered' } } },
  { layers: { 'continuity_window/main': { 'window.open': false, windowReason: 'out_of_hours' } } },
  { layers: { 'data/crm': { suppressionSyncAgeSec: 900 } } },
  { layers: { 'campaign/spring': { campaignState: 'paused' } } },
  { layers: { 'campaign/spring': { lint: 'fail' } } },
  { layers: { 'campaign/spring': { tone: 'pressure_lint' } } },
  { ...FOLLOW_UP, recipient: { ...FOLLOW_UP.recipient, lastTouchAtMs: NOW_MS - DAY_MS } },
  { recipient: { touches: 4 } },
  { reservation: { headroom: { own: 0.1, best: 0.9, mailboxes: 6 } } },
  { action: { prospect: 'none_found' } },
  { stale: true },
  { recipient: { conversation: 'replied' } },
  { ...FOLLOW_UP, layers: { 'mailbox/anna': { canReadReplies: false } } },
  { layers: CAREFUL },
  { layers: { ...CAREFUL, 'governance/main': { requestedMode: 'draft_only' } }, approval: APPROVAL },
  { layers: { 'governance/main': { sector: 'finance' } } },
  { recipient: { unresolvedOutcome: true } },
  // refused
  { layers: { 'governance/main': { freeze: true } } },
  { freezes: ['freeze_all'] },
  { recipient: { suppression: 'suppressed' } },
  { recipient: { duplicate: true } },
  { layers: { 'governance/main': { lawfulBasis: 'none' } } },
  { layers: { 'billing/main': { subscriptionStatus: 'canceled' } } },
  { layers: { 'mailbox/anna': { token: 'invalid_grant' } } },
  { layers: { 'pacing/anna': { hardBounces30d: 300 } } },
];

export function dispatchCases(): readonly DispatchCase[] {
  return VARIATIONS.map((variation) => ({
    nowMs: NOW_MS,
    policy: POLICY,
    reading: new TruthReading(truthOf(conditionsWith(variation.layers)), variation.stale !== true, NOW_MS),
    action: {
      dispatchId: 'd-1',
      mailbox: 'anna',
      domain: 'acme-example',
      campaign: 'spring',
      importSource: 'crm',
      step: 1,
      recipientVerified: true,
      prospect: 'verified_import',
      bound: true,
      actionDigest: ACTION_DIGEST,
      ...variation.action,
    },
    recipient: {
      suppression: 'clear',
      conversation: 'none',
      touches: 0,
      lastTouchAtMs: null,
      lastMailbox: null,
      duplicate: false,
      unresolvedOutcome: false,
      ...variation.recipient,
    },
    reservation: {
      slot: 'free',
      nextSlotAtMs: null,
      usedToday: 0,
      budget: 'available',
      budgetIds: ['mailbox:anna', 'domain:acme-example'],
      headroom: { own: 0.8, best: 0.9, mailboxes: 6 },
      ...variation.reservation,
    },
    approval: variation.approval ?? null,
    freezes: variation.freezes ?? [],
  }));
}
