import { randomUUID } from 'node:crypto';
import { type Decision, type DispatchCase, dispatches } from '@orchestrate/canon';
import { type DecisionRecorded, VERSION } from '@orchestrate/contracts';
import manifest from '../package.json' with { type: 'json' };
import type { Asked } from './dispatch-case.ts';
import { type TenantLedger, utcDayOf } from './tenant-ledger.ts';

export type Trigger = DecisionRecorded['trigger'];

/** The truth that a decision rests on, by its place in the stream and the digest of its bytes. */
export interface CitedTruth {
  readonly seq: number;
  readonly digest: string;
  readonly fingerprint: string;
  readonly epoch: number;
}

/** The head of every record: its place in the tenant's chain. */
export function chainHead(ledger: TenantLedger, causedBy: string | null) {
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId: ledger.tenantId,
    causedBy,
    ordinal: ledger.chain.ordinal + 1,
    prevSeq: ledger.chain.chainSeq,
    prevHash: ledger.chain.chainHash,
    codeVersion: manifest.version,
  };
}

/** The record of a decision: what a sender receives and what an auditor reads. */
export function decisionRecord(input: {
  readonly asked: Asked;
  readonly decision: Decision;
  readonly dispatchCase: DispatchCase;
  readonly ledger: TenantLedger;
  readonly trigger: Trigger;
  readonly causedBy: string | null;
  readonly truth: CitedTruth | null;
  readonly policyDigest: string;
}): DecisionRecorded {
  const { asked, decision, ledger, trigger, causedBy, truth, policyDigest } = input;
  const { nowMs, policy, action, recipient, reservation, reading, freezes } = input.dispatchCase;
  const released = dispatches(decision.decision);
  const held = !released && decision.decision !== 'BLOCK';
  const day = utcDayOf(nowMs);
  const { decision: kind, ...found } = decision;
  return {
    ...chainHead(ledger, causedBy),
    kind,
    dispatchId: asked.dispatchId,
    requestSeq: asked.requestSeq,
    requestedBy: asked.requestedBy,
    requestedAtMs: asked.requestedAtMs,
    attempt: asked.attempt + 1,
    trigger,
    decidedAtMs: nowMs,
    action: asked.action,
    actionDigest: action.actionDigest,
    recipient,
    reservation,
    freezes: [...freezes],
    reserved: released
      ? { mailbox: action.mailbox, day, ordinal: ledger.usedOn(action.mailbox, day) + 1 }
      : null,
    truth,
    fresh: reading.fresh,
    policyDigest,
    ...found,
    expiresAtMs: held ? asked.requestedAtMs + policy.dispatch.holdValidSec * 1000 : null,
    notBeforeMs: released ? nowMs + (decision.constraints?.sendDelaySec ?? 0) * 1000 : null,
    validUntilMs: released ? nowMs + policy.dispatch.decisionValidSec * 1000 : null,
  } as unknown as DecisionRecorded;
}
