import { CANONICAL_BLOCKER_LAYERS, type CanonicalRuntimeTruth } from '@orchestrate/canon';
import type {
  DispatchRequested,
  OperatorCommanded,
  OutcomeReported,
  TenantConfig,
} from '@orchestrate/contracts';
import type { Head, StoredMessage } from '@orchestrate/messaging';
import type { CitedTruth, Trigger } from './decision-record.ts';
import type { Declared } from './declared-tenants.ts';
import type { GovernancePartition } from './governance-partition.ts';
import { HoldQueue } from './hold-queue.ts';
import { type HeldConfig, loadConfig, loadLedger, loadTruth, untilRead } from './load-tenant.ts';
import { RequestQueue, type WaitingRequest } from './request-queue.ts';
import type { Task } from './task.ts';
import type { TenantEntry } from './tenant-entry.ts';
import { TenantJudge } from './tenant-judge.ts';
import { TenantLedger } from './tenant-ledger.ts';

export interface HeldTruth {
  readonly truth: CanonicalRuntimeTruth;
  readonly cited: CitedTruth;
}

/**
 * Everything about one tenant, one thing after another: its chain has one writer and each record waits for the one
 * before. Commands and outcomes go first, then new requests, then holds that are decided again, oldest first.
 * It is there while there is work for it, and nothing is done at it before all that a decision looks at was read.
 */
export class TenantDesk {
  readonly ledger: TenantLedger;
  config: TenantConfig | undefined;
  #declared: { readonly seq: number; readonly storedAtMs: number } | undefined;
  truth: HeldTruth | null = null;
  /** Resolves when the desk is ready to work; never rejects. */
  readonly ready: Promise<void>;
  /** Ticks since it had something to do. */
  idleTicks = 0;
  /** Its ledger is being written. */
  isSaving = false;
  readonly #entry: TenantEntry;
  readonly #partition: GovernancePartition;
  readonly #judge: TenantJudge;
  #heads = new Map<string, Head>();
  readonly #urgent: Task[] = [];
  readonly #requests: RequestQueue;
  readonly #holds: HoldQueue;
  #isReady = false;
  #stays = 0;
  /** Whether it took some of the requests that were left in the stream since it was set up. */
  #hadHelping = false;
  #running = false;
  #work: Promise<void> = Promise.resolve();
  #current: Task | null = null;

