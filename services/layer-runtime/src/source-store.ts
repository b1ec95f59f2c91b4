import type { CanonicalBlockerLayer } from '@orchestrate/canon';
import {
  type ConditionHead,
  conditionFromWire,
  conditionHeadFrom,
  type LayerConditioned,
  layerConditioned,
  type TenantConfig,
  tenantConfigured,
} from '@orchestrate/contracts';
import { LayerSource } from '@orchestrate/layer-machines';
import {
  newestFitting,
  type PartitionContext,
  readAt,
  readHeads,
  readLast,
  untilAnswered,
} from '@orchestrate/messaging';
import { readOffboarded } from '@orchestrate/service-kit';
import { type HeldSource, LoadedSource } from './held-source.ts';
import { HeldTenant } from './held-tenant.ts';

/**
 * The tenants and sources of one partition: an index in memory of where everything stands, and what is used now.
 * The rest is looked up in the streams when somebody needs it, and let go when nobody does.
 */
export class SourceStore {
  readonly #context: PartitionContext;
  readonly #tenants = new Map<string, HeldTenant>();
  readonly #left = new Set<string>();
  readonly #loaded = new Set<HeldSource>();
  /** Counts the ticks: what was used since the one before is in use. */
  #now = 0;

  constructor(context: PartitionContext) {
    this.#context = context;
  }

