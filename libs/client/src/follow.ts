import { partitionOf } from '@orchestrate/canon';
import { type Mark, type RecordKind, truthMarked, truthRecorded } from '@orchestrate/contracts';
import { type Broker, decodeLenient, StreamFollower } from '@orchestrate/messaging';
import type { StoredRecord } from './check-books.ts';
import { chainSubjects, type StoredTruth, storedRecord, storedTruth } from './read-side.ts';

export interface TruthWatch {
  readonly onTruth: (truth: StoredTruth) => void;
  /** Up to when the truths of the tenant's partition are complete. */
  readonly onMark: (mark: Mark) => void;
}

/** Tells every truth of a tenant, and every mark of its partition, that comes after a position in TRUTH. */
export function followTruth(
  broker: Broker,
  tenantId: string,
  fromSeq: number,
  watch: TruthWatch,
): Promise<StreamFollower> {
  const p = partitionOf(tenantId);
  const mark = truthMarked.subject(p);
  const filters = [mark, truthRecorded.subject({ p, tenantId })];
  return StreamFollower.start(broker, { stream: 'TRUTH', filters, fromSeq }, (stored) => {
    if (stored.subject === mark) return watch.onMark(decodeLenient(truthMarked, stored.data));
    watch.onTruth(storedTruth(stored));
  });
}

export type ChainWatch = (record: StoredRecord) => void;

export interface ChainRange {
  readonly tenantId: string;
  /** Position in DECISIONS. */
  readonly fromSeq: number;
  /** Default: all. */
  readonly kinds?: readonly RecordKind[];
}

/** Tells the records of a tenant's chain from a position on, in chain order. */
export function followChain(
  broker: Broker,
  { tenantId, fromSeq, kinds }: ChainRange,
  watch: ChainWatch,
): Promise<StreamFollower> {
  const filters = chainSubjects(tenantId, kinds);
  return StreamFollower.start(broker, { stream: 'DECISIONS', filters, fromSeq }, (stored) =>
    watch(storedRecord(stored)),
  );
}
