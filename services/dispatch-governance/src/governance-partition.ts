import type { Mark } from '@orchestrate/contracts';
import {
  crashPoint,
  DeadlineHeap,
  type PartitionContext,
  type PartitionWorker,
  type Positions,
  PublishAbandoned,
  PublishConflict,
  PublishRefused,
  PublishUncertain,
  readAt,
  rejectInput,
  type StoredMessage,
  UnsupportedVersion,
} from '@orchestrate/messaging';
import { isOffboarding, type PolicyInForce } from '@orchestrate/service-kit';
import type { Trigger } from './decision-record.ts';
import type { DeskPool } from './desk-pool.ts';
import { handleDispatchRequested } from './handle-dispatch-requested.ts';
import { handleOperatorCommand } from './handle-operator-command.ts';
import { handleOutcome } from './handle-outcome.ts';
import { handleTenantConfig } from './handle-tenant-config.ts';
import { handleTenantOffboarded } from './handle-tenant-offboarded.ts';
import { handleTruth } from './handle-truth.ts';
import type { HoldTurns } from './hold-turns.ts';
import { LeftOutRequests } from './left-out-requests.ts';
import { type ReadIndex, readIndex } from './read-index.ts';
import { RefusedCommand } from './refused-command.ts';
import { saveTouchesAndHolds } from './save-ledger.ts';
import type { SuppressionList } from './suppression-list.ts';
import { TenantDesk } from './tenant-desk.ts';
import type { TenantEntry, TenantIndex } from './tenant-entry.ts';
import { Visits } from './visits.ts';

/** So many records after the last mark the next one is due, or a take-over would have too much to read again. */
const RECORDS_PER_MARK = 1_000;
/** A chain that cannot be written to, or not by us, is no fault of the input: it is read and decided again. */
const UNWRITABLE = [PublishConflict, PublishRefused, PublishUncertain];
const CHAIN_INPUTS = ['REQUESTS', 'OPERATOR', 'OUTCOMES'] as const;

/** What the partitions of a process have together. */
export interface Shared {
  readonly policy: PolicyInForce;
  readonly pool: DeskPool;
  readonly turns: HoldTurns;
  readonly suppressions: SuppressionList;
}

/** The desks of one partition's tenants, their time and what they share. */
export class GovernancePartition implements PartitionWorker {
  readonly context: PartitionContext;
  readonly policy: PolicyInForce;
  readonly pool: DeskPool;
  readonly turns: HoldTurns;
  readonly suppressions: SuppressionList;
  readonly index: TenantIndex;
  readonly covered: Positions;
  readonly leftOut = new LeftOutRequests();
  readonly #desks = new Set<TenantDesk>();
  /** Desks whose ledgers changed since they were saved. */
  readonly #changed = new Set<TenantDesk>();
  readonly #visits: Visits;
  /** Records that no saved ledger holds and no desk has replayed yet. */
  readonly #tails = new Map<TenantEntry, { readonly fromSeq: number }>();
  readonly #wakes = new DeadlineHeap();
  readonly #ignorePressure: () => void;
  /** Highest sequence of the partition's chains that is known. */
  highestSeq: number;
  /** Chain positions that are saved, and that will be when the mark that is being made is there. */
  #savedSeq: number;
  #savingSeq: number;
  /** Inputs that were not taken because the partition is being let go, by their first sequence. */
  readonly #notTaken = new Map<string, number>();
  #truthAsOfMs: number;
  #wasFresh = false;
  #decidedWith: string;
  #open = false;
  #finishing = false;
  #records = 0;

  private constructor(context: PartitionContext, mark: Mark | null, read: ReadIndex, shared: Shared) {
    this.context = context;
    this.policy = shared.policy;
    this.pool = shared.pool;
    this.turns = shared.turns;
    this.suppressions = shared.suppressions;
    this.index = read.index;
    this.covered = read.covered;
    this.highestSeq = read.highestSeq;
    this.#savedSeq = mark?.inputs.DECISIONS ?? 0;
    this.#savingSeq = this.#savedSeq;
    this.#truthAsOfMs = read.truthAsOfMs;
    this.#wasFresh = this.isFresh(Date.now());
    this.#decidedWith = shared.policy.current.digest;
    for (const entry of this.index.all()) if (entry.tail) this.#tails.set(entry, entry.tail);
    for (const { tenantId, dispatchId, atMs } of read.wakes) this.wakeAt(tenantId, dispatchId, atMs);
    this.#ignorePressure = this.pool.onPressure(() => this.#relieve());
    this.#visits = new Visits((entry) => this.#visit(entry));
  }

