import {
  type CanonicalRuntimeTruth,
  type ConversationState,
  type DispatchAction,
  type DispatchCase,
  digestOf,
  type Policy,
  type RecipientStanding,
  TruthReading,
} from '@orchestrate/canon';
import type { DispatchRequested, TenantConfig, Touch } from '@orchestrate/contracts';
import { reservationFor } from './reserve.ts';
import { stepOf, type TenantLedger } from './tenant-ledger.ts';

/** What a request or an open hold says: the same words, so that both are decided by the same code. */
export type Asked = Pick<DispatchRequested, 'dispatchId' | 'action' | 'requestedAtMs' | 'requestedBy'> & {
  readonly requestSeq: number;
  /** Decisions on this dispatch before this one. */
  readonly attempt: number;
};

/** All that a decision looks at, gathered at one moment. */
export function dispatchCase(input: {
  readonly asked: Asked;
  readonly truth: CanonicalRuntimeTruth | null;
  readonly fresh: boolean;
  readonly config: TenantConfig | undefined;
  readonly ledger: TenantLedger;
  readonly suppression: RecipientStanding['suppression'];
  readonly policy: Policy;
  readonly nowMs: number;
}): DispatchCase {
  const { asked, truth, fresh, config, ledger, policy, nowMs } = input;
  const action = actionOf(asked, config);
  const reservation = reservationFor(
    ledger,
    config,
    { ...asked.action, domain: action.domain },
    policy,
    nowMs,
  );
  return {
    nowMs,
    policy,
    reading: new TruthReading(truth, fresh, nowMs),
    action,
    recipient: standingOf(asked, ledger, input.suppression),
    reservation,
    approval: ledger.approvals.get(asked.dispatchId) ?? null,
    freezes: [...ledger.freezes].sort(),
  };
}

/** The domain is the one that the configuration gives to the mailbox, whatever the request says. */
function actionOf(asked: Asked, config: TenantConfig | undefined): DispatchAction {
  const { action, dispatchId } = asked;
  const mailbox = config?.mailboxes.find((one) => one.id === action.mailbox);
  const campaign = config?.campaigns.find((one) => one.id === action.campaign);
  return {
    dispatchId,
    mailbox: action.mailbox,
    domain: mailbox?.domain ?? action.domain,
    campaign: action.campaign,
    importSource: action.importSource,
    step: action.step,
    recipientVerified: action.recipientVerified,
    prospect: action.prospect,
    bound:
      mailbox !== undefined &&
      mailbox.domain === action.domain &&
      campaign?.mailboxes.includes(action.mailbox) === true &&
      campaign.templates[action.step - 1] === action.templateDigest,
    actionDigest: digestOf({ dispatchId, ...action }),
  };
}

function standingOf(
  asked: Asked,
  ledger: TenantLedger,
  suppression: RecipientStanding['suppression'],
): RecipientStanding {
  const touch = ledger.touchOf(asked.action.recipientKey);
  return {
    suppression,
    conversation: conversationOf(asked, touch),
    touches: touch.count,
    lastTouchAtMs: touch.count > 0 ? touch.lastAtMs : null,
    lastMailbox: touch.count > 0 ? touch.mailbox : null,
    duplicate: touch.steps.includes(stepOf(asked.action)),
    unresolvedOutcome: touch.unresolved.length > 0,
  };
}

/** Conversations in which this mailbox may write, if no colleague has. */
const WRITABLE: ReadonlySet<ConversationState> = new Set(['none', 'reply_owed', 'commitment_due']);

/** What the request says of the conversation, unless our own records say that a colleague wrote last. */
function conversationOf({ action }: Asked, touch: Touch): ConversationState {
  const { conversation } = action;
  if (!WRITABLE.has(conversation)) return conversation;
  return touch.count > 0 && touch.mailbox !== action.mailbox ? 'touched_by_colleague' : conversation;
}
