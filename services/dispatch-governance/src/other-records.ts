import type {
  ApprovalRecorded,
  InterventionRecorded,
  OperatorCommanded,
  OutcomeRecorded,
  OutcomeReported,
  Touch,
} from '@orchestrate/contracts';
import { referenceTo, type StoredMessage } from '@orchestrate/messaging';
import { chainHead } from './decision-record.ts';
import { RefusedCommand } from './refused-command.ts';
import type { TenantLedger } from './tenant-ledger.ts';

/** A person's approval of one exact action. Throws RefusedCommand when the command does not name one. */
export function approvalRecord(
  ledger: TenantLedger,
  command: OperatorCommanded,
  input: StoredMessage,
  expiresAtMs: number,
): ApprovalRecorded {
  const { dispatchId, actionDigest } = command;
  if (dispatchId === null || actionDigest === null) {
    throw new RefusedCommand(
      'an approval names the dispatch and the digest of the action that was looked at',
    );
  }
  return {
    ...chainHead(ledger, referenceTo(input)),
    kind: 'APPROVAL',
    approvalId: `a-${input.seq}`,
    commandSeq: input.seq,
    actor: command.actor,
    reasonCode: command.reasonCode,
    dispatchId,
    actionDigest,
    expiresAtMs,
    recordedAtMs: Date.now(),
  };
}

export function interventionRecord(
  ledger: TenantLedger,
  command: OperatorCommanded,
  input: StoredMessage,
): InterventionRecorded {
  return {
    ...chainHead(ledger, referenceTo(input)),
    kind: 'INTERVENTION',
    command: command.command,
    commandSeq: input.seq,
    actor: command.actor,
    reasonCode: command.reasonCode,
    dispatchId: command.dispatchId,
    target: command.target,
    scope: command.tenantId === '_all' ? 'all' : 'tenant',
    recordedAtMs: Date.now(),
  };
}

/** What became of a release; a sender that does not name the constraints it was given violated them. */
export function outcomeRecord(
  ledger: TenantLedger,
  outcome: OutcomeReported,
  input: StoredMessage,
  awaited: { readonly recipientKey: string; readonly release: Touch['open'][number] },
): OutcomeRecorded {
  const { constraintsDigest } = awaited.release;
  const echoed = outcome.constraintsDigest === constraintsDigest;
  return {
    ...chainHead(ledger, referenceTo(input)),
    kind: 'OUTCOME',
    dispatchId: outcome.dispatchId,
    recipientKey: awaited.recipientKey,
    outcomeSeq: input.seq,
    state: outcome.state as OutcomeRecorded['state'],
    reason: outcome.reason ?? 'sender_lost',
    echo: constraintsDigest === null ? 'none_required' : echoed ? 'matches' : 'violated',
    recordedAtMs: Date.now(),
  };
}
