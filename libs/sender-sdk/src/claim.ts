import { randomUUID } from 'node:crypto';
import { partitionOf } from '@orchestrate/canon';
import {
  type DecisionRecorded,
  type OutcomeReason,
  type OutcomeReported,
  outcomeReported,
  type SettledOutcome,
  VERSION,
} from '@orchestrate/contracts';
import {
  type Broker,
  decodeLenient,
  encode,
  PublishConflict,
  readLast,
  referenceTo,
  type StoredMessage,
  storeUntilCertain,
} from '@orchestrate/messaging';

/**
 * One subject per dispatch: nothing -> claimed -> sent | not_sent | unknown, each step by compare-and-set. Whoever
 * writes `claimed` is the only one who may send, once. A claim whose sender is gone is never taken over: whether the
 * message went out is then known to nobody, and that is what the outcome says.
 */
export interface SenderIdentity {
  /** The name of the sender, the same in all its lives. */
  readonly sender: string;
  /** A UUID per process. */
  readonly senderLife: string;
}

/** The right to send, once. */
export interface Claim extends SenderIdentity {
  readonly tenantId: string;
  readonly dispatchId: string;
  readonly decisionSeq: number;
  /** Stream sequence of the claim. */
  readonly seq: number;
}

export interface Settlement {
  readonly state: SettledOutcome;
  readonly reason: OutcomeReason;
  readonly smtpCode: number | null;
  /** The digest of the constraints that were honoured; null when nobody can say. */
  readonly constraintsDigest: string | null;
}

export type ClaimAnswer =
  | ({ readonly kind: 'claimed' } & Claim)
  | { readonly kind: 'settled'; readonly outcome: OutcomeReported }
  | {
      readonly kind: 'claimed_by_other';
      readonly outcome: OutcomeReported;
      readonly seq: number;
      /** When the server stored that claim. */
      readonly atMs: number;
    };

/** Claims the dispatch of a decision, or tells who did. Tries on while the server is away; throws on anything else. */
export async function claimSend(
  broker: Broker,
  decision: DecisionRecorded,
  decisionSeq: number,
  self: SenderIdentity,
): Promise<ClaimAnswer> {
  const { tenantId, dispatchId } = decision;
  const claim = { tenantId, dispatchId, decisionSeq, sender: self.sender, senderLife: self.senderLife };
  const subject = subjectOf(claim);
  const data = encode(outcomeReported, messageOf(claim, 'claimed', NOTHING_SETTLED));
  try {
    const { seq } = await store(broker, subject, data, 0);
    return { kind: 'claimed', ...claim, seq };
  } catch (error) {
    if (!(error instanceof PublishConflict)) throw error;
  }
  let found = await readOutcome(broker, subject);
  if (found.outcome.state === 'not_sent' && found.outcome.decisionSeq < decisionSeq) {
    // An earlier release of the same dispatch came to nothing; this one is another.
    try {
      const { seq } = await store(broker, subject, data, found.message.seq);
      return { kind: 'claimed', ...claim, seq };
    } catch (error) {
      if (!(error instanceof PublishConflict)) throw error;
    }
    found = await readOutcome(broker, subject);
  }
  if (Buffer.compare(found.message.data, data) === 0) {
    return { kind: 'claimed', ...claim, seq: found.message.seq };
  }
  if (found.outcome.state !== 'claimed') return { kind: 'settled', outcome: found.outcome };
  const { seq, storedAtMs } = found.message;
  return { kind: 'claimed_by_other', outcome: found.outcome, seq, atMs: storedAtMs };
}

/**
 * Says what became of a claim. When somebody else has settled it meanwhile, because it was taken for lost, that
 * stands: `overruled` with what stands.
 */
export async function settle(
  broker: Broker,
  claim: Claim,
  settlement: Settlement,
): Promise<{ kind: 'settled'; seq: number } | { kind: 'overruled'; outcome: OutcomeReported }> {
  const subject = subjectOf(claim);
  const data = encode(outcomeReported, messageOf(claim, settlement.state, settlement));
  try {
    const { seq } = await store(broker, subject, data, claim.seq);
    return { kind: 'settled', seq };
  } catch (error) {
    if (!(error instanceof PublishConflict)) throw error;
  }
  const { message, outcome } = await readOutcome(broker, subject);
  if (Buffer.compare(message.data, data) === 0) return { kind: 'settled', seq: message.seq };
  return { kind: 'overruled', outcome };
}

