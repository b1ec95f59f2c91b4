import { digestOfBytes, type RecipientStanding } from '@orchestrate/canon';
import {
  approvalRecorded,
  type ChainRecord,
  decisionRecorded,
  holdSaved,
  interventionRecorded,
  ledgerSaved,
  type Mark,
  type MessageContract,
  outcomeRecorded,
  suppressionListed,
  tenantConfigured,
  touchesSaved,
  truthFromWire,
  truthMarked as truthMarkedContract,
  truthRecorded,
} from '@orchestrate/contracts';
import {
  crashPoint,
  DeadlineHeap,
  decodeLenient,
  type PartitionContext,
  type PartitionWorker,
  type Positions,
  PublishAbandoned,
  PublishConflict,
  PublishRefused,
  PublishUncertain,
  readAt,
  readNewest,
  readStored,
  rejectInput,
  type StoredMessage,
} from '@orchestrate/messaging';
import { isOffboarding, type PolicyInForce, readOffboarded } from '@orchestrate/service-kit';
import { handleDispatchRequested } from './handle-dispatch-requested.ts';
import { handleOperatorCommand } from './handle-operator-command.ts';
import { handleOutcome } from './handle-outcome.ts';
import { handleTenantConfig } from './handle-tenant-config.ts';
import { handleTenantOffboarded } from './handle-tenant-offboarded.ts';
import { handleTruth } from './handle-truth.ts';
import { RefusedCommand } from './refused-command.ts';
import { saveTouchesAndHolds } from './save-ledger.ts';
import { TenantDesk } from './tenant-desk.ts';
import { TenantLedger } from './tenant-ledger.ts';

/** Beyond this many waiting requests of a partition the reader pauses; the stream keeps what it does not read. */
const WAITING_MAX = 2_048;
const WAITING_RESUME = 1_024;
/** A chain that cannot be written to, or not by us, is no fault of the input: it is read and decided again. */
const UNWRITABLE = [PublishConflict, PublishRefused, PublishUncertain];

/** The desks of one partition's tenants, their time and what they share. */
export class GovernancePartition implements PartitionWorker {
  readonly context: PartitionContext;
  readonly policy: PolicyInForce;
  readonly #desks = new Map<string, TenantDesk>();
  readonly #wakes = new DeadlineHeap();
  /** Highest sequence of the partition's chains that is folded. */
  highestSeq = 0;
  #truthAsOfMs = 0;
  #wasFresh = false;
  #decidedWith: string;
  #open = false;
  #changed = 0;
  #resume: (() => void)[] = [];

  private constructor(context: PartitionContext, policy: PolicyInForce) {
    this.context = context;
    this.policy = policy;
    this.#decidedWith = policy.current.digest;
  }

  /** Ledgers from their last saving, then every record that came after; truths and configurations as they stand. */
  static async open(
    context: PartitionContext,
    mark: Mark | null,
    policy: PolicyInForce,
  ): Promise<GovernancePartition> {
    const partition = new GovernancePartition(context, policy);
    const { broker, p } = context;
    for await (const stored of readStored(broker, {
      stream: 'LEDGER',
      filters: [`ledger.${p}.*.state`, `ledger.${p}.*.touches.*`, `ledger.${p}.*.hold.*`],
    })) {
      partition.#restore(stored);
    }
    const fromSeq = (mark?.inputs.DECISIONS ?? 0) + 1;
    for await (const stored of readStored(broker, {
      stream: 'DECISIONS',
      filters: [`decision.${p}.*.*`],
      fromSeq,
    })) {
      partition.#replay(stored);
    }
    partition.highestSeq = Math.max(partition.highestSeq, fromSeq - 1);
    for (const tenantId of await readOffboarded(broker, p)) partition.desk(tenantId).leave();
    const declared = ({ tenantId }: { tenantId: string }) => `config.${p}.${tenantId}.tenant`;
    const configs = { stream: 'CONFIG', filters: [`config.${p}.*.tenant`] } as const;
    for await (const { message, stored } of readNewest(broker, configs, tenantConfigured, declared)) {
      partition.desk(message.tenantId).configMoved(message, stored);
    }
    // The mark before the truths: what it vouches for is then never newer than what is read after it.
    const marks = { stream: 'TRUTH', filters: [truthMarkedContract.subject(p)] } as const;
    const marked = (mark: Mark) => truthMarkedContract.subject(mark.p);
    for await (const { message, stored } of readNewest(broker, marks, truthMarkedContract, marked)) {
      partition.truthMarked(Math.min(message.asOfMs, stored.storedAtMs));
    }
    const truths = { stream: 'TRUTH', filters: [`truth.${p}.*`] } as const;
    const recorded = ({ tenantId }: { tenantId: string }) => truthRecorded.subject({ p, tenantId });
    for await (const { stored } of readNewest(broker, truths, truthRecorded, recorded)) {
      partition.truthRecorded(stored);
    }
    for (const desk of partition.#desks.values()) {
      desk.endHoldsIfOffboarded();
      for (const hold of desk.ledger.holds.values()) {
        partition.wakeAt(
          desk.ledger.tenantId,
          hold.dispatchId,
          Math.min(hold.releaseAtMs ?? hold.expiresAtMs, hold.expiresAtMs),
        );
      }
    }
    partition.#open = true;
    return partition;
  }

