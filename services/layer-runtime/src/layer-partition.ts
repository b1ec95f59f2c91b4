import type { CanonicalBlockerLayer, Policy } from '@orchestrate/canon';
import { evidenceHeartbeat, layerConditioned, type TenantConfig } from '@orchestrate/contracts';
import type { LayerSource } from '@orchestrate/layer-machines';
import {
  DueHeap,
  type PartitionContext,
  type PartitionWorker,
  PublishAbandoned,
  readLast,
  type StoredMessage,
} from '@orchestrate/messaging';
import { isOffboarding, type PolicyInForce } from '@orchestrate/service-kit';
import { handleEvidence, handleHeartbeat } from './handle-evidence.ts';
import { type FreezeWord, handleOperatorCommand, readFreezeWord } from './handle-operator-command.ts';
import { handleTenantConfig } from './handle-tenant-config.ts';
import { handleTenantOffboarded } from './handle-tenant-offboarded.ts';
import { Heartbeats } from './heartbeats.ts';
import type { HeldSource, LoadedSource } from './held-source.ts';
import { SourceStore } from './source-store.ts';
import { assertDeclared } from './tenant-sources.ts';

/** So many sources of a partition stay loaded while nobody uses them. */
const LOADED_MAX = 512;
/** So many sources are changed at once when a time or a heartbeat concerns very many. */
const AT_ONCE = 64;

/** What time does to a source. */
interface Overdue {
  readonly held: HeldSource;
  readonly apply: (source: LayerSource, nowMs: number, config: TenantConfig | null) => LayerSource;
}

/** All layer sources of the tenants of one partition: folds inputs, ticks deadlines, publishes conditions. */
export class LayerPartition implements PartitionWorker {
  readonly context: PartitionContext;
  readonly policy: PolicyInForce;
  readonly store: SourceStore;
  readonly #due = new DueHeap<HeldSource>();
  readonly #heartbeats = new Heartbeats();
  readonly #overdue: Overdue[] = [];
  #working: Promise<void> | null = null;
  #changed = 0;
  #freezeWord: FreezeWord = { seq: 0, isFreeze: false };

  private constructor(context: PartitionContext, policy: PolicyInForce) {
    this.context = context;
    this.policy = policy;
    this.store = new SourceStore(context);
  }

  static async open(context: PartitionContext, policy: PolicyInForce): Promise<LayerPartition> {
    const partition = new LayerPartition(context, policy);
    const { broker, p } = context;
    const index = partition.store.readIndex((held, head) => {
      partition.#due.set(held, head.dueMs);
      partition.#heartbeats.note(held, head);
    });
    // The last heartbeat may be older than the mark, and no input any more.
    const [freezeWord, heartbeat] = await Promise.all([
      readFreezeWord(broker, p),
      readLast(broker, 'EVIDENCE', evidenceHeartbeat.subject(p)),
      index,
    ]);
    partition.hear(freezeWord);
    if (heartbeat) await partition.#tryHandle(heartbeat);
    return partition;
  }

  get now(): Policy {
    return this.policy.current.policy;
  }

  get isFrozen(): boolean {
    return this.#freezeWord.isFreeze;
  }

