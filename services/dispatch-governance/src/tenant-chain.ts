import { type ChainRecord, decisionRecorded } from '@orchestrate/contracts';
import {
  crashPoint,
  type PartitionContext,
  PublishConflict,
  PublishUncertain,
  readLast,
  type Stored,
  storeUntilCertain,
} from '@orchestrate/messaging';
import { RefusedCommand } from './refused-command.ts';
import type { TenantLedger } from './tenant-ledger.ts';

/** Who has to know of the records of a partition. */
export interface ChainRecorder {
  /** Highest sequence of the partition's chains that is folded. */
  readonly highestSeq: number;
  recorded(seq: number): void;
}

/** The end of a tenant's chain in the stream: each record is written behind the one before, or not at all. */
export class TenantChain {
  readonly #context: PartitionContext;
  readonly #recorder: ChainRecorder;
  readonly #ledger: TenantLedger;
  #writingSince: number | null = null;

  constructor(context: PartitionContext, recorder: ChainRecorder, ledger: TenantLedger) {
    this.#context = context;
    this.#recorder = recorder;
    this.#ledger = ledger;
  }

  /** Every record that is still being written gets a sequence above this one; null when none is. */
  get lowWater(): number | null {
    return this.#writingSince;
  }

  /** Writes the next record of the chain and folds it once it is durable. */
  async append(record: ChainRecord, data: Uint8Array): Promise<void> {
    this.#writingSince = this.#recorder.highestSeq;
    crashPoint('before_chain_record');
    try {
      const stored = await this.#store(record, data, this.#ledger.chain.chainSeq);
      crashPoint('chain_record_stored');
      this.#ledger.apply(record, stored.seq, data);
      this.#recorder.recorded(stored.seq);
    } finally {
      this.#writingSince = null;
    }
  }

  /** It does not fit what we know of the chain; but only a chain that nobody else wrote to is known. */
  async refuse(problem: string): Promise<never> {
    const headSeq = await this.#headSeq();
    if (headSeq !== null && headSeq !== this.#ledger.chain.chainSeq) {
      throw new PublishConflict(`somebody else wrote to the chain of ${this.#ledger.tenantId}`);
    }
    throw new RefusedCommand(problem);
  }

  async #store(record: ChainRecord, data: Uint8Array, lastSeq: number): Promise<Stored> {
    const { broker, p, closed } = this.#context;
    const { tenantId } = this.#ledger;
    const subject = decisionRecorded.subject({ p, tenantId, kind: record.kind });
    try {
      const message = { subject, data, lastSeq, fence: this.#subjects() };
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
      return (await readLast(this.#context.broker, 'DECISIONS', this.#subjects()))?.seq ?? null;
    } catch (error) {
      throw new PublishUncertain('read', `cannot read the chain: ${(error as Error).message}`);
    }
  }

  #subjects(): string {
    return `decision.${this.#context.p}.${this.#ledger.tenantId}.*`;
  }
}
