import { partitionOf } from '@orchestrate/canon';
import { layerMarked, type Mark, type StreamName, truthMarked } from '@orchestrate/contracts';
import { type Broker, decodeLenient, StreamFollower } from '@orchestrate/messaging';

interface StoredMark {
  readonly mark: Mark;
  readonly seq: number;
}

/** Follows what layer-runtime and truth-aggregator say of how far they are, partition by partition. */
export class MarkWatch implements AsyncDisposable {
  readonly #layers = new Map<number, StoredMark>();
  readonly #truths = new Map<number, StoredMark>();
  readonly #followers: StreamFollower[] = [];

  static async start(broker: Broker): Promise<MarkWatch> {
    const watch = new MarkWatch();
    const follow = async (
      stream: StreamName,
      contract: typeof layerMarked,
      filter: string,
      into: Map<number, StoredMark>,
    ) => {
      const follower = await StreamFollower.start(
        broker,
        { stream, filters: [filter], fromSeq: 1 },
        ({ seq, data }) => {
          const mark = decodeLenient(contract, data);
          into.set(mark.p, { mark, seq });
        },
      );
      watch.#followers.push(follower);
    };
    await follow('LAYERS', layerMarked, 'layer.*', watch.#layers);
    await follow('TRUTH', truthMarked, 'truth.*', watch.#truths);
    return watch;
  }

  /** Whether the conditions of a partition reflect everything up to this place in EVIDENCE. */
  layersReflect(p: number, evidenceSeq: number): boolean {
    return (this.#layers.get(p)?.mark.inputs.EVIDENCE ?? 0) >= evidenceSeq;
  }

  /** Whether the truths of a partition reflect everything up to this place in EVIDENCE. */
  reflects(p: number, evidenceSeq: number): boolean {
    const layers = this.#layers.get(p);
    if (!layers || !this.layersReflect(p, evidenceSeq)) return false;
    return (this.#truths.get(p)?.mark.inputs.LAYERS ?? 0) >= layers.seq;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.close()));
  }
}

/** The last place of each partition, of what was stored for these tenants. */
export class LastSeqs {
  readonly byPartition = new Map<number, number>();

  stored(tenantId: string, seq: number): void {
    const p = partitionOf(tenantId);
    this.byPartition.set(p, Math.max(seq, this.byPartition.get(p) ?? 0));
  }
}
