import { randomUUID } from 'node:crypto';
import {
  type CanonicalBlockerLayer,
  digestOf,
  type LayerCondition,
  type Policy,
  sourceDigest,
} from '@orchestrate/canon';
import {
  conditionFromWire,
  type LayerConditioned,
  layerConditioned,
  type TenantConfig,
  tenantConfigured,
  VERSION,
} from '@orchestrate/contracts';
import { LayerSource } from '@orchestrate/layer-machines';
import {
  DeadlineHeap,
  encode,
  type PartitionContext,
  type PartitionWorker,
  readNewest,
  referenceTo,
  type StoredMessage,
} from '@orchestrate/messaging';
import { type Declared, isOffboarding, type PolicyInForce, readOffboarded } from '@orchestrate/service-kit';
import { handleEvidence, handleHeartbeat } from './handle-evidence.ts';
import { handleOperatorCommand, isPartitionFrozen } from './handle-operator-command.ts';
import { handleTenantConfig } from './handle-tenant-config.ts';
import { handleTenantOffboarded } from './handle-tenant-offboarded.ts';
import { assertDeclared, HEARTBEAT_LAYERS } from './tenant-sources.ts';

/** Substance, causes and validity of what was published last. */
interface Published {
  readonly substance: string;
  readonly causes: string;
  readonly validUntilMs: number | null;
}

/** One source with what its last publication said, so that "unchanged" is not published. */
export interface HeldSource {
  source: LayerSource;
  readonly inputs: { EVIDENCE: number; CONFIG: number; OPERATOR: number };
  causedBy: string | null;
  published: Published | null;
}

/** All layer sources of the tenants of one partition: folds inputs, ticks deadlines, publishes conditions. */
export class LayerPartition implements PartitionWorker {
  readonly context: PartitionContext;
  readonly policy: PolicyInForce;
  readonly tenants = new Map<string, TenantConfig>();
  /** Everything is frozen, tenants that come later included. */
  frozen = false;
  readonly #left = new Set<string>();
  readonly #declared = new Map<string, { readonly seq: number; readonly storedAtMs: number }>();
  readonly #sources = new Map<string, HeldSource>();
  readonly #deadlines = new DeadlineHeap();
  readonly #heartbeats = new Map<CanonicalBlockerLayer, number>();
  #changed = 0;

  private constructor(context: PartitionContext, policy: PolicyInForce) {
    this.context = context;
    this.policy = policy;
  }

  /** Restores every source from its last condition and every tenant's configuration; the rest is read from the mark on. */
  static async open(context: PartitionContext, policy: PolicyInForce): Promise<LayerPartition> {
    const partition = new LayerPartition(context, policy);
    const { broker, p } = context;
    for (const tenantId of await readOffboarded(broker, p)) partition.forget(tenantId);
    const declared = ({ tenantId }: { tenantId: string }) => `config.${p}.${tenantId}.tenant`;
    const configs = { stream: 'CONFIG', filters: [`config.${p}.*.tenant`] } as const;
    for await (const { message, stored } of readNewest(broker, configs, tenantConfigured, declared)) {
      partition.declare(message, stored);
    }
    const conditioned = (message: LayerConditioned) => layerConditioned.subject({ ...message, p });
    const conditions = { stream: 'LAYERS', filters: [`layer.${p}.*.*.*`] } as const;
    for await (const { message, stored, headSeq } of readNewest(
      broker,
      conditions,
      layerConditioned,
      conditioned,
    )) {
      if (partition.hasLeft(message.tenantId)) continue;
      partition.#restore(message);
      context.publisher.seed(stored.subject, headSeq);
      // The newest one cannot be read, and it may have said worse: until the next answer nobody knows.
      if (stored.seq !== headSeq) partition.#lose(stored.subject, null, stored.storedAtMs);
    }
    partition.frozen = await isPartitionFrozen(broker, p);
    return partition;
  }

  get now(): Policy {
    return this.policy.current.policy;
  }

  hasLeft(tenantId: string): boolean {
    return this.#left.has(tenantId);
  }

