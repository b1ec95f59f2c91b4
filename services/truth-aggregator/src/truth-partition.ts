import {
  type LayerConditioned,
  layerConditioned,
  layerMarked,
  type Mark,
  type TruthRecorded,
  truthFromWire,
  truthPolicyFrom,
  truthRecorded,
} from '@orchestrate/contracts';
import {
  checkAddress,
  decodeLenient,
  newestFitting,
  type PartitionContext,
  type PartitionWorker,
  PublishAbandoned,
  readAt,
  readHeads,
  readLastOfEach,
  type StoredMessage,
  untilAnswered,
} from '@orchestrate/messaging';
import { type PolicyInForce, readOffboarded } from '@orchestrate/service-kit';
import { handleTenantOffboarded } from './handle-tenant-offboarded.ts';
import { HeldTruth, LoadedTruth } from './held-truth.ts';

/** So many tenants of a partition stay loaded while nobody uses them. */
const LOADED_MAX = 64;
/** So many truths are built anew at once when the policy changed. */
const AT_ONCE = 16;
/** A replica that is behind is asked so often, over several seconds. */
const BEHIND_TRIES_MAX = 12;

/** The truths of one partition: folds conditions, publishes truths that changed, forwards layer-runtime's marks. */
export class TruthPartition implements PartitionWorker {
  readonly #context: PartitionContext;
  readonly #policy: PolicyInForce;
  readonly #tenants = new Map<string, HeldTruth>();
  readonly #left = new Set<string>();
  readonly #loaded = new Set<HeldTruth>();
  /** Truths that were built with another policy. */
  readonly #outdated = new Set<HeldTruth>();
  #rebuilding: Promise<void> | null = null;
  #asOfMs: number;
  #builtWith: string;
  #ticks = 0;
  #changed = 0;

  private constructor(context: PartitionContext, policy: PolicyInForce, mark: Mark | null) {
    this.#context = context;
    this.#policy = policy;
    this.#builtWith = policy.current.digest;
    this.#asOfMs = mark?.asOfMs ?? 0;
  }

