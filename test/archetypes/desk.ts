import { randomUUID } from 'node:crypto';
import { type Decision, decide, digestOf, dispatches, type Policy, policyDigestOf } from '@orchestrate/canon';
import {
  approvalRecorded,
  type ChainRecord,
  type Command,
  type DecisionRecorded,
  type DispatchRequested,
  decisionRecorded,
  interventionRecorded,
  type OperatorCommanded,
  type OutcomeReported,
  outcomeRecorded,
  type TenantConfig,
  VERSION,
} from '@orchestrate/contracts';
import { encode, type StoredMessage } from '@orchestrate/messaging';
import { type CitedTruth, movedLayers } from './layers.ts';
import {
  type Asked,
  approvalRecord,
  decisionRecord,
  dispatchCase,
  interventionRecord,
  outcomeRecord,
  substanceOf,
  TenantLedger,
  type Trigger,
} from './services.ts';

/** What the desk has to know of the world around it. */
export interface Surroundings {
  readonly nowMs: () => number;
  readonly truth: () => CitedTruth;
  /** The truths stand for a time that is not too long ago. */
  readonly isFresh: () => boolean;
  /** A hold is to be looked at again at a time. */
  readonly wakeAt: (dispatchId: string, atMs: number) => void;
  readonly decided: (record: DecisionRecorded) => void;
}

/**
 * A tenant's desk as in dispatch-governance, with a chain in memory: the same gathering, deciding, recording and
 * remembering, one thing after another; only streams, and so conflicts and take-overs, are missing.
 */
export class Desk {
  readonly ledger: TenantLedger;
  readonly #config: TenantConfig;
  readonly #policy: Policy;
  readonly #policyDigest: string;
  readonly #around: Surroundings;
  /** The truth by which the open holds were looked at last. */
  #seen: CitedTruth | null = null;
  readonly #again = new Map<string, Trigger>();
  /** Sequences of the streams that are not there; each input and each record takes one. */
  #seq = 0;

  constructor(config: TenantConfig, policy: Policy, around: Surroundings) {
    this.ledger = new TenantLedger(config.tenantId);
    this.#config = config;
    this.#policy = policy;
    this.#policyDigest = policyDigestOf(policy);
    this.#around = around;
  }

  request(dispatchId: string, action: DispatchRequested['action']): void {
    const requestSeq = ++this.#seq;
    const requestedAtMs = this.#around.nowMs();
    const asked: Asked = {
      dispatchId,
      action,
      requestedAtMs,
      requestedBy: 'campaign',
      requestSeq,
      attempt: 0,
    };
    this.#decide(asked, 'requested', `REQUESTS/${requestSeq}`);
  }

  /** Holds whose unblock set may have moved are decided again. */
  truthMoved(): void {
    const before = this.#seen?.truth;
    this.#seen = this.#around.truth();
    const { truth } = this.#seen;
    const moved = movedLayers(before, truth);
    const modeMoved = before?.mode.resolved !== truth.mode.resolved;
    for (const hold of this.ledger.holds.values()) {
      if (modeMoved || hold.stale || hold.layers.some((layer) => moved.has(layer))) {
        this.#again.set(hold.dispatchId, 'truth_changed');
      }
    }
    this.#workOff();
  }

  /** Whether any hold waits only for an answer that grew old: to it every new truth is news. */
  hasStale(): boolean {
    return [...this.ledger.holds.values()].some((hold) => hold.stale);
  }

  /** The platform is fresh again: what waited only for that is decided again. */
  freshAgain(): void {
    for (const hold of this.ledger.holds.values()) {
      if (hold.stale) this.#again.set(hold.dispatchId, 'truth_changed');
    }
    this.#workOff();
  }

  releaseDue(dispatchId: string): void {
    this.#again.set(dispatchId, 'release_due');
    this.#workOff();
  }

