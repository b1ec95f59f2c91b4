import { holdSaved, type Mark, truthMarked } from '@orchestrate/contracts';
import {
  decodeLenient,
  newestFitting,
  type PartitionContext,
  type Positions,
  readHeads,
  readLastOfEach,
  readStored,
} from '@orchestrate/messaging';
import { readOffboarded } from '@orchestrate/service-kit';
import { LEFT } from './save-ledger.ts';
import { TenantIndex } from './tenant-entry.ts';

export interface ReadIndex {
  readonly index: TenantIndex;
  /** When the open holds that were saved are looked at next. */
  readonly wakes: readonly {
    readonly tenantId: string;
    readonly dispatchId: string;
    readonly atMs: number;
  }[];
  /** Tenants whose tombstone stands and whose ledger still holds what they must be forgotten for. */
  readonly leaving: readonly string[];
  readonly highestSeq: number;
  readonly truthAsOfMs: number;
  /**
   * Truths are looked at when they are needed, and every open hold is decided again: none has to be read once more.
   * Nor have declarations when nobody was here before.
   */
  readonly covered: Positions;
}

/**
 * Where everything of a partition stands, from the heads of its subjects: a hundred thousand truths are a gigabyte,
 * and most of their tenants ask for nothing today. Only open holds are read themselves, for their times.
 */
export async function readIndex(context: PartitionContext, mark: Mark | null): Promise<ReadIndex> {
  const { broker, p } = context;
  const index = new TenantIndex();
  const wakes: ReadIndex['wakes'][number][] = [];
  const tenantOf = (subject: string) => index.at(subject.split('.')[2]!);
  const fromSeq = (mark?.inputs.DECISIONS ?? 0) + 1;
  let highestSeq = fromSeq - 1;
  const states = async () => {
    const range = { stream: 'LEDGER', filters: [`ledger.${p}.*.state`] } as const;
    await readHeads(broker, range, ({ subject, seq, header }) => {
      const entry = tenantOf(subject);
      entry.stateSeq = seq;
      if (header(LEFT.name) === LEFT.value) index.leave(entry);
    });
  };
  const holds = async () => {
    const range = { stream: 'LEDGER', filters: [`ledger.${p}.*.hold.*`] } as const;
    for await (const stored of readStored(broker, range)) {
      const { tenantId, hold } = decodeLenient(holdSaved, stored.data);
      if (!hold) continue;
      const entry = index.at(tenantId);
      entry.holds++;
      entry.hasStaleHold ||= hold.stale;
      const atMs = Math.min(hold.releaseAtMs ?? hold.expiresAtMs, hold.expiresAtMs);
      wakes.push({ tenantId, dispatchId: hold.dispatchId, atMs });
    }
  };
  const chains = async () => {
    const range = { stream: 'DECISIONS', filters: [`decision.${p}.*.*`], fromSeq } as const;
    await readHeads(broker, range, ({ subject, seq }) => {
      const entry = tenantOf(subject);
      entry.tail ??= { fromSeq: seq, toSeq: seq };
      entry.tail.toSeq = seq;
      highestSeq = Math.max(highestSeq, seq);
    });
  };
  let configSeq = 0;
  const configs = async () => {
    const range = { stream: 'CONFIG', filters: [`config.${p}.*.tenant`] } as const;
    await readHeads(broker, range, ({ subject, seq }) => {
      tenantOf(subject).configSeq = seq;
      configSeq = Math.max(configSeq, seq);
    });
  };
  let truthAsOfMs = 0;
  let truthSeq = 0;
  const truths = async () => {
    // The mark before the truths: what it vouches for is then never newer than what is read after it.
    const [head] = await readLastOfEach(broker, 'TRUTH', [truthMarked.subject(p)]);
    const marked = (mark: Mark) => truthMarked.subject(mark.p);
    const newest = head && (await newestFitting(broker, head, truthMarked, marked));
    if (newest) truthAsOfMs = Math.min(newest.message.asOfMs, newest.stored.storedAtMs);
    const range = { stream: 'TRUTH', filters: [`truth.${p}.*`] } as const;
    await readHeads(broker, range, ({ subject, seq }) => {
      const entry = tenantOf(subject);
      entry.truthSeq = Math.max(entry.truthSeq, seq);
      truthSeq = Math.max(truthSeq, seq);
    });
  };
  const [offboarded] = await Promise.all([
    readOffboarded(broker, p),
    states(),
    holds(),
    chains(),
    configs(),
    truths(),
  ]);
  const leaving = offboarded.filter((tenantId) => !index.at(tenantId).hasLeft);
  for (const tenantId of leaving) index.leave(index.at(tenantId));
  const covered: Positions = mark ? { TRUTH: truthSeq } : { TRUTH: truthSeq, CONFIG: configSeq };
  return { index, wakes, leaving, highestSeq, truthAsOfMs, covered };
}