  /** A tenant that left does not come back: its sources and their times end here, what waits is not written. */
  forget(tenantId: string): void {
    this.#left.add(tenantId);
    this.tenants.delete(tenantId);
    this.#declared.delete(tenantId);
    for (const { source } of [...this.sourcesOf(tenantId)]) {
      const key = `${tenantId}/${source.layer}/${source.source}`;
      this.#sources.delete(key);
      this.#deadlines.set(key, null);
    }
    this.context.publisher.forget(`layer.${this.context.p}.${tenantId}.`);
  }

  /** Keeps a tenant's declaration; false when a newer one is known, as after a take-over, or when it left. */
  declare(config: TenantConfig, { seq, storedAtMs }: StoredMessage): boolean {
    if (this.hasLeft(config.tenantId)) return false;
    if (seq < (this.#declared.get(config.tenantId)?.seq ?? 0)) return false;
    this.#declared.set(config.tenantId, { seq, storedAtMs });
    this.tenants.set(config.tenantId, config);
    return true;
  }

  /** The declared tenants, and since when their newest declarations stand. */
  declared(): Declared[] {
    return [...this.#declared].map(([tenantId, { storedAtMs }]) => ({ tenantId, storedAtMs }));
  }

  handle(input: StoredMessage): void | Promise<void> {
    if (input.stream === 'OPERATOR') return handleOperatorCommand(this, input);
    if (input.stream === 'CONFIG') {
      if (isOffboarding(input)) handleTenantOffboarded(this, input);
      else handleTenantConfig(this, input);
    } else if (input.subject.split('.').length === 2) handleHeartbeat(this, input);
    else handleEvidence(this, input);
  }

  /** The layer that a faulty input was about cannot be trusted until the next answer. */
  faulted(input: StoredMessage): void {
    this.#lose(input.subject, input, input.storedAtMs);
  }

  #lose(subject: string, input: StoredMessage | null, atMs: number): void {
    const [, , tenantId, layer, source] = subject.split('.');
    const held = this.#sources.get(`${tenantId}/${layer}/${source}`);
    if (!held) return;
    let next = held.source;
    for (const fact of Object.keys(next.context.facts)) {
      next = next.receive({ type: 'fact_expired', atMs, fact, reason: 'handler_fault' }, this.now) ?? next;
    }
    this.save(held, next, input, atMs);
  }

  tick(nowMs: number): void {
    this.#expireHeartbeats(nowMs);
    for (const key of this.#deadlines.due(nowMs)) {
      const held = this.#sources.get(key);
      if (held) this.save(held, this.#asserted(held.source.tick(this.now, nowMs), nowMs), null, nowMs);
    }
  }

  counts() {
    const changed = this.#changed;
    this.#changed = 0;
    return { tenants: this.tenants.size, changed };
  }

  *sourcesOf(tenantId: string): Generator<HeldSource> {
    for (const held of this.#sources.values()) if (held.source.tenantId === tenantId) yield held;
  }

  find(tenantId: string, layer: CanonicalBlockerLayer, source: string): HeldSource | undefined {
    return this.#sources.get(`${tenantId}/${layer}/${source}`);
  }

  /** The source, made when it is not there yet: evidence may arrive before its tenant's configuration. */
  findOrCreate(tenantId: string, layer: CanonicalBlockerLayer, source: string): HeldSource {
    return this.#sources.getOrInsertComputed(`${tenantId}/${layer}/${source}`, () => ({
      source: LayerSource.create({ tenantId, layer, source, enabled: false }),
      inputs: { EVIDENCE: 0, CONFIG: 0, OPERATOR: 0 },
      causedBy: null,
      published: null,
    }));
  }

  /** Whether this input was folded into the source already. */
  isReplay(held: HeldSource, input: StoredMessage): boolean {
    return held.inputs[input.stream as keyof HeldSource['inputs']] >= input.seq;
  }

  /** A source that was silent looks again: what it had told and did not change since stands again. */
  heartbeat(layer: CanonicalBlockerLayer, atMs: number): void {
    this.#heartbeats.set(layer, Math.max(atMs, this.#heartbeats.get(layer) ?? 0));
    for (const held of this.#sources.values()) {
      if (held.source.layer !== layer) continue;
      const next = held.source.regainHeartbeat(this.now, atMs);
      if (next !== held.source) this.save(held, next, null, atMs);
    }
  }

  /** Keeps the next state of a source and publishes it when its substance moved or its validity ran half down. */
  save(held: HeldSource, next: LayerSource, input: StoredMessage | null, atMs: number): void {
    held.source = next;
    if (input) {
      held.inputs[input.stream as keyof HeldSource['inputs']] = input.seq;
      held.causedBy = referenceTo(input);
    }
    const key = `${next.tenantId}/${next.layer}/${next.source}`;
    this.#deadlines.set(key, next.nextDeadlineMs());
    if (!this.#isNews(held, next.condition(this.now, atMs), atMs)) return;
    const subject = layerConditioned.subject({ p: this.context.p, ...identityOf(next) });
    this.context.publisher.set(subject, () => this.#encode(held, atMs));
  }

  #encode(held: HeldSource, atMs: number): Uint8Array | null {
    const condition = held.source.condition(this.now, atMs);
    if (!this.#isNews(held, condition, atMs)) return null;
    held.published = publishedOf(condition);
    this.#changed++;
    const message = {
      v: VERSION,
      id: randomUUID(),
      causedBy: held.causedBy,
      ...condition,
      inputs: { ...held.inputs },
      at: atMs,
    } as unknown as LayerConditioned;
    return encode(layerConditioned, message);
  }

  #isNews(held: HeldSource, condition: LayerCondition, atMs: number): boolean {
    const { published } = held;
    if (published === null || published.substance !== sourceDigest(condition)) return true;
    if (published.causes !== causesDigest(condition)) return true;
    if (condition.validUntilMs === published.validUntilMs) return false;
    if (condition.validUntilMs === null || published.validUntilMs === null) return true;
    // An answer that is only younger travels once the published validity has run half down.
    return published.validUntilMs - atMs <= (condition.validUntilMs - atMs) / 2;
  }

  #restore(message: LayerConditioned): void {
    const condition = conditionFromWire(message);
    const source = LayerSource.restore(condition);
    const key = `${message.tenantId}/${message.layer}/${message.source}`;
    this.#sources.set(key, {
      source,
      inputs: { ...message.inputs },
      causedBy: message.causedBy,
      published: publishedOf(condition),
    });
    this.#deadlines.set(key, source.nextDeadlineMs());
  }

  /** What configuration declares stays true while it stands: it is told again instead of expiring. */
  #asserted(ticked: LayerSource, nowMs: number): LayerSource {
    const config = this.tenants.get(ticked.tenantId);
    if (!config) return ticked;
    const expired = Object.values(ticked.context.facts).some((fact) => fact.reason === 'expired');
    return expired ? assertDeclared(ticked, config, this.now, nowMs) : ticked;
  }

  #expireHeartbeats(nowMs: number): void {
    for (const layer of HEARTBEAT_LAYERS) {
      const silentSinceMs = nowMs - this.now.heartbeatMaxSec * 1000;
      if ((this.#heartbeats.get(layer) ?? 0) >= silentSinceMs) continue;
      for (const held of this.#sources.values()) {
        if (held.source.layer !== layer) continue;
        const next = held.source.loseHeartbeat(nowMs, silentSinceMs);
        if (next !== held.source) this.save(held, next, null, nowMs);
      }
    }
  }
}

function publishedOf(condition: LayerCondition): Published {
  const { validUntilMs } = condition;
  return { substance: sourceDigest(condition), causes: causesDigest(condition), validUntilMs };
}

/**
 * What whoever takes over must know of the causes beside their substance: until when, how far, since when. Tries
 * without an answer are counted anew: they call for a person and change nothing else.
 */
function causesDigest({ causes }: LayerCondition): string {
  const { unanswered: _tries, check: _check, ...durable } = causes;
  return digestOf(durable);
}

function identityOf({ tenantId, layer, source }: LayerSource) {
  return { tenantId, layer, source };
}