  /**
   * Where everything stands; desks are set up when somebody needs them. What is done at once: those who left are
   * forgotten, before any mark says that we heard of it; and every open hold is looked at again, because nobody knows
   * what the owner before did not come to.
   */
  static async open(
    context: PartitionContext,
    mark: Mark | null,
    shared: Shared,
  ): Promise<GovernancePartition> {
    const read = await readIndex(context, mark);
    const partition = new GovernancePartition(context, mark, read, shared);
    try {
      for (const tenantId of read.leaving) await partition.#visit(partition.index.at(tenantId));
    } catch (error) {
      partition.close();
      throw error;
    }
    partition.#open = true;
    for (const desk of partition.#desks) desk.kick();
    for (const entry of read.index.all()) {
      if (entry.mayHold()) partition.visit(entry, 'truth_changed');
    }
    return partition;
  }

  /** Whether desks may work: everything is known that tells what to read, and the partition is still ours. */
  isOpen(): boolean {
    return this.#open && !this.#finishing && !this.context.closed();
  }

  /** Does something at a tenant's desk, now or, when too many are there, as soon as there is a place. */
  atDesk(tenantId: string, input: StoredMessage, use: (desk: TenantDesk) => void): void | Promise<void> {
    const entry = this.index.at(tenantId);
    if (entry.desk || (!this.#finishing && this.pool.tryEnter())) return use(entry.desk ?? this.#seat(entry));
    return this.#seatLater(entry).then((desk) => (desk ? use(desk) : this.#leaveUntaken(input)));
  }

  /** Like `atDesk`, once everything about the tenant is read. */
  async atReadyDesk(
    tenantId: string,
    input: StoredMessage,
    use: (desk: TenantDesk) => void | Promise<void>,
  ): Promise<void> {
    const entry = this.index.at(tenantId);
    const desk = this.#finishing ? null : (entry.desk ?? (await this.#seatLater(entry)));
    if (!desk || !(await desk.stay(use))) this.#leaveUntaken(input);
  }

  /** Sets a desk up when there is time for it, to decide its holds again. */
  visit(entry: TenantEntry, trigger: Trigger): void {
    entry.dueAll = trigger;
    this.#visits.add(entry);
  }

  async #visit(entry: TenantEntry): Promise<void> {
    if (this.context.closed() || this.#finishing) return;
    const desk = entry.desk ?? (await this.#seatLater(entry));
    await desk?.ready;
    desk?.takeDue();
  }

  async #seatLater(entry: TenantEntry): Promise<TenantDesk | null> {
    const isOver = () => this.context.closed() || this.#finishing;
    if (isOver() || !(await this.pool.enter(this))) return null;
    if (isOver() || entry.desk) {
      this.pool.leave();
      return entry.desk;
    }
    return this.#seat(entry);
  }

  #seat(entry: TenantEntry): TenantDesk {
    const desk = new TenantDesk(this, entry);
    entry.desk = desk;
    this.#desks.add(desk);
    return desk;
  }

  #leaveUntaken({ stream, seq }: StoredMessage): void {
    this.#notTaken.set(stream, Math.min(seq, this.#notTaken.get(stream) ?? seq));
  }

  /** Everything that a desk needs was read. */
  seated(desk: TenantDesk, entry: TenantEntry): void {
    if (desk.ledger.hasLeft) this.index.leave(entry);
    if (desk.isDirty) this.changed(desk);
    if (!entry.tail) return;
    entry.tail = null;
    this.#tails.delete(entry);
    for (const { dispatchId, releaseAtMs, expiresAtMs } of desk.ledger.holds.values()) {
      this.wakeAt(entry.tenantId, dispatchId, Math.min(releaseAtMs ?? expiresAtMs, expiresAtMs));
    }
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
        return handleDispatchRequested(this, input);
    }
  }

  tick(nowMs: number): void {
    this.#watchFreshness(nowMs);
    for (const key of this.#wakes.due(nowMs)) {
      const [tenantId, dispatchId] = key.split('/') as [string, string];
      const entry = this.index.at(tenantId);
      entry.due ??= new Map();
      entry.due.set(dispatchId, 'release_due');
      if (entry.desk?.isReady) entry.desk.takeDue();
      else this.#visits.add(entry);
    }
    this.#watchPolicy();
    for (const desk of this.#desks) {
      if (desk.hasWork) desk.kick();
      desk.idleTicks = desk.isIdle ? desk.idleTicks + 1 : 0;
      if (desk.idleTicks >= this.pool.idleSecMax) this.#letGo(desk);
    }
  }

