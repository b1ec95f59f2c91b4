import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalRuntimeTruth,
  type Decision,
  decide,
  dispatches,
  type RecipientStanding,
} from '@orchestrate/canon';
import {
  approvalRecorded,
  type ChainRecord,
  type DecisionRecorded,
  type DispatchRequested,
  decisionRecorded,
  interventionRecorded,
  type OperatorCommanded,
  type OutcomeReported,
  outcomeRecorded,
  type TenantConfig,
} from '@orchestrate/contracts';
import { encode, referenceTo, type StoredMessage, storeUntilCertain } from '@orchestrate/messaging';
import { type CitedTruth, decisionRecord, type Trigger } from './decision-record.ts';
import { type Asked, dispatchCase } from './dispatch-case.ts';
import type { GovernancePartition } from './governance-partition.ts';
import { approvalRecord, interventionRecord, outcomeRecord } from './other-records.ts';
import { RefusedCommand } from './refused-command.ts';
import { substanceOf, type TenantLedger } from './tenant-ledger.ts';

/** Work that waits at a desk, and the input that brought it; null for work that we gave ourselves. */
interface Task {
  readonly input: StoredMessage | null;
  readonly run: () => Promise<void>;
  /** Before this time a task may wait for a fresh truth. */
  readonly patientUntilMs: number;
}

export interface HeldTruth {
  readonly truth: CanonicalRuntimeTruth;
  readonly cited: CitedTruth;
}

/**
 * Everything about one tenant, one thing after another: its chain has one writer and each record waits for the one
 * before. Commands and outcomes go first, then new requests, then holds that are decided again, oldest first.
 */
export class TenantDesk {
  readonly ledger: TenantLedger;
  config: TenantConfig | undefined;
  truth: HeldTruth | null = null;
  readonly #partition: GovernancePartition;
  readonly #urgent: Task[] = [];
  readonly #requests: Task[] = [];
  /** Holds to decide again, with what made it necessary. */
  readonly #again = new Map<string, Trigger>();
  #running = false;
  #current: Task | null = null;
  /** Highest chain sequence of the partition when the write in flight began; see `lowWater`. */
  #writingSince: number | null = null;

  constructor(partition: GovernancePartition, ledger: TenantLedger) {
    this.#partition = partition;
    this.ledger = ledger;
  }

  get waiting(): number {
    return this.#urgent.length + this.#requests.length + this.#again.size;
  }

  /** Every record that is still being written gets a sequence above this one. */
  get lowWater(): number | null {
    return this.#writingSince;
  }