/** A claim is taken for lost after this; a sender gives a message up well before. */
export const CLAIM_MS_MAX = 60_000;

/** Whether a claim that is not settled still has a sender that works on it. */
export function isLost(
  claim: { readonly outcome: SenderIdentity; readonly atMs: number },
  self: SenderIdentity,
  nowMs: number,
  claimMsMax = CLAIM_MS_MAX,
): boolean {
  const { sender, senderLife } = claim.outcome;
  const isEarlierLife = sender === self.sender && senderLife !== self.senderLife;
  return isEarlierLife || nowMs - claim.atMs > claimMsMax;
}

/** What a sender does next with a decision. */
export type SendRight =
  | { readonly kind: 'send'; readonly claim: Claim }
  /** The outcome is known: nothing is left to do. */
  | { readonly kind: 'settled'; readonly outcome: OutcomeReported }
  /** A claim had lost its sender and is now settled as unknown. */
  | { readonly kind: 'lost'; readonly outcome: OutcomeReported }
  /** Another sender is at it: ask again then, in case it does not come back. */
  | { readonly kind: 'wait'; readonly retryAtMs: number };

const ASK_AGAIN_MS = 5_000;

/** Claims a dispatch, and clears up after a sender that was lost: its dispatch is never sent again. */
export async function obtainSendRight(
  broker: Broker,
  decision: DecisionRecorded,
  decisionSeq: number,
  self: SenderIdentity,
  options: { claimMsMax?: number } = {},
): Promise<SendRight> {
  const answer = await claimSend(broker, decision, decisionSeq, self);
  if (answer.kind === 'settled') return answer;
  if (answer.kind === 'claimed') {
    const { kind, ...claim } = answer;
    return { kind: 'send', claim };
  }
  const { outcome, seq, atMs } = answer;
  const claimMsMax = options.claimMsMax ?? CLAIM_MS_MAX;
  const nowMs = Date.now();
  if (!isLost(answer, self, nowMs, claimMsMax)) {
    return { kind: 'wait', retryAtMs: Math.min(nowMs + ASK_AGAIN_MS, atMs + claimMsMax + 1) };
  }
  const { tenantId, dispatchId, sender, senderLife } = outcome;
  const claim = { tenantId, dispatchId, decisionSeq: outcome.decisionSeq, sender, senderLife, seq };
  const lost = { state: 'unknown', reason: 'sender_lost', smtpCode: null, constraintsDigest: null } as const;
  const settled = await settle(broker, claim, lost);
  if (settled.kind === 'overruled') return { kind: 'settled', outcome: settled.outcome };
  return { kind: 'lost', outcome: messageOf(claim, lost.state, lost) };
}

const NOTHING_SETTLED = { reason: null, smtpCode: null, constraintsDigest: null } as const;

function subjectOf({ tenantId, dispatchId }: { tenantId: string; dispatchId: string }): string {
  return outcomeReported.subject({ p: partitionOf(tenantId), tenantId, dispatchId });
}

function messageOf(
  claim: Omit<Claim, 'seq'>,
  state: OutcomeReported['state'],
  settled: Pick<OutcomeReported, 'reason' | 'smtpCode' | 'constraintsDigest'>,
): OutcomeReported {
  const { tenantId, dispatchId, decisionSeq, sender, senderLife } = claim;
  const { reason, smtpCode, constraintsDigest } = settled;
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: referenceTo({ stream: 'DECISIONS', seq: decisionSeq }),
    dispatchId,
    state,
    sender,
    senderLife,
    decisionSeq,
    constraintsDigest,
    reason,
    smtpCode,
    atMs: Date.now(),
  };
}

function store(broker: Broker, subject: string, data: Uint8Array, lastSeq: number) {
  return storeUntilCertain(broker, 'OUTCOMES', { subject, data, lastSeq }, () => broker.nc.isClosed());
}

async function readOutcome(
  broker: Broker,
  subject: string,
): Promise<{ message: StoredMessage; outcome: OutcomeReported }> {
  const message = await readLast(broker, 'OUTCOMES', subject);
  if (!message) throw new Error(`the outcome that stood on \`${subject}\` is gone`);
  return { message, outcome: decodeLenient(outcomeReported, message.data) };
}