  /** Learns where everything stands, and tells what each condition says beside itself. */
  async readIndex(told: (held: HeldSource, head: ConditionHead) => void): Promise<void> {
    for (const tenantId of await readOffboarded(this.#context.broker, this.#context.p)) this.forget(tenantId);
    const { broker, p } = this.#context;
    const conditions = { stream: 'LAYERS', filters: [`layer.${p}.*.*.*`] } as const;
    await readHeads(broker, conditions, ({ subject, seq, header }) => {
      const [, , tenantId, layer, source] = subject.split('.') as [string, string, string, string, string];
      if (this.hasLeft(tenantId)) return;
      // A reader that was interrupted gives some again.
      const held = this.#tenant(tenantId).hold(layer as CanonicalBlockerLayer, source);
      held.seq = seq;
      told(held, conditionHeadFrom(header));
    });
  }

  get tenantCount(): number {
    return this.#tenants.size;
  }

  get loadedCount(): number {
    return this.#loaded.size;
  }

  hasLeft(tenantId: string): boolean {
    return this.#left.has(tenantId);
  }

  /** A tenant that left does not come back. Gives the sources that end with it. */
  forget(tenantId: string): readonly HeldSource[] {
    const sources = this.sourcesOf(tenantId);
    for (const held of sources) this.#loaded.delete(held);
    this.#left.add(tenantId);
    this.#tenants.delete(tenantId);
    return sources;
  }

  /** Takes note of a declaration; false when its tenant left. */
  declare(tenantId: string, seq: number): boolean {
    if (this.hasLeft(tenantId)) return false;
    const tenant = this.#tenant(tenantId);
    tenant.declaredSeq = seq;
    tenant.config = null;
    return true;
  }

  /** The tenants that are declared now, those included whose declarations are not handled yet. */
  async declared(): Promise<readonly string[]> {
    const { broker, p } = this.#context;
    const handled = [...this.#tenants.values()].filter(({ declaredSeq }) => declaredSeq > 0);
    const declared = new Set(handled.map(({ tenantId }) => tenantId));
    await readHeads(broker, { stream: 'CONFIG', filters: [configSubject(p, '*')] }, ({ subject }) => {
      declared.add(subject.split('.')[2]!);
    });
    return [...declared];
  }

  /** What a tenant declares now; null when it does not, or in a way that nobody can read. */
  async configOf(tenantId: string): Promise<TenantConfig | null> {
    const tenant = this.#tenants.get(tenantId);
    if (!tenant || tenant.config) return tenant?.config ?? null;
    const { broker, p } = this.#context;
    const subjectOf = (config: { tenantId: string }) => configSubject(p, config.tenantId);
    const newest = await this.#ask(async () => {
      const stored = await readLast(broker, 'CONFIG', configSubject(p, tenantId));
      return stored && newestFitting(broker, stored, tenantConfigured, subjectOf);
    });
    if (!newest) return null;
    // Another was declared and handled meanwhile.
    if (newest.headSeq < tenant.declaredSeq) return this.configOf(tenantId);
    tenant.config = newest.message;
    return tenant.config;
  }

  sourcesOf(tenantId: string): readonly HeldSource[] {
    return this.#tenants.get(tenantId)?.sources() ?? [];
  }

  find(tenantId: string, layer: CanonicalBlockerLayer, source: string): HeldSource | undefined {
    return this.#tenants.get(tenantId)?.find(layer, source);
  }

  /** The source, made when it is not there yet: evidence may arrive before its tenant's configuration. */
  findOrCreate(tenantId: string, layer: CanonicalBlockerLayer, source: string): HeldSource {
    const known = this.find(tenantId, layer, source);
    if (known) return known;
    const held = this.#tenant(tenantId).hold(layer, source);
    this.#keep(held, freshSource(held));
    return held;
  }

  /** The machine of a source, from its last condition. It stays loaded until the tick after the next at least. */
  load(held: HeldSource): LoadedSource | Promise<LoadedSource> {
    if (held.loaded) {
      held.loaded.usedAt = this.#now;
      return held.loaded;
    }
    held.loading ??= this.#restore(held).finally(() => {
      held.loading = null;
    });
    return held.loading;
  }

  async #restore(held: HeldSource): Promise<LoadedSource> {
    const { broker, p } = this.#context;
    const subjectOf = (message: LayerConditioned) => layerConditioned.subject({ ...message, p });
    const newest = await this.#ask(async () => {
      const stored = await readAt(broker, 'LAYERS', held.seq, p);
      return stored && newestFitting(broker, stored, layerConditioned, subjectOf);
    });
    // Nobody can tell any more what was known of it.
    if (!newest) return this.#keep(held, freshSource(held));
    const { message, stored, headSeq } = newest;
    const condition = conditionFromWire(message);
    const source = LayerSource.restore(condition);
    return this.#keep(held, LoadedSource.restored(source, condition, message, stored.seq === headSeq));
  }

  /** A tick has passed. Gives what is loaded beyond `max` and was not used since the tick before. */
  *idle(max: number): Generator<HeldSource> {
    this.#now++;
    if (this.#loaded.size <= max) return;
    for (const held of this.#loaded) {
      if (this.#loaded.size <= max) return;
      if (held.loaded!.usedAt < this.#now - 1) yield held;
    }
  }

  letGo(held: HeldSource): void {
    held.loaded = null;
    this.#loaded.delete(held);
    const tenant = this.#tenants.get(held.tenantId);
    if (tenant) tenant.config = null;
  }

  #tenant(tenantId: string): HeldTenant {
    return this.#tenants.getOrInsertComputed(tenantId, () => new HeldTenant(tenantId));
  }

  #keep(held: HeldSource, loaded: LoadedSource): LoadedSource {
    loaded.usedAt = this.#now;
    // It may have left while it was looked up.
    if (this.find(held.tenantId, held.layer, held.source) !== held) return loaded;
    held.loaded = loaded;
    this.#loaded.add(held);
    return loaded;
  }

  #ask<T>(ask: () => Promise<T>): Promise<T> {
    return untilAnswered(ask, this.#context.closed);
  }
}

const configSubject = (p: number, tenantId: string) => `config.${p}.${tenantId}.tenant`;

function freshSource({ tenantId, layer, source }: HeldSource): LoadedSource {
  return LoadedSource.fresh(LayerSource.create({ tenantId, layer, source, enabled: false }));
}