  /** A person looked at the exact action of a hold and wants it to go out. */
  approve(dispatchId: string): void {
    const hold = this.ledger.holds.get(dispatchId);
    if (!hold) throw new Error(`\`${dispatchId}\` is no open hold`);
    const actionDigest = digestOf({ dispatchId, ...hold.action });
    const command = { ...this.#command('approve'), dispatchId, actionDigest };
    const expiresAtMs = this.#around.nowMs() + this.#policy.dispatch.approvalValidSec * 1000;
    const record = approvalRecord(this.ledger, command, this.#input('OPERATOR'), expiresAtMs);
    this.#append(record, encode(approvalRecorded, record));
    this.#again.set(dispatchId, 'operator');
    this.#workOff();
  }

  /** What an operator did to a layer or to the whole tenant is in its chain. */
  intervene(name: Command, target: OperatorCommanded['target'] = null): void {
    const command = { ...this.#command(name), target };
    const record = interventionRecord(this.ledger, command, this.#input('OPERATOR'));
    this.#append(record, encode(interventionRecorded, record));
  }

  /** A sender says what became of a release, with the digest of the constraints that it honoured. */
  outcome(release: DecisionRecorded, state: 'sent' | 'unknown'): void {
    const awaited = this.ledger.awaited(release.dispatchId);
    if (!awaited) throw new Error(`no release of \`${release.dispatchId}\` awaits an outcome`);
    const outcome: OutcomeReported = {
      v: VERSION,
      id: randomUUID(),
      tenantId: this.ledger.tenantId,
      causedBy: null,
      dispatchId: release.dispatchId,
      state,
      sender: 'sender',
      senderLife: randomUUID(),
      decisionSeq: awaited.release.seq,
      constraintsDigest: release.constraintsDigest,
      reason: state === 'sent' ? 'accepted_by_server' : 'connection_lost_in_data',
      smtpCode: state === 'sent' ? 250 : null,
      atMs: this.#around.nowMs(),
    };
    const record = outcomeRecord(this.ledger, outcome, this.#input('OUTCOMES'), awaited);
    this.#append(record, encode(outcomeRecorded, record));
  }

  #workOff(): void {
    for (const [dispatchId, trigger] of this.#again) {
      this.#again.delete(dispatchId);
      const hold = this.ledger.holds.get(dispatchId);
      if (!hold) continue;
      const expired = hold.expiresAtMs <= this.#around.nowMs();
      this.#decide(hold, expired ? 'expired' : trigger, `DECISIONS/${hold.decisionSeq}`);
    }
  }

  #decide(asked: Asked, trigger: Trigger, causedBy: string): void {
    const nowMs = this.#around.nowMs();
    const { truth, cited } = this.#around.truth();
    const gathered = dispatchCase({
      asked,
      truth,
      fresh: this.#around.isFresh(),
      config: this.#config,
      ledger: this.ledger,
      suppression: 'clear',
      policy: this.#policy,
      nowMs,
    });
    const found = decide(gathered);
    const record = decisionRecord({
      asked,
      decision: trigger === 'expired' ? expiredHold(found) : found,
      dispatchCase: gathered,
      ledger: this.ledger,
      trigger,
      causedBy,
      truth: cited,
      policyDigest: this.#policyDigest,
    });
    const isHeld = !dispatches(record.kind) && record.kind !== 'BLOCK';
    const open = this.ledger.holds.get(asked.dispatchId);
    // The same hold for the same cause is no news; only its next look may have moved.
    if (open?.substance !== substanceOf(record)) {
      this.#append(record, encode(decisionRecorded, record));
      this.#around.decided(record);
    }
    if (isHeld) this.#around.wakeAt(asked.dispatchId, nextLookMs(record, nowMs));
  }

  #append(record: ChainRecord, bytes: Uint8Array): void {
    this.ledger.apply(record, ++this.#seq, bytes);
  }

  #input(stream: 'OPERATOR' | 'OUTCOMES'): StoredMessage {
    const storedAtMs = this.#around.nowMs();
    return { stream, subject: '', seq: ++this.#seq, storedAtMs, data: new Uint8Array(), pending: 0 };
  }

  #command(command: Command): OperatorCommanded {
    return {
      v: VERSION,
      id: randomUUID(),
      tenantId: this.ledger.tenantId,
      causedBy: null,
      command,
      actor: 'olga',
      reasonCode: 'reviewed',
      dispatchId: null,
      actionDigest: null,
      target: null,
      atMs: this.#around.nowMs(),
    };
  }
}

/** The clock has the last word on a hold: the gates are on record as they stand. */
function expiredHold(found: Decision): Decision {
  return {
    ...found,
    decision: 'BLOCK',
    decidingGate: 10,
    decidingBlocker: 'human_authority_required',
    decidingOutcome: 'hold_expired',
    constraints: null,
    constraintsDigest: null,
    review: null,
    approvalId: null,
    budgetIds: [],
    unblock: [],
    lane: null,
    earliestReleaseMs: null,
  };
}

function nextLookMs(record: DecisionRecorded, nowMs: number): number {
  const releaseMs = record.earliestReleaseMs ?? Number.POSITIVE_INFINITY;
  return Math.max(nowMs + 1_000, Math.min(releaseMs, record.expiresAtMs ?? releaseMs));
}
