import { setTimeout as sleep } from 'node:timers/promises';
import type { Content, DecisionRecorded, Lead, Mailbox } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import {
  type DecisionMeta,
  type Handled,
  honour,
  obtainSendRight,
  type SenderIdentity,
  type Settlement,
  settle,
} from '@orchestrate/sender-sdk';
import type { Logger } from '@orchestrate/service-kit';
import { composeMessage } from './compose-message.ts';
import type { Deliver } from './deliver.ts';
import type { RecipientStore } from './recipient-store.ts';
import type { SendTally } from './sender-metrics.ts';

export interface Sender {
  readonly broker: Broker;
  readonly self: SenderIdentity;
  readonly recipients: RecipientStore;
  readonly deliver: Deliver;
  readonly isReachable: () => Promise<boolean>;
  readonly sends: SendTally;
  readonly log: Logger;
}

const UNREACHABLE_RETRY_MS = 3_000;

type Sending = Omit<Settlement, 'constraintsDigest'>;

/** Claims, sends, says how it went. What goes wrong before the claim is tried again; after it nothing is. */
export async function handleDecision(
  sender: Sender,
  decision: DecisionRecorded,
  meta: DecisionMeta,
): Promise<Handled> {
  const { tenantId, dispatchId } = decision;
  const log = sender.log.child({ tenantId, dispatchId, causedBy: `DECISIONS/${meta.seq}` });
  // A claim spends the only try that a release has: while no server answers it waits, as long as it is valid.
  const nowMs = Date.now();
  if (nowMs < (decision.validUntilMs ?? 0) && !(await sender.isReachable())) {
    log.warn('the mail server does not answer, the release waits');
    return { retryAtMs: nowMs + UNREACHABLE_RETRY_MS };
  }
  const right = await obtainSendRight(sender.broker, decision, meta.seq, sender.self);
  if (right.kind === 'wait') return right;
  if (right.kind === 'settled') return 'done';
  if (right.kind === 'lost') {
    sender.sends.settled.unknown++;
    log.error({ sender: right.outcome.sender }, 'a sender was lost while it sent: the outcome is unknown');
    return 'done';
  }
  sender.sends.claimed++;
  const sending = await send(sender, decision, meta.seq, log);
  const { constraintsDigest } = decision;
  const settled = await settle(sender.broker, right.claim, { ...sending, constraintsDigest });
  if (settled.kind === 'settled') {
    sender.sends.settled[sending.state]++;
    log.info(sending, 'settled');
  } else log.error({ ...sending, stands: settled.outcome.state }, 'this sender had been taken for lost');
  return 'done';
}

async function send(
  sender: Sender,
  decision: DecisionRecorded,
  decisionSeq: number,
  log: Logger,
): Promise<Sending> {
  const nowMs = Date.now();
  const found = await load(sender.recipients, decision, log);
  if (!found.ok) return notSent(found.reason);
  const { lead, content, mailbox } = found;
  const composed = composeMessage({ decision, decisionSeq, lead, content, mailbox, nowMs });
  if (!composed.ok) return notSent(composed.reason);
  const { message, oneClick } = composed;
  const answer = honour(decision, {
    nowMs: Date.now(),
    to: lead.address,
    verified: lead.verified,
    text: message.text,
    oneClick,
    hasHtml: false,
    attachments: 0,
    openTracking: false,
    clickTracking: false,
    // a template is rendered, nothing is generated
    aiGeneration: 'none',
  });
  if (!answer.ok) {
    log.warn({ because: answer.because }, 'this decision cannot be honoured');
    return notSent(answer.reason);
  }
  return sender.deliver(message);
}

function notSent(reason: Sending['reason']): Sending {
  return { state: 'not_sent', reason, smtpCode: null };
}

type Found =
  | { readonly ok: true; readonly lead: Lead; readonly content: Content; readonly mailbox: Mailbox }
  | { readonly ok: false; readonly reason: 'recipient_missing' | 'content_missing' | 'server_unavailable' };

const LOAD_MS_MAX = 10_000;
const LOAD_AGAIN_MS = 250;

/** The claim stands already, so a broker that is away for a moment is waited for. */
async function load(recipients: RecipientStore, decision: DecisionRecorded, log: Logger): Promise<Found> {
  const deadline = Date.now() + LOAD_MS_MAX;
  for (;;) {
    try {
      return await loadOnce(recipients, decision);
    } catch (error) {
      log.warn({ err: error }, 'cannot read the recipient');
      if (Date.now() > deadline) return { ok: false, reason: 'server_unavailable' };
      await sleep(LOAD_AGAIN_MS);
    }
  }
}

async function loadOnce(recipients: RecipientStore, { tenantId, action }: DecisionRecorded): Promise<Found> {
  const [lead, content, mailbox] = await Promise.all([
    recipients.lead(tenantId, action.recipientKey),
    recipients.content(tenantId, action.templateDigest),
    recipients.mailbox(tenantId, action.mailbox),
  ]);
  if (!lead) return { ok: false, reason: 'recipient_missing' };
  if (!content || !mailbox) return { ok: false, reason: 'content_missing' };
  return { ok: true, lead, content, mailbox };
}