  /** The oldest input of a stream that is not worked off yet. */
  oldestPending(stream: StoredMessage['stream']): number | null {
    let oldest: number | null = null;
    const consider = (task: Task | null) => {
      if (task?.input?.stream === stream) oldest = Math.min(oldest ?? task.input.seq, task.input.seq);
    };
    consider(this.#current);
    // Each list is in stream order, so its first entry of a stream is its oldest.
    consider(this.#urgent.find((task) => task.input?.stream === stream) ?? null);
    consider(this.#requests[0] ?? null);
    return oldest;
  }

  request(request: DispatchRequested, input: StoredMessage): void {
    if (input.seq <= this.ledger.chain.lastRequestSeq) return;
    const asked: Asked = { ...request, requestSeq: input.seq, attempt: 0 };
    // Asked for now, needed when its turn comes: the look-ups of a backlog overlap.
    const suppression = this.#partition.suppressionOf(this.ledger.tenantId, request.action.recipientKey);
    const patientUntilMs = Date.now() + this.#partition.policy.current.policy.dispatch.staleWaitSec * 1000;
    const run = async () => {
      if (input.seq <= this.ledger.chain.lastRequestSeq) return;
      await this.#decide(asked, 'requested', referenceTo(input), await suppression);
    };
    this.#requests.push({ input, run, patientUntilMs });
    this.kick();
  }

  command(command: OperatorCommanded, input: StoredMessage): void {
    if (input.seq <= this.ledger.chain.lastCommandSeq) return;
    this.#urgent.push({ input, run: () => this.#obey(command, input), patientUntilMs: 0 });
    this.kick();
  }

  outcome(outcome: OutcomeReported, input: StoredMessage): void {
    if (outcome.state === 'claimed' || input.seq <= this.ledger.chain.lastOutcomeSeq) return;
    this.#urgent.push({ input, run: () => this.#record(outcome, input), patientUntilMs: 0 });
    this.kick();
  }

  /** A new truth: holds whose unblock set may have moved are decided again. */
  truthMoved(next: HeldTruth): void {
    const before = this.truth?.truth;
    this.truth = next;
    const moved = new Set<string>(
      CANONICAL_BLOCKER_LAYERS.filter(
        (layer) => before?.layerFingerprints[layer] !== next.truth.layerFingerprints[layer],
      ),
    );
    const modeMoved = before?.mode.resolved !== next.truth.mode.resolved;
    for (const hold of this.ledger.holds.values()) {
      if (modeMoved || hold.stale || hold.layers.some((layer) => moved.has(layer))) {
        this.again(hold.dispatchId, 'truth_changed');
      }
    }
  }

  /** The platform is fresh again: what waited only for that is decided again. */
  freshAgain(): void {
    for (const hold of this.ledger.holds.values())
      if (hold.stale) this.again(hold.dispatchId, 'truth_changed');
    this.kick();
  }

  configMoved(config: TenantConfig): void {
    this.config = config;
    for (const dispatchId of this.ledger.holds.keys()) this.again(dispatchId, 'config_changed');
  }

  again(dispatchId: string, trigger: Trigger): void {
    this.#again.set(dispatchId, trigger);
    this.kick();
  }

  kick(): void {
    if (this.#running || !this.#partition.isOpen()) return;
    this.#running = true;
    void this.#work().finally(() => {
      this.#running = false;
    });
  }

  async #work(): Promise<void> {
    for (let task = this.#next(); task && this.#partition.isOpen(); task = this.#next()) {
      this.#current = task;
      try {
        await task.run();
      } catch (error) {
        if (!(await this.#partition.failed(task.input, error as Error))) return;
      } finally {
        this.#current = null;
        this.#partition.worked();
      }
    }
  }

  #next(): Task | undefined {
    const urgent = this.#urgent.shift();
    if (urgent) return urgent;
    const [request] = this.#requests;
    // Nobody is at fault while the platform catches up: requests wait a while before they are held for it.
    if (request && (this.#partition.isFresh(Date.now()) || request.patientUntilMs <= Date.now())) {
      return this.#requests.shift();
    }
    const [again] = this.#again;
    if (!again || request) return undefined;
    const [dispatchId, trigger] = again;
    this.#again.delete(dispatchId);
    return { input: null, run: () => this.#decideAgain(dispatchId, trigger), patientUntilMs: 0 };
  }

  async #decideAgain(dispatchId: string, trigger: Trigger): Promise<void> {
    const hold = this.ledger.holds.get(dispatchId);
    if (!hold) return;
    const suppression = await this.#partition.suppressionOf(this.ledger.tenantId, hold.action.recipientKey);
    const causedBy = `DECISIONS/${hold.decisionSeq}`;
    if (hold.expiresAtMs <= Date.now()) {
      await this.#decide(hold, 'expired', causedBy, suppression, 'hold_expired');
      return;
    }
    await this.#decide(hold, trigger, causedBy, suppression);
  }

  async #decide(
    asked: Asked,
    trigger: Trigger,
    causedBy: string,
    suppression: RecipientStanding['suppression'],
    ruled?: 'hold_expired' | 'rejected_by_operator',
  ): Promise<void> {
    const { policy, digest } = this.#partition.policy.current;
    const nowMs = Date.now();
    const gathered = dispatchCase({
      asked,
      truth: this.truth?.truth ?? null,
      fresh: this.#partition.isFresh(nowMs),
      config: this.config,
      ledger: this.ledger,
      suppression,
      policy,
      nowMs,
    });
    const found = decide(gathered);
    const decision = ruled ? finalBlock(found, ruled) : found;
    const record = decisionRecord({
      asked,
      decision,
      dispatchCase: gathered,
      ledger: this.ledger,
      trigger,
      causedBy,
      truth: this.truth?.cited ?? null,
      policyDigest: digest,
    });
    const open = this.ledger.holds.get(asked.dispatchId);
    if (open && open.substance === substanceOf(record)) {
      // The same hold for the same cause: nothing to record, only the time of its next look may have moved.
      this.#partition.wakeAt(this.ledger.tenantId, asked.dispatchId, nextLookMs(record, nowMs));
      return;
    }
    await this.append(record, encode(decisionRecorded, record));
    if (dispatches(record.kind) || record.kind === 'BLOCK') return;
    this.#partition.wakeAt(this.ledger.tenantId, asked.dispatchId, nextLookMs(record, nowMs));
    // The platform may have become fresh while this was written, before the hold was there to be woken.
    if (!record.fresh && this.#partition.isFresh(Date.now())) this.again(asked.dispatchId, 'truth_changed');
  }

  async #obey(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    if (input.seq <= this.ledger.chain.lastCommandSeq) return;
    const hold = command.dispatchId === null ? undefined : this.ledger.holds.get(command.dispatchId);
    if (command.command === 'approve') {
      if (!hold)
        throw new RefusedCommand(`\`${command.dispatchId}\` is no open hold of ${this.ledger.tenantId}`);
      const { dispatch } = this.#partition.policy.current.policy;
      const record = approvalRecord(
        this.ledger,
        command,
        input,
        Date.now() + dispatch.approvalValidSec * 1000,
      );
      await this.append(record, encode(approvalRecorded, record));
      this.again(hold.dispatchId, 'operator');
      return;
    }
    const record = interventionRecord(this.ledger, command, input);
    await this.append(record, encode(interventionRecorded, record));
    if (command.command === 'reject' && hold) {
      const suppression = await this.#partition.suppressionOf(this.ledger.tenantId, hold.action.recipientKey);
      await this.#decide(hold, 'operator', referenceTo(input), suppression, 'rejected_by_operator');
    }
  }

  async #record(outcome: OutcomeReported, input: StoredMessage): Promise<void> {
    if (input.seq <= this.ledger.chain.lastOutcomeSeq) return;
    const awaited = this.ledger.awaited(outcome.dispatchId);
    if (!awaited) throw new RefusedCommand(`no release of \`${outcome.dispatchId}\` awaits an outcome`);
    const record = outcomeRecord(this.ledger, outcome, input, awaited);
    await this.append(record, encode(outcomeRecorded, record));
  }

  /** Writes the next record of the chain and folds it once it is durable. */
  async append(record: ChainRecord, data: Uint8Array): Promise<void> {
    const { broker, p, closed } = this.#partition.context;
    const { tenantId } = this.ledger;
    this.#writingSince = this.#partition.highestSeq;
    try {
      const stored = await storeUntilCertain(
        broker,
        'DECISIONS',
        {
          subject: decisionRecorded.subject({ p, tenantId, kind: record.kind }),
          data,
          lastSeq: this.ledger.chain.chainSeq,
          fence: `decision.${p}.${tenantId}.*`,
        },
        closed,
      );
      this.ledger.apply(record, stored.seq, data);
      this.#partition.recorded(stored.seq);
    } finally {
      this.#writingSince = null;
    }
  }
}

/** A person or the clock ended a hold: the gates are on record as they stand, the ruling is final. */
function finalBlock(found: Decision, outcome: 'hold_expired' | 'rejected_by_operator'): Decision {
  return {
    ...found,
    decision: 'BLOCK',
    decidingGate: 10,
    decidingBlocker: 'human_authority_required',
    decidingOutcome: outcome,
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