  /** Whether desks may work: everything is read that a decision looks at, and the partition is still ours. */
  isOpen(): boolean {
    return this.#open && !this.context.closed();
  }

  desk(tenantId: string): TenantDesk {
    return this.#desks.getOrInsertComputed(tenantId, () => new TenantDesk(this, new TenantLedger(tenantId)));
  }

  desks(): IterableIterator<TenantDesk> {
    return this.#desks.values();
  }

  handle(input: StoredMessage): void | Promise<void> {
    switch (input.stream) {
      case 'TRUTH':
        return handleTruth(this, input);
      case 'CONFIG':
        return isOffboarding(input) ? handleTenantOffboarded(this, input) : handleTenantConfig(this, input);
      case 'OPERATOR':
        return handleOperatorCommand(this, input);
      case 'OUTCOMES':
        return handleOutcome(this, input);
      default:
        handleDispatchRequested(this, input);
        return this.#pause();
    }
  }

  tick(nowMs: number): void {
    this.#watchFreshness(nowMs);
    for (const key of this.#wakes.due(nowMs)) {
      const [tenantId, dispatchId] = key.split('/') as [string, string];
      this.desk(tenantId).again(dispatchId, 'release_due');
    }
    this.#watchPolicy();
    for (const desk of this.#desks.values()) if (desk.waiting > 0) desk.kick();
  }

  /** Only what is worked off counts as reflected; the chain's own position is that of the oldest write in flight. */
  positions(handled: Positions): Positions {
    const reached: Record<string, number> = { ...handled };
    let chain = this.highestSeq;
    for (const desk of this.#desks.values()) {
      for (const stream of ['REQUESTS', 'OPERATOR', 'OUTCOMES'] as const) {
        const oldest = desk.oldestPending(stream);
        if (oldest !== null) reached[stream] = Math.min(reached[stream] ?? 0, oldest - 1);
      }
      if (desk.lowWater !== null) chain = Math.min(chain, desk.lowWater);
    }
    return { ...reached, DECISIONS: chain };
  }

  async workedOff(): Promise<void> {
    await Promise.all([...this.#desks.values()].map((desk) => desk.workedOff()));
  }

  /** Touches and holds first: a state that is saved must never be ahead of them. */
  async settled(): Promise<void> {
    if (this.#desks.size > 0) crashPoint('before_ledger_save');
    const saved = [...this.#desks.values()].map((desk) => saveTouchesAndHolds(this.context, desk.ledger));
    await this.context.publisher.flushed();
    if (saved.length > 0) crashPoint('ledger_half_saved');
    for (const saveState of saved) saveState();
  }

  counts() {
    const changed = this.#changed;
    this.#changed = 0;
    const tenants = [...this.#desks.values()].filter((desk) => !desk.ledger.hasLeft).length;
    return { tenants, changed };
  }

  /** The truths stand for a time that is at most two cadences ago. */
  isFresh(nowMs: number): boolean {
    const { cadenceSec, truthCadences } = this.policy.current.policy.dispatch;
    const fresh = nowMs - this.#truthAsOfMs <= cadenceSec * 1000 * truthCadences;
    // Whoever decides by a stale truth must be woken when it is fresh again, also when no tick saw it stale.
    if (!fresh) this.#wasFresh = false;
    return fresh;
  }

  truthMarked(asOfMs: number): void {
    this.#truthAsOfMs = Math.max(this.#truthAsOfMs, asOfMs);
    this.#watchFreshness(Date.now());
  }

  wakeAt(tenantId: string, dispatchId: string, atMs: number): void {
    this.#wakes.set(`${tenantId}/${dispatchId}`, atMs);
  }

  /** Asks the list at the moment of the request; no answer is unknown, never clear. */
  async suppressionOf(tenantId: string, recipientKey: string): Promise<RecipientStanding['suppression']> {
    const { broker, p } = this.context;
    const subject = suppressionListed.subject({ p, tenantId, recipientKey });
    try {
      const found = await broker.jsm.direct.getMessage('SUPPRESSIONS', { last_by_subj: subject });
      if (!found) return 'clear';
      return decodeLenient(suppressionListed, found.data).state === 'suppressed' ? 'suppressed' : 'clear';
    } catch {
      return 'unknown';
    }
  }

  recorded(seq: number): void {
    this.#changed++;
    this.highestSeq = Math.max(this.highestSeq, seq);
  }

  /** Called after each piece of work: a paused reader goes on when enough is done. */
  worked(): void {
    if (this.#resume.length === 0 || this.#waiting() > WAITING_RESUME) return;
    for (const resume of this.#resume.splice(0)) resume();
  }

  /**
   * True when the desk may go on with its next piece of work. Work that we gave ourselves is rejected in the name
   * of the record that it was about.
   */
  async failed(work: { input: StoredMessage | null; recordSeq: number }, error: Error): Promise<boolean> {
    if (error instanceof PublishAbandoned) return false;
    const { broker, service } = this.context;
    try {
      if (UNWRITABLE.some((kind) => error instanceof kind)) throw error;
      const input = work.input ?? (await readAt(broker, 'DECISIONS', work.recordSeq));
      const reason = error instanceof RefusedCommand ? 'contract_violation' : 'handler_fault';
      if (input) await rejectInput(broker, service, input, reason, error);
      return true;
    } catch (problem) {
      this.context.lost(problem as Error);
      return false;
    }
  }

  /** Another policy means other caps and thresholds: every hold is decided again. */
  #watchPolicy(): void {
    const { digest } = this.policy.current;
    if (digest === this.#decidedWith) return;
    this.#decidedWith = digest;
    for (const desk of this.#desks.values()) {
      for (const dispatchId of desk.ledger.holds.keys()) desk.again(dispatchId, 'policy_changed');
    }
  }

  #watchFreshness(nowMs: number): void {
    const fresh = this.isFresh(nowMs);
    if (fresh && !this.#wasFresh) for (const desk of this.#desks.values()) desk.freshAgain();
    this.#wasFresh = fresh;
  }

  #waiting(): number {
    let waiting = 0;
    for (const desk of this.#desks.values()) waiting += desk.waiting;
    return waiting;
  }

  #pause(): void | Promise<void> {
    if (this.#waiting() < WAITING_MAX) return;
    return new Promise((resolve) => this.#resume.push(resolve));
  }

  close(): void {
    for (const resume of this.#resume.splice(0)) resume();
  }

  #restore(stored: StoredMessage): void {
    this.context.publisher.seed(stored.subject, stored.seq);
    const [, , tenantId, kind] = stored.subject.split('.') as [string, string, string, string];
    const { ledger } = this.desk(tenantId);
    if (kind === 'state') {
      const saved = decodeLenient(ledgerSaved, stored.data);
      ledger.restoreState(saved);
      this.highestSeq = Math.max(this.highestSeq, saved.chainSeq);
    } else if (kind === 'touches') {
      ledger.restoreTouches(stored.subject.split('.')[4]!, decodeLenient(touchesSaved, stored.data));
    } else {
      const { hold } = decodeLenient(holdSaved, stored.data);
      if (hold) ledger.restoreHold(hold);
    }
  }

  #replay(stored: StoredMessage): void {
    const [, , tenantId, kind] = stored.subject.split('.') as [string, string, string, string];
    const record = decodeLenient(recordContract(kind), stored.data) as ChainRecord;
    this.desk(tenantId).ledger.apply(record, stored.seq, stored.data);
    this.highestSeq = Math.max(this.highestSeq, stored.seq);
  }

  truthRecorded(stored: StoredMessage): void {
    const message = decodeLenient(truthRecorded, stored.data);
    const { fingerprint, epoch, tenantId } = message;
    const cited = { seq: stored.seq, digest: digestOfBytes(stored.data), fingerprint, epoch };
    this.desk(tenantId).truthMoved({ truth: truthFromWire(message), cited });
  }
}

function recordContract(kind: string): MessageContract<{ v: string }, never> {
  const contracts: Record<string, unknown> = {
    OUTCOME: outcomeRecorded,
    INTERVENTION: interventionRecorded,
    APPROVAL: approvalRecorded,
  };
  return (contracts[kind] ?? decisionRecorded) as MessageContract<{ v: string }, never>;
}
