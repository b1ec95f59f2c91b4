import { decide, dispatches, type RecipientStanding } from '@orchestrate/canon';
import {
  approvalRecorded,
  type ChainRecord,
  type DecisionRecorded,
  decisionRecorded,
  interventionRecorded,
  type OpenHold,
  type OperatorCommanded,
  type OutcomeReported,
  outcomeRecorded,
  type Ruling,
} from '@orchestrate/contracts';
import { encode, referenceTo, type StoredMessage } from '@orchestrate/messaging';
import { decisionRecord, type Trigger } from './decision-record.ts';
import { type Asked, dispatchCase } from './dispatch-case.ts';
import { finalBlock } from './final-block.ts';
import type { GovernancePartition } from './governance-partition.ts';
import { approvalRecord, interventionRecord, outcomeRecord } from './other-records.ts';
import type { WaitingRequest } from './request-queue.ts';
import { TenantChain } from './tenant-chain.ts';
import type { TenantDesk } from './tenant-desk.ts';
import type { TenantEntry } from './tenant-entry.ts';
import { substanceOf, type TenantLedger } from './tenant-ledger.ts';

/** The list did not answer: asked again after this long. */
const SUPPRESSION_AGAIN_MS = 5_000;

/**
 * What the chain of one tenant says next: decides on requests and holds, obeys commands, records outcomes. Each is called
 * in its turn, when the one before is through.
 */
export class TenantJudge {
  readonly #partition: GovernancePartition;
  readonly #entry: TenantEntry;
  readonly #desk: TenantDesk;
  readonly #ledger: TenantLedger;
  readonly #chain: TenantChain;

  constructor(partition: GovernancePartition, entry: TenantEntry, desk: TenantDesk) {
    this.#partition = partition;
    this.#entry = entry;
    this.#desk = desk;
    this.#ledger = desk.ledger;
    this.#chain = new TenantChain(partition.context, partition, desk.ledger);
  }

  get lowWater(): number | null {
    return this.#chain.lowWater;
  }

