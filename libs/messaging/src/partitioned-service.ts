import type { Mark, MessageContract, StreamName } from '@orchestrate/contracts';
import type { Broker } from './connect.ts';
import type { FoldingPublisher } from './folding-publisher.ts';
import type { StoredMessage } from './stored-message.ts';

/** Last stream sequence that was handled, per input stream. */
export type Positions = Readonly<Record<string, number>>;

export interface PartitionInput {
  readonly stream: StreamName;
  readonly filters: (p: number) => readonly string[];
}

/** What the owner of a partition works with. */
export interface PartitionContext {
  readonly p: number;
  readonly broker: Broker;
  readonly service: string;
  readonly instance: string;
  /** Compare-and-set writes of newest states to the service's output stream. */
  readonly publisher: FoldingPublisher;
  /** Somebody else writes what we own: drop everything, look again who owns it, hydrate anew. */
  readonly lost: (error: Error) => void;
  /** Asks for a mark as soon as everything before is durable. */
  readonly requestMark: () => void;
  readonly closed: () => boolean;
}

/** One service's view of one partition, from hydration to release. All methods run one after another. */
export interface PartitionWorker {
  /** Folds one input. What it promises is waited for: that is the back-pressure. Throwing rejects the input. */
  handle(input: StoredMessage): void | Promise<void>;
  /** The input was skipped or its handler threw: make unknown what it was about. */
  faulted?(input: StoredMessage): void | Promise<void>;
  /** Once a second; time enters here. */
  tick(nowMs: number): void;
  /** Resolves when nothing that was handled is still being worked on; what waits for its time does not count. */
  workedOff?(): Promise<void>;
  /** Resolves when all work that was taken in before now is durable, beyond the publisher's own writes. */
  settled?(): Promise<void>;
  /** Positions that are durably reflected once `settled`; default: what was handled. */
  positions?(handled: Positions): Positions;
  /** How far time has come for this partition; the default is given. */
  asOfMs?(defaultMs: number): number;
  counts(): { readonly tenants: number; readonly changed: number };
  close?(): void;
}

/** A service whose work is one writer per partition of tenants. */
export interface PartitionedService {
  readonly name: string;
  readonly output: StreamName;
  readonly mark: MessageContract<Mark, number>;
  readonly inputs: readonly PartitionInput[];
  /** How often a mark is due, ms. A service that only forwards somebody's marks asks for them itself. */
  readonly markEveryMs: number | null;
  /** Reads what the partition's newest states are; the mark's positions say from where inputs are read. */
  readonly open: (context: PartitionContext, mark: Mark | null) => Promise<PartitionWorker>;
}