  /** Only what is worked off counts as reflected; the chain's own position is that of the oldest write in flight. */
  positions(handled: Positions): Positions {
    const reached: Record<string, number> = { ...handled };
    const claimAtMost = (stream: string, seq: number | null) => {
      if (seq !== null) reached[stream] = Math.min(reached[stream] ?? 0, seq - 1);
    };
    let chain = this.highestSeq;
    for (const desk of this.#desks) {
      for (const stream of CHAIN_INPUTS) claimAtMost(stream, desk.oldestPending(stream));
      if (desk.lowWater !== null) chain = Math.min(chain, desk.lowWater);
    }
    claimAtMost('REQUESTS', this.leftOut.oldestSeq());
    for (const [stream, seq] of this.#notTaken) claimAtMost(stream, seq);
    for (const { fromSeq } of this.#tails.values()) chain = Math.min(chain, fromSeq - 1);
    this.#savingSeq = chain;
    return { ...reached, DECISIONS: this.#finishing ? this.#savedSeq : chain };
  }

  async workedOff(): Promise<void> {
    await Promise.all([...this.#desks].map((desk) => desk.workedOff()));
  }

  /** What waits is left to the next owner, and what is not saved it reads from the chains. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.pool.giveUp(this);
    await Promise.all([...this.#desks].map((desk) => desk.finished()));
  }

  /** Touches and holds first: a state that is saved must never be ahead of them. */
  async settled(): Promise<void> {
    if (this.#finishing) return;
    const { context } = this;
    const savingSeq = this.#savingSeq;
    const desks = [...this.#changed];
    this.#changed.clear();
    for (const desk of desks) desk.isSaving = true;
    if (desks.length > 0) crashPoint('before_ledger_save');
    const saved = desks.map((desk) =>
      saveTouchesAndHolds(context, desk.ledger, (subject) => desk.headOf(subject)),
    );
    await context.publisher.flushed();
    if (saved.length > 0) crashPoint('ledger_half_saved');
    for (const saveState of saved) saveState();
    await context.publisher.flushed();
    for (const desk of desks) desk.isSaving = false;
    this.#savedSeq = savingSeq;
    if (this.pool.isCrowded) this.#relieve();
  }

  counts() {
    const changed = this.#records;
    this.#records = 0;
    return { tenants: this.index.present, changed };
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

  recorded(seq: number): void {
    this.#records++;
    this.highestSeq = Math.max(this.highestSeq, seq);
    if (this.#records % RECORDS_PER_MARK === 0) this.context.requestMark();
  }

  /** A ledger is ahead of what is saved of it. */
  changed(desk: TenantDesk): void {
    this.#changed.add(desk);
  }

  /** Called when a desk came to the end of what it could do. */
  worked(desk: TenantDesk): void {
    if (!this.pool.isCrowded || !this.isOpen()) return;
    if (desk.isIdle) this.#letGo(desk);
    else if (desk.isDirty) this.context.requestMark();
  }

  #relieve(): void {
    let toSave = false;
    for (const desk of this.#desks) {
      if (desk.isIdle) this.#letGo(desk);
      else toSave ||= desk.isDirty;
    }
    if (toSave) this.context.requestMark();
  }

  #letGo(desk: TenantDesk): void {
    const entry = this.index.at(desk.ledger.tenantId);
    desk.leaveNote();
    this.#desks.delete(desk);
    this.pool.leave();
    // It made room for others; its own rest waits in the stream.
    if (this.leftOut.of(entry.tenantId)) this.#visits.add(entry);
  }

  /**
   * True when the desk may go on with its next piece of work. Work that we gave ourselves is rejected in the name
   * of the record that it was about.
   */
  async failed(work: { input: StoredMessage | null; recordSeq: number }, error: Error): Promise<boolean> {
    if (error instanceof PublishAbandoned) return false;
    const { broker, service } = this.context;
    try {
      if (error instanceof UnsupportedVersion || UNWRITABLE.some((kind) => error instanceof kind))
        throw error;
      const input = work.input ?? (await readAt(broker, 'DECISIONS', work.recordSeq, this.context.p));
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
    this.#everyHoldAgain('policy_changed', () => true);
  }

  #watchFreshness(nowMs: number): void {
    const fresh = this.isFresh(nowMs);
    if (fresh && !this.#wasFresh) this.#everyHoldAgain('truth_changed', (entry) => entry.hasStaleHold);
    this.#wasFresh = fresh;
  }

  #everyHoldAgain(trigger: 'policy_changed' | 'truth_changed', isMeant: (entry: TenantEntry) => boolean) {
    for (const desk of this.#desks) {
      if (trigger === 'truth_changed') desk.freshAgain();
      else desk.everyHoldAgain(trigger);
    }
    for (const entry of this.index.all()) {
      if (!entry.desk?.isReady && entry.mayHold() && (entry.tail || isMeant(entry)))
        this.visit(entry, trigger);
    }
  }

  close(): void {
    this.#ignorePressure();
    this.pool.giveUp(this);
    this.#visits.close();
    for (const desk of this.#desks) {
      desk.passTurnOn();
      this.pool.leave();
    }
    this.#desks.clear();
  }
}