  /** The list of a tenant that left is gone with it: nobody can tell any more who was on it. */
  async suppressionOf(recipientKey: string): Promise<RecipientStanding['suppression']> {
    if (this.#entry.hasLeft || this.#ledger.hasLeft) return 'unknown';
    const { context, suppressions } = this.#partition;
    return suppressions.of({ p: context.p, tenantId: this.#ledger.tenantId, recipientKey });
  }

  async decideRequest({ input, asked, suppression }: WaitingRequest): Promise<void> {
    if (input.seq <= this.#ledger.chain.lastRequestSeq) return;
    const { dispatchId } = asked;
    // REQUESTS forgets an id after its age; what is still open here must not be decided as if it were new.
    if (this.#ledger.holds.has(dispatchId) || this.#ledger.awaited(dispatchId)) {
      return this.#chain.refuse(`\`${dispatchId}\` was asked for before and is still open`);
    }
    await this.#decide(asked, 'requested', referenceTo(input), await suppression());
  }

  async decideAgain(dispatchId: string, trigger: Trigger): Promise<void> {
    const hold = this.#ledger.holds.get(dispatchId);
    if (!hold) return;
    const suppression = await this.suppressionOf(hold.action.recipientKey);
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
      truth: this.#desk.truth?.truth ?? null,
      fresh: this.#partition.isFresh(nowMs),
      config: this.#desk.config,
      ledger: this.#ledger,
      suppression,
      policy,
      nowMs,
    });
    const found = decide(gathered);
    const ruling = this.#ledger.isOffboarded ? 'tenant_offboarded' : ruled;
    const decision = ruling ? finalBlock(found, ruling) : found;
    const record = decisionRecord({
      asked,
      decision,
      dispatchCase: gathered,
      ledger: this.#ledger,
      trigger,
      causedBy,
      truth: this.#desk.truth?.cited ?? null,
      policyDigest: digest,
    });
    const open = this.#ledger.holds.get(asked.dispatchId);
    if (open && open.substance === substanceOf(record)) {
      // The same hold for the same cause: nothing to record, only the time of its next look may have moved.
      this.#partition.wakeAt(this.#ledger.tenantId, asked.dispatchId, nextLookMs(record, nowMs));
      return;
    }
    await this.#append(record, encode(decisionRecorded, record));
    if (dispatches(record.kind) || record.kind === 'BLOCK') return;
    this.#partition.wakeAt(this.#ledger.tenantId, asked.dispatchId, nextLookMs(record, nowMs));
    // The platform may have become fresh while this was written, before the hold was there to be woken.
    if (!record.fresh && this.#partition.isFresh(Date.now()))
      this.#desk.again(asked.dispatchId, 'truth_changed');
  }

  /** A rejection is two records; whoever died between them is found with its hold still open. */
  isObeyed(command: OperatorCommanded, input: StoredMessage): boolean {
    if (input.seq > this.#ledger.chain.lastCommandSeq) return false;
    return command.command !== 'reject' || this.#holdOf(command) === undefined;
  }

  #holdOf(command: OperatorCommanded): OpenHold | undefined {
    return command.dispatchId === null ? undefined : this.#ledger.holds.get(command.dispatchId);
  }

  async obey(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    if (this.isObeyed(command, input)) return;
    if (command.command === 'approve') await this.#approve(command, input);
    else if (command.command === 'reject') await this.#reject(command, input);
    else await this.#intervene(command, input);
  }

  async #approve(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    const hold =
      this.#holdOf(command) ?? (await this.#chain.refuse(`\`${command.dispatchId}\` is no open hold`));
    const { approvalValidSec } = this.#partition.policy.current.policy.dispatch;
    const record = approvalRecord(this.#ledger, command, input, Date.now() + approvalValidSec * 1000);
    await this.#append(record, encode(approvalRecorded, record));
    this.#desk.again(hold.dispatchId, 'operator');
  }

  async #reject(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    const hold =
      this.#holdOf(command) ?? (await this.#chain.refuse(`\`${command.dispatchId}\` is no open hold`));
    if (input.seq > this.#ledger.chain.lastCommandSeq) await this.#intervene(command, input);
    const suppression = await this.suppressionOf(hold.action.recipientKey);
    await this.#decide(hold, 'operator', referenceTo(input), suppression, 'rejected_by_operator');
  }

  async #intervene(command: OperatorCommanded, input: StoredMessage): Promise<void> {
    const record = interventionRecord(this.#ledger, command, input);
    await this.#append(record, encode(interventionRecorded, record));
    this.#desk.endHoldsIfOffboarded();
  }

  async recordOutcome(outcome: OutcomeReported, input: StoredMessage): Promise<void> {
    if (input.seq <= this.#ledger.chain.lastOutcomeSeq) return;
    const awaited = this.#ledger.awaited(outcome.dispatchId);
    if (!awaited) return this.#chain.refuse(`no release of \`${outcome.dispatchId}\` awaits an outcome`);
    if (outcome.decisionSeq !== awaited.release.seq) {
      return this.#chain.refuse(
        `the release of \`${outcome.dispatchId}\` is DECISIONS/${awaited.release.seq}`,
      );
    }
    const record = outcomeRecord(this.#ledger, outcome, input, awaited);
    await this.#append(record, encode(outcomeRecorded, record));
  }

  async #append(record: ChainRecord, data: Uint8Array): Promise<void> {
    await this.#chain.append(record, data);
    this.#partition.changed(this.#desk);
  }
}

function nextLookMs(record: DecisionRecorded, nowMs: number): number {
  if (record.recipient.suppression === 'unknown') return nowMs + SUPPRESSION_AGAIN_MS;
  const releaseMs = record.earliestReleaseMs ?? Number.POSITIVE_INFINITY;
  return Math.max(nowMs + 1_000, Math.min(releaseMs, record.expiresAtMs ?? releaseMs));
}