  /** Learns where every truth stands, and reads none: what came before the mark is in them already. */
  static async open(
    context: PartitionContext,
    mark: Mark | null,
    policy: PolicyInForce,
  ): Promise<TruthPartition> {
    const partition = new TruthPartition(context, policy, mark);
    const { broker, p } = context;
    const [left] = await Promise.all([readOffboarded(broker, p), partition.#readIndex()]);
    for (const tenantId of left) partition.#drop(tenantId);
    return partition;
  }

  async #readIndex(): Promise<void> {
    const { broker, p } = this.#context;
    const truths = { stream: 'TRUTH', filters: [`truth.${p}.*`] } as const;
    await readHeads(broker, truths, ({ subject, seq, header }) => {
      const held = this.#tenant(subject.split('.')[2]!);
      held.seq = seq;
      if (truthPolicyFrom(header) !== this.#builtWith) this.#outdated.add(held);
    });
  }

  handle(input: StoredMessage): void | Promise<void> {
    if (input.stream === 'CONFIG') return handleTenantOffboarded(this, input);
    if (input.subject.split('.').length === 2) {
      this.#asOfMs = decodeLenient(layerMarked, input.data).asOfMs;
      this.#context.requestMark();
      return;
    }
    const condition = decodeLenient(layerConditioned, input.data);
    checkAddress(layerConditioned, input, this.#subjectOf(condition));
    if (this.#left.has(condition.tenantId)) return;
    const held = this.#tenant(condition.tenantId);
    if (held.loaded) this.#fold(held, held.loaded, condition, input);
    else return this.#load(held).then((loaded) => this.#fold(held, loaded, condition, input));
  }

  /** A tenant that left does not come back. */
  forget(tenantId: string): void {
    this.#drop(tenantId);
    // Whoever purges waits until we say that we have heard of it.
    this.#context.requestMark();
  }

  #drop(tenantId: string): void {
    this.#left.add(tenantId);
    const held = this.#tenants.get(tenantId);
    if (held) {
      this.#loaded.delete(held);
      this.#outdated.delete(held);
    }
    this.#tenants.delete(tenantId);
  }

  /** Another policy means other floors and risks: every truth is built anew. */
  tick(): void {
    this.#ticks++;
    const { digest } = this.#policy.current;
    if (digest !== this.#builtWith) {
      this.#builtWith = digest;
      for (const held of this.#tenants.values()) this.#outdated.add(held);
    }
    if (this.#outdated.size > 0) this.#rebuilding ??= this.#rebuildAll();
    this.#letGo();
  }

  asOfMs(): number {
    return this.#asOfMs;
  }

  counts() {
    const changed = this.#changed;
    this.#changed = 0;
    return { tenants: this.#tenants.size, changed };
  }

  #tenant(tenantId: string): HeldTruth {
    return this.#tenants.getOrInsertComputed(tenantId, () => new HeldTruth(tenantId));
  }

  #subjectOf = ({ tenantId, layer, source }: LayerConditioned): string =>
    layerConditioned.subject({ p: this.#context.p, tenantId, layer, source });

  #fold(held: HeldTruth, loaded: LoadedTruth, condition: LayerConditioned, stored: StoredMessage): void {
    loaded.usedAt = this.#ticks;
    loaded.fold(condition, stored);
    this.#publish(held, loaded);
  }

  /** Built when it can be written, so that a burst of conditions costs one truth. */
  #publish(held: HeldTruth, loaded: LoadedTruth): void {
    const produce = () => {
      // It left while this waited to be written.
      if (this.#left.has(held.tenantId)) return null;
      const produced = loaded.encode(held.tenantId, this.#policy.current);
      if (produced) this.#changed++;
      return produced;
    };
    this.#context.publisher.set(this.#truthSubjectOf(held), produce, held);
  }

  #truthSubjectOf({ tenantId }: HeldTruth): string {
    return truthRecorded.subject({ p: this.#context.p, tenantId });
  }

  async #load(held: HeldTruth): Promise<LoadedTruth> {
    held.loading ??= this.#restore(held).finally(() => {
      held.loading = null;
    });
    return held.loading;
  }

  /** Its last truth, and the newest condition of each of its sources. */
  async #restore(held: HeldTruth): Promise<LoadedTruth> {
    const { broker, p, closed } = this.#context;
    const { tenantId } = held;
    let tries = 0;
    const loaded = await untilAnswered(async () => {
      const [truth, conditions] = await Promise.all([
        this.#readTruth(held.seq),
        held.seq === 0 ? [] : readLastOfEach(broker, 'LAYERS', [`layer.${p}.${tenantId}.*.*`]),
      ]);
      const restored = new LoadedTruth(truth && truthFromWire(truth));
      // A replica that is behind knows less than the truth that stands; a stream that forgot never knows more.
      const isBehind = truth !== null && (conditions.at(-1)?.seq ?? 0) < truth.inputSeq;
      if (isBehind && ++tries < BEHIND_TRIES_MAX) throw new Error('this replica is behind');
      for (const stored of conditions) {
        const newest = await newestFitting(broker, stored, layerConditioned, this.#subjectOf);
        if (newest) restored.fold(newest.message, newest.stored);
      }
      return restored;
    }, closed);
    if (this.#tenants.get(tenantId) === held) {
      held.loaded = loaded;
      this.#loaded.add(held);
    }
    return loaded;
  }

  async #readTruth(seq: number): Promise<TruthRecorded | null> {
    if (seq === 0) return null;
    const { broker, p } = this.#context;
    const stored = await readAt(broker, 'TRUTH', seq, p);
    const subjectOf = ({ tenantId }: { tenantId: string }) => truthRecorded.subject({ p, tenantId });
    return (stored && (await newestFitting(broker, stored, truthRecorded, subjectOf)))?.message ?? null;
  }

  async #rebuildAll(): Promise<void> {
    try {
      while (this.#outdated.size > 0) {
        const some = [...this.#outdated].slice(0, AT_ONCE);
        for (const held of some) this.#outdated.delete(held);
        await Promise.all(
          some.map(async (held) => this.#publish(held, held.loaded ?? (await this.#load(held)))),
        );
      }
    } catch (error) {
      if (!(error instanceof PublishAbandoned)) this.#context.lost(error as Error);
    } finally {
      this.#rebuilding = null;
    }
  }

  /** Everything of it is in the streams: what nobody used for a while is looked up again when it is needed. */
  #letGo(): void {
    if (this.#loaded.size <= LOADED_MAX) return;
    for (const held of this.#loaded) {
      if (this.#loaded.size <= LOADED_MAX) return;
      if ((held.loaded?.usedAt ?? 0) >= this.#ticks - 1) continue;
      if (!this.#context.publisher.isIdle(this.#truthSubjectOf(held))) continue;
      held.loaded = null;
      this.#loaded.delete(held);
    }
  }
}