  /** Takes what was said of the whole partition; false when something newer is known, as after a take-over. */
  hear(word: FreezeWord): boolean {
    if (word.seq < this.#freezeWord.seq) return false;
    this.#freezeWord = word;
    return true;
  }

  handle(input: StoredMessage): void | Promise<void> {
    if (input.stream === 'OPERATOR') return handleOperatorCommand(this, input);
    if (input.stream === 'CONFIG') {
      return isOffboarding(input) ? handleTenantOffboarded(this, input) : handleTenantConfig(this, input);
    }
    return input.subject.split('.').length === 2 ? handleHeartbeat(this, input) : handleEvidence(this, input);
  }

  /** The layer that a faulty input was about cannot be trusted until the next answer. */
  async faulted(input: StoredMessage): Promise<void> {
    const [, , tenantId, layer, source] = input.subject.split('.') as [
      string,
      string,
      string,
      string,
      string,
    ];
    const held = this.store.find(tenantId, layer as CanonicalBlockerLayer, source);
    if (!held) return;
    const { source: known } = await this.load(held);
    this.save(held, withoutTrust(known, this.now, input.storedAtMs), input, input.storedAtMs);
  }

  /** A tenant that left does not come back: its sources and their times end here, what waits is not written. */
  forget(tenantId: string): void {
    for (const held of this.store.forget(tenantId)) {
      this.#heartbeats.forget(held);
      this.#due.set(held, null);
    }
    this.context.publisher.forget(`layer.${this.context.p}.${tenantId}.`);
  }

  tick(nowMs: number): void {
    for (const held of this.#due.due(nowMs)) this.#overdue.push({ held, apply: this.#ticked });
    this.#loseHeartbeats(nowMs);
    this.#workOff();
    for (const held of this.store.idle(LOADED_MAX)) this.#letGo(held, nowMs);
  }

  /** What was due before a mark has had its effect before it. */
  async settled(): Promise<void> {
    await this.#working;
  }

  async workedOff(): Promise<void> {
    await this.#working;
  }

  counts() {
    const changed = this.#changed;
    this.#changed = 0;
    return { tenants: this.store.tenantCount, changed };
  }

  /** The machine of a source; good for use until the next wait. */
  async load(held: HeldSource): Promise<LoadedSource> {
    const loaded = held.loaded ?? (await this.store.load(held));
    // The newest condition could not be read, and it may have said worse: until the next answer nobody knows.
    if (loaded.isDistrusted) {
      loaded.isDistrusted = false;
      const nowMs = Date.now();
      this.save(held, withoutTrust(loaded.source, this.now, nowMs), null, nowMs);
    }
    return loaded;
  }

  heartbeat(layer: CanonicalBlockerLayer, atMs: number): void {
    for (const held of this.#heartbeats.heard(layer, atMs)) {
      this.#overdue.push({ held, apply: (source) => source.regainHeartbeat(this.now, atMs) });
    }
    this.#workOff();
  }

  /** Keeps the next state of a source and publishes it when its substance moved or its validity ran half down. */
  save(held: HeldSource, next: LayerSource, input: StoredMessage | null, atMs: number): void {
    const { loaded } = held;
    // It left while this was worked out.
    if (!loaded || this.store.hasLeft(held.tenantId)) return;
    loaded.become(next, input);
    this.#due.set(held, next.nextDeadlineMs());
    this.#heartbeats.note(held, next.heartbeat());
    this.#publish(held, loaded, atMs);
  }

  #publish(held: HeldSource, loaded: LoadedSource, atMs: number): void {
    const produce = () => {
      // It left while this waited to be written.
      if (this.store.hasLeft(held.tenantId)) return null;
      const produced = loaded.encode(this.now, atMs);
      if (produced) this.#changed++;
      return produced;
    };
    this.context.publisher.set(this.#subjectOf(held), produce, held);
  }

  #subjectOf({ tenantId, layer, source }: HeldSource): string {
    return layerConditioned.subject({ p: this.context.p, tenantId, layer, source });
  }

  #loseHeartbeats(nowMs: number): void {
    // Those of the second before are still being worked off.
    if (this.#working !== null) return;
    const silentSinceMs = nowMs - this.now.heartbeatMaxSec * 1000;
    for (const held of this.#heartbeats.lostSince(silentSinceMs)) {
      this.#overdue.push({ held, apply: (source) => source.loseHeartbeat(nowMs, silentSinceMs) });
    }
  }

  #workOff(): void {
    if (this.#overdue.length > 0) this.#working ??= this.#workOffAll();
  }

  /** A few at a time: inputs must not wait until all of very many are looked up. */
  async #workOffAll(): Promise<void> {
    try {
      while (this.#overdue.length > 0) {
        await Promise.all(this.#overdue.splice(0, AT_ONCE).map((one) => this.#change(one)));
      }
    } catch (error) {
      if (!(error instanceof PublishAbandoned)) this.context.lost(error as Error);
    } finally {
      this.#working = null;
    }
  }

  async #change({ held, apply }: Overdue): Promise<void> {
    const nowMs = Date.now();
    const { source } = await this.load(held);
    const next = apply(source, nowMs, null);
    if (!someExpired(next)) return this.save(held, next, null, nowMs);
    const config = await this.store.configOf(held.tenantId);
    const { source: newest } = await this.load(held);
    this.save(held, apply(newest, nowMs, config), null, nowMs);
  }

  /** What configuration declares stays true while it stands: it is told again instead of expiring. */
  readonly #ticked: Overdue['apply'] = (source, nowMs, config) => {
    const ticked = source.tick(this.now, nowMs);
    return config && someExpired(ticked) ? assertDeclared(ticked, config, this.now, nowMs) : ticked;
  };

  /** What the stream does not hold yet is written first, and let go when it does. */
  #letGo(held: HeldSource, nowMs: number): void {
    const { loaded } = held;
    if (!loaded || !this.context.publisher.isIdle(this.#subjectOf(held))) return;
    if (loaded.isSaved()) {
      this.store.letGo(held);
    } else {
      loaded.owe();
      this.#publish(held, loaded, nowMs);
    }
  }

  async #tryHandle(heartbeat: StoredMessage): Promise<void> {
    try {
      await this.handle(heartbeat);
    } catch {
      // It was rejected when it was an input.
    }
  }
}

const someExpired = (source: LayerSource): boolean =>
  Object.values(source.context.facts).some((fact) => fact.reason === 'expired');

function withoutTrust(source: LayerSource, policy: Policy, atMs: number): LayerSource {
  let next = source;
  for (const fact of Object.keys(next.context.facts)) {
    next = next.receive({ type: 'fact_expired', atMs, fact, reason: 'handler_fault' }, policy) ?? next;
  }
  return next;
}
