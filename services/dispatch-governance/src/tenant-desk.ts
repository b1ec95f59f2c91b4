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
  type OpenHold,
  type OperatorCommanded,
  type OutcomeReported,
  outcomeRecorded,
  type Ruling,
  type TenantConfig,
} from '@orchestrate/contracts';
import {
  crashPoint,
  encode,
  PublishConflict,
  PublishUncertain,
  readLast,
  referenceTo,
  type Stored,
  type StoredMessage,
  storeUntilCertain,
} from '@orchestrate/messaging';
import type { Declared } from '@orchestrate/service-kit';
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
  /** Of work that we gave ourselves: the record of the hold that it is about. */
  readonly recordSeq: number;
}

/** A look-up in the suppression list that is older than this is made again: people unsubscribe meanwhile. */
const SUPPRESSION_AGE_MS_MAX = 1_000;
/** The list did not answer: asked again after this long. */
const SUPPRESSION_AGAIN_MS = 5_000;

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
  #declared: { readonly seq: number; readonly storedAtMs: number } | undefined;
  truth: HeldTruth | null = null;
  readonly #partition: GovernancePartition;
  readonly #urgent: Task[] = [];
  readonly #requests: Task[] = [];
  /** Holds to decide again, with what made it necessary. */
  readonly #again = new Map<string, Trigger>();
  #running = false;
  #work: Promise<void> = Promise.resolve();
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
    // The server's time of the request: a hold's end must not hang on the caller's clock.
    const asked: Asked = { ...request, requestedAtMs: input.storedAtMs, requestSeq: input.seq, attempt: 0 };
    // Asked for now, needed when its turn comes: the look-ups of a backlog overlap.
    const suppressionOf = () => this.#suppressionOf(request.action.recipientKey);
    const askedAtMs = Date.now();
    const suppression = suppressionOf();
    const patientUntilMs = askedAtMs + this.#partition.policy.current.policy.dispatch.staleWaitSec * 1000;
    const run = async () => {
      if (input.seq <= this.ledger.chain.lastRequestSeq) return;
      const { dispatchId } = request;
      // REQUESTS forgets an id after its age; what is still open here must not be decided as if it were new.
      if (this.ledger.holds.has(dispatchId) || this.ledger.awaited(dispatchId)) {
        return this.#refuse(`\`${dispatchId}\` was asked for before and is still open`);
      }
      const isOld = Date.now() - askedAtMs > SUPPRESSION_AGE_MS_MAX;
      await this.#decide(
        asked,
        'requested',
        referenceTo(input),
        await (isOld ? suppressionOf() : suppression),
      );
    };
    this.#requests.push({ input, run, patientUntilMs, recordSeq: 0 });
    this.kick();
  }

  command(command: OperatorCommanded, input: StoredMessage): void {
    if (this.#isObeyed(command, input)) return;
    this.#urgent.push({ input, run: () => this.#obey(command, input), patientUntilMs: 0, recordSeq: 0 });
    this.kick();
  }

  outcome(outcome: OutcomeReported, input: StoredMessage): void {
    if (outcome.state === 'claimed' || input.seq <= this.ledger.chain.lastOutcomeSeq) return;
    this.#urgent.push({ input, run: () => this.#record(outcome, input), patientUntilMs: 0, recordSeq: 0 });
    this.kick();
  }

  /** A new truth: holds whose unblock set may have moved are decided again. */
  truthMoved(next: HeldTruth): void {
    if (this.ledger.hasLeft) return;
    // After a take-over inputs are read again that are older than what was restored.
    if (this.truth && next.cited.seq <= this.truth.cited.seq) return;
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

  /** Since when its newest declaration stands; undefined before the first, and when the tenant left. */
  get declared(): Declared | undefined {
    if (!this.config || !this.#declared) return undefined;
    return { tenantId: this.ledger.tenantId, storedAtMs: this.#declared.storedAtMs };
  }

  configMoved(config: TenantConfig, { seq, storedAtMs }: StoredMessage): void {
    if (seq <= (this.#declared?.seq ?? 0) || this.ledger.hasLeft) return;
    this.#declared = { seq, storedAtMs };
    this.config = config;
    for (const dispatchId of this.ledger.holds.keys()) this.again(dispatchId, 'config_changed');
  }

  /** The tenant is gone for good: of it only the chain goes on. */
  leave(): void {
    this.ledger.leave();
    this.config = undefined;
    this.truth = null;
    const { publisher, p } = this.#partition.context;
    if (this.ledger.isForgotten) {
      const own = `ledger.${p}.${this.ledger.tenantId}`;
      for (const saved of ['touches', 'hold']) publisher.forget(`${own}.${saved}.`);
    }
    this.endHoldsIfOffboarded();
  }

  /** A tenant that leaves waits for nothing any more. */
  endHoldsIfOffboarded(): void {
    if (!this.ledger.isOffboarded) return;
    for (const dispatchId of this.ledger.holds.keys()) this.again(dispatchId, 'operator');
  }

  again(dispatchId: string, trigger: Trigger): void {
    this.#again.set(dispatchId, trigger);
    this.kick();
  }

  kick(): void {
    if (this.#running || !this.#partition.isOpen()) return;
    this.#running = true;
    this.#work = this.#workOff();
  }

  /** Resolves when nothing is being worked on; a request that waits for a fresh truth does not count. */
  async workedOff(): Promise<void> {
    while (this.#running) await this.#work;
  }

  async #workOff(): Promise<void> {
    try {
      for (let task = this.#next(); task && this.#partition.isOpen(); task = this.#next()) {
        this.#current = task;
        try {
          await task.run();
        } catch (error) {
          if (!(await this.#partition.failed(task, error as Error))) return;
        } finally {
          this.#current = null;
          this.#partition.worked();
        }
      }
    } finally {
      // In the same turn that saw the lists empty: what is pushed next starts the desk again.
      this.#running = false;
    }
  }

  #next(): Task | undefined {
    const urgent = this.#urgent.shift();
    if (urgent) return urgent;
    const [request] = this.#requests;
    // Nobody is at fault while the platform catches up: requests wait a while before they are held for it.
    if (request && (this.#isReady() || request.patientUntilMs <= Date.now())) return this.#requests.shift();
    const [again] = this.#again;
    if (!again || request) return undefined;
    const [dispatchId, trigger] = again;
    this.#again.delete(dispatchId);
    const recordSeq = this.ledger.holds.get(dispatchId)?.decisionSeq ?? 0;
    return { input: null, run: () => this.#decideAgain(dispatchId, trigger), patientUntilMs: 0, recordSeq };
  }

  /** No truth could let anything of a tenant out that leaves: nobody waits for one. */
  #isReady(): boolean {
    return this.ledger.isOffboarded || this.#partition.isFresh(Date.now());
  }

  /** The list of a tenant that left is gone with it: nobody can tell any more who was on it. */
  async #suppressionOf(recipientKey: string): Promise<RecipientStanding['suppression']> {
    if (this.ledger.hasLeft) return 'unknown';
    return this.#partition.suppressionOf(this.ledger.tenantId, recipientKey);
  }

  async #decideAgain(dispatchId: string, trigger: Trigger): Promise<void> {
    const hold = this.ledger.holds.get(dispatchId);
    if (!hold) return;
    const suppression = await this.#suppressionOf(hold.action.recipientKey);
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
    ruled?: Ruling,
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
    const ruling = this.ledger.isOffboarded ? 'tenant_offboarded' : ruled;
    const decision = ruling ? finalBlock(found, ruling) : found;
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

  /** A rejection is two records; whoever died between them is found with its hold still open. */
  #isObeyed(command: OperatorCommanded, input: StoredMessage): boolean {
    if (input.seq > this.ledger.chain.lastCommandSeq) return false;
    return command.command !== 'reject' || this.#holdOf(command) === undefined;
  }

  #holdOf(command: OperatorCommanded): OpenHold | undefined {
    return command.dispatchId === null ? undefined : this.ledger.holds.get(command.dispatchId);
  }

  async #obey(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    if (this.#isObeyed(command, input)) return;
    if (command.command === 'approve') await this.#approve(command, input);
    else if (command.command === 'reject') await this.#reject(command, input);
    else await this.#intervene(command, input);
  }

  async #approve(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    const hold = this.#holdOf(command) ?? (await this.#refuse(`\`${command.dispatchId}\` is no open hold`));
    const { approvalValidSec } = this.#partition.policy.current.policy.dispatch;
    const record = approvalRecord(this.ledger, command, input, Date.now() + approvalValidSec * 1000);
    await this.append(record, encode(approvalRecorded, record));
    this.again(hold.dispatchId, 'operator');
  }

  async #reject(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    const hold = this.#holdOf(command) ?? (await this.#refuse(`\`${command.dispatchId}\` is no open hold`));
    if (input.seq > this.ledger.chain.lastCommandSeq) await this.#intervene(command, input);
    const suppression = await this.#suppressionOf(hold.action.recipientKey);
    await this.#decide(hold, 'operator', referenceTo(input), suppression, 'rejected_by_operator');
  }

  async #intervene(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    const record = interventionRecord(this.ledger, command, input);
    await this.append(record, encode(interventionRecorded, record));
    this.endHoldsIfOffboarded();
  }

  async #record(outcome: OutcomeReported, input: StoredMessage): Promise<void> {
    if (input.seq <= this.ledger.chain.lastOutcomeSeq) return;
    const awaited = this.ledger.awaited(outcome.dispatchId);
    if (!awaited) return this.#refuse(`no release of \`${outcome.dispatchId}\` awaits an outcome`);
    if (outcome.decisionSeq !== awaited.release.seq) {
      return this.#refuse(`the release of \`${outcome.dispatchId}\` is DECISIONS/${awaited.release.seq}`);
    }
    const record = outcomeRecord(this.ledger, outcome, input, awaited);
    await this.append(record, encode(outcomeRecorded, record));
  }

  /** It does not fit what we know of the chain; but only a chain that nobody else wrote to is known. */
  async #refuse(problem: string): Promise<never> {
    const headSeq = await this.#headSeq();
    if (headSeq !== null && headSeq !== this.ledger.chain.chainSeq) {
      throw new PublishConflict(`somebody else wrote to the chain of ${this.ledger.tenantId}`);
    }
    throw new RefusedCommand(problem);
  }

  /** Writes the next record of the chain and folds it once it is durable. */
  async append(record: ChainRecord, data: Uint8Array): Promise<void> {
    this.#writingSince = this.#partition.highestSeq;
    crashPoint('before_chain_record');
    try {
      const stored = await this.#store(record, data, this.ledger.chain.chainSeq);
      crashPoint('chain_record_stored');
      this.ledger.apply(record, stored.seq, data);
      this.#partition.recorded(stored.seq);
    } finally {
      this.#writingSince = null;
    }
  }

  async #store(record: ChainRecord, data: Uint8Array, lastSeq: number): Promise<Stored> {
    const { broker, p, closed } = this.#partition.context;
    const { tenantId } = this.ledger;
    const subject = decisionRecorded.subject({ p, tenantId, kind: record.kind });
    try {
      const message = { subject, data, lastSeq, fence: this.#chainSubjects() };
      return await storeUntilCertain(broker, 'DECISIONS', message, closed);
    } catch (error) {
      // The stream forgets after its age: for a tenant that was silent for so long nothing stands there any more.
      if (!(error instanceof PublishConflict) || lastSeq === 0 || (await this.#headSeq()) !== null)
        throw error;
      return this.#store(record, data, 0);
    }
  }

  /** Where the chain ends in the stream; null when none of its records is there. */
  async #headSeq(): Promise<number | null> {
    try {
      return (
        (await readLast(this.#partition.context.broker, 'DECISIONS', this.#chainSubjects()))?.seq ?? null
      );
    } catch (error) {
      throw new PublishUncertain('read', `cannot read the chain: ${(error as Error).message}`);
    }
  }

  #chainSubjects(): string {
    return `decision.${this.#partition.context.p}.${this.ledger.tenantId}.*`;
  }
}

/** A person or the clock has the last word: the gates are on record as they stand, the ruling is final. */
function finalBlock(found: Decision, outcome: Ruling): Decision {
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
  if (record.recipient.suppression === 'unknown') return nowMs + SUPPRESSION_AGAIN_MS;
  const releaseMs = record.earliestReleaseMs ?? Number.POSITIVE_INFINITY;
  return Math.max(nowMs + 1_000, Math.min(releaseMs, record.expiresAtMs ?? releaseMs));
}