  constructor(partition: GovernancePartition, entry: TenantEntry) {
    this.#partition = partition;
    this.#entry = entry;
    this.ledger = new TenantLedger(entry.tenantId);
    this.#judge = new TenantJudge(partition, entry, this);
    this.#requests = new RequestQueue(partition.context, entry.tenantId, partition.leftOut, (recipientKey) =>
      this.#judge.suppressionOf(recipientKey),
    );
    this.#holds = new HoldQueue(partition.turns, () => {
      this.kick();
      if (!this.#running) this.passTurnOn();
    });
    this.ready = this.#setUp();
  }

  get waiting(): number {
    return this.#urgent.length + this.#requests.length + this.#holds.length;
  }

  /** Whether it could be let go: nothing to do here, nothing that is not saved, nothing left in the stream. */
  get isIdle(): boolean {
    const isBusy = this.#running || this.#holds.turn !== null || this.#stays > 0 || this.waiting > 0;
    return this.#isReady && !isBusy && !this.isSaving && !this.isDirty;
  }

  /** Whether it goes on as soon as time or others let it. */
  get hasWork(): boolean {
    return this.waiting > 0 || this.#requests.hasMore();
  }

  /** Whether everything about the tenant is read. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Does something once everything is read, and is not let go meanwhile; false when it cannot be read. */
  async stay(use: (desk: TenantDesk) => void | Promise<void>): Promise<boolean> {
    this.#stays++;
    try {
      await this.ready;
      if (this.#isReady) await use(this);
      return this.#isReady;
    } finally {
      this.#stays--;
    }
  }

  get isDirty(): boolean {
    const { state, buckets, holds } = this.ledger.dirty;
    return state || buckets.size > 0 || holds.size > 0;
  }

  get lowWater(): number | null {
    return this.#judge.lowWater;
  }

  /** Where the sequence of a saved part of its ledger is kept. */
  headOf(subject: string): Head {
    return this.#heads.getOrInsertComputed(subject, () => ({ seq: 0 }));
  }

  /** The oldest input of a stream that is not worked off yet. */
  oldestPending(stream: StoredMessage['stream']): number | null {
    let oldest: number | null = null;
    const consider = (task: Pick<Task, 'input'> | null) => {
      if (task?.input?.stream === stream) oldest = Math.min(oldest ?? task.input.seq, task.input.seq);
    };
    consider(this.#current);
    // Each list is in stream order, so its first entry of a stream is its oldest.
    consider(this.#urgent.find((task) => task.input?.stream === stream) ?? null);
    consider(this.#requests.first ?? null);
    return oldest;
  }

  async #setUp(): Promise<void> {
    const { context, pool } = this.#partition;
    try {
      await pool.settingUp(() => this.#load());
    } catch (error) {
      context.lost(error as Error);
      return;
    }
    if (context.closed()) return;
    this.#isReady = true;
    this.#partition.seated(this, this.#entry);
    if (this.#entry.hasLeft) this.leave();
    this.endHoldsIfOffboarded();
    this.takeDue();
    this.kick();
  }

  async #load(): Promise<void> {
    const { context } = this.#partition;
    const entry = this.#entry;
    this.#heads = await loadLedger(context, entry, this.ledger);
    // Whoever moves meanwhile is only noted, so what was read is compared with what is known now.
    for (let [configSeq, truthSeq] = [0, 0]; configSeq < entry.configSeq || truthSeq < entry.truthSeq; ) {
      if (entry.hasLeft) return;
      if (configSeq < entry.configSeq) {
        const { held, headSeq } = await untilRead(context, () => loadConfig(context, entry));
        configSeq = headSeq;
        if (held) this.#declare(held);
      }
      if (truthSeq < entry.truthSeq) {
        const { held, headSeq } = await untilRead(context, () => loadTruth(context, entry));
        truthSeq = headSeq;
        if (held) this.truth = held;
      }
    }
  }

  /** What became due while nobody was here. */
  takeDue(): void {
    const entry = this.#entry;
    if (entry.dueAll) this.everyHoldAgain(entry.dueAll);
    for (const [dispatchId, trigger] of entry.due ?? []) this.again(dispatchId, trigger);
    entry.dueAll = null;
    entry.due = null;
  }

  /** Notes on leaving what must be known of the tenant without the desk. */
  leaveNote(): void {
    const entry = this.#entry;
    const { holds } = this.ledger;
    const state = `ledger.${this.#partition.context.p}.${entry.tenantId}.state`;
    entry.stateSeq = Math.max(entry.stateSeq, this.#heads.get(state)?.seq ?? 0);
    entry.holds = holds.size;
    entry.hasStaleHold = holds.values().some((hold) => hold.stale);
    entry.desk = null;
  }

  request(request: DispatchRequested, input: StoredMessage): void {
    if (input.seq <= this.ledger.chain.lastRequestSeq) return;
    this.#requests.add(request, input);
    this.kick();
  }

  command(command: OperatorCommanded, input: StoredMessage): void {
    if (this.#judge.isObeyed(command, input)) return;
    this.#urgent.push({ input, run: () => this.#judge.obey(command, input), recordSeq: 0 });
    this.kick();
  }

  outcome(outcome: OutcomeReported, input: StoredMessage): void {
    if (outcome.state === 'claimed' || input.seq <= this.ledger.chain.lastOutcomeSeq) return;
    this.#urgent.push({ input, run: () => this.#judge.recordOutcome(outcome, input), recordSeq: 0 });
    this.kick();
  }

  /** A new truth: holds whose unblock set may have moved are decided again. */
  truthMoved(next: HeldTruth): void {
    if (this.ledger.hasLeft) return;
    // After a take-over inputs are read again that are older than what was restored.
    if (this.truth && next.cited.seq <= this.truth.cited.seq) return;
    const before = this.truth?.truth;
    this.truth = next;
    if (this.ledger.holds.size === 0) return;
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

  /** Since when its newest declaration stands; undefined before the first, and when the tenant left. */
  get declared(): Declared | undefined {
    if (!this.config || !this.#declared) return undefined;
    return { tenantId: this.ledger.tenantId, storedAtMs: this.#declared.storedAtMs };
  }

  configMoved(config: TenantConfig, { seq, storedAtMs }: StoredMessage): void {
    if (this.ledger.hasLeft || !this.#declare({ config, seq, storedAtMs })) return;
    this.everyHoldAgain('config_changed');
  }

  #declare({ config, seq, storedAtMs }: HeldConfig): boolean {
    if (seq <= (this.#declared?.seq ?? 0)) return false;
    this.#declared = { seq, storedAtMs };
    this.config = config;
    return true;
  }

  /** The tenant is gone for good: of it only the chain goes on. */
  leave(): void {
    this.ledger.leave();
    this.config = undefined;
    this.truth = null;
    const { publisher, p } = this.#partition.context;
    if (this.ledger.isForgotten) {
      const own = `ledger.${p}.${this.ledger.tenantId}`;
      for (const saved of [`${own}.touches.`, `${own}.hold.`]) {
        publisher.forget(saved);
        for (const subject of this.#heads.keys()) if (subject.startsWith(saved)) this.#heads.delete(subject);
      }
    }
    if (this.isDirty) this.#partition.changed(this);
    this.endHoldsIfOffboarded();
  }

  /** A tenant that leaves waits for nothing any more. */
  endHoldsIfOffboarded(): void {
    if (this.ledger.isOffboarded) this.everyHoldAgain('operator');
  }

  everyHoldAgain(trigger: Trigger): void {
    const holds = [...this.ledger.holds.values()].sort((a, b) => a.requestSeq - b.requestSeq);
    for (const { dispatchId } of holds) this.again(dispatchId, trigger);
  }

  again(dispatchId: string, trigger: Trigger): void {
    this.#holds.add(dispatchId, trigger);
    this.kick();
  }

  kick(): void {
    if (this.#running || !this.#isReady || !this.#partition.isOpen()) return;
    this.#running = true;
    this.#work = this.#workOff();
  }

  /** Resolves when nothing is being worked on; a request that waits for a fresh truth does not count. */
  async workedOff(): Promise<void> {
    await this.ready;
    while (this.#running || this.#holds.turn !== null) await (this.#running ? this.#work : this.#holds.turn);
  }

  /** Resolves when what is being worked on is finished; what waits is left. */
  async finished(): Promise<void> {
    while (this.#running) await this.#work;
  }

  async #workOff(): Promise<void> {
    try {
      for (let task = this.#next(); task; task = this.#next()) {
        this.#current = task;
        try {
          await task.run();
        } catch (error) {
          if (!(await this.#partition.failed(task, error as Error))) return;
        } finally {
          this.#current = null;
        }
      }
    } finally {
      // In the same turn that saw the lists empty: what is pushed next starts the desk again.
      this.#running = false;
      this.passTurnOn();
      this.#partition.worked(this);
    }
  }

  /** What is taken must be done: what waits when the partition is let go is left to the next owner. */
  #next(): Task | undefined {
    if (!this.#partition.isOpen()) return undefined;
    const urgent = this.#urgent.shift();
    if (urgent) return urgent;
    const { first } = this.#requests;
    if (first) {
      if (!this.#mayDecide(first)) return undefined;
      this.passTurnOn();
      const { input } = this.#requests.shift()!;
      return { input, run: () => this.#judge.decideRequest(first), recordSeq: 0 };
    }
    // With others waiting for a place it takes one helping, gives its own to them, and stands at the end again.
    if (this.#requests.hasMore() && !(this.#hadHelping && this.#partition.pool.isCrowded)) {
      this.#hadHelping = true;
      const { lastRequestSeq } = this.ledger.chain;
      return { input: null, run: () => this.#requests.takeLeftOut(lastRequestSeq), recordSeq: 0 };
    }
    return this.#nextHold();
  }

  #nextHold(): Task | undefined {
    const next = this.#holds.shift();
    if (!next) return undefined;
    const { dispatchId, trigger } = next;
    const run = () => this.#judge.decideAgain(dispatchId, trigger).finally(() => this.#holds.decided());
    return { input: null, run, recordSeq: this.ledger.holds.get(dispatchId)?.decisionSeq ?? 0 };
  }

  /** Gives a turn back that it does not use. */
  passTurnOn(): void {
    this.#holds.passTurnOn();
  }

  /**
   * Nobody is at fault while the platform catches up: requests wait a while before they are held for it. No truth
   * could let anything of a tenant out that leaves, so nobody waits for one.
   */
  #mayDecide({ sinceMs }: WaitingRequest): boolean {
    const nowMs = Date.now();
    if (this.ledger.isOffboarded || this.#partition.isFresh(nowMs)) return true;
    return sinceMs + this.#partition.policy.current.policy.dispatch.staleWaitSec * 1000 <= nowMs;
  }
}
