import { randomUUID } from 'node:crypto';
import {
  buildTruth,
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalRuntimeTruth,
  type LayerCondition,
} from '@orchestrate/canon';
import {
  conditionFromWire,
  type LayerConditioned,
  layerConditioned,
  layerMarked,
  type Mark,
  type TruthRecorded,
  truthFromWire,
  truthRecorded,
  VERSION,
} from '@orchestrate/contracts';
import {
  checkAddress,
  decodeLenient,
  encode,
  type PartitionContext,
  type PartitionWorker,
  readNewest,
  referenceTo,
  type StoredMessage,
} from '@orchestrate/messaging';
import { type PolicyInForce, readOffboarded } from '@orchestrate/service-kit';
import { handleTenantOffboarded } from './handle-tenant-offboarded.ts';

/** What is known of one tenant: its layers' newest conditions, and the truth that was published last. */
interface HeldTenant {
  /** By `layer/source`, with the sequence that each came with: per source the highest wins. */
  readonly conditions: Map<string, { readonly condition: LayerCondition; readonly seq: number }>;
  inputSeq: number;
  inputAtMs: number;
  causedBy: string | null;
  truth: CanonicalRuntimeTruth | null;
}

/** The truths of one partition: folds conditions, publishes truths that changed, forwards layer-runtime's marks. */
export class TruthPartition implements PartitionWorker {
  readonly #context: PartitionContext;
  readonly #policy: PolicyInForce;
  readonly #tenants = new Map<string, HeldTenant>();
  readonly #left = new Set<string>();
  #asOfMs: number;
  #builtWith: string;
  #changed = 0;

  private constructor(context: PartitionContext, policy: PolicyInForce, mark: Mark | null) {
    this.#context = context;
    this.#policy = policy;
    this.#builtWith = policy.current.digest;
    this.#asOfMs = mark?.asOfMs ?? 0;
  }

  static async open(
    context: PartitionContext,
    mark: Mark | null,
    policy: PolicyInForce,
  ): Promise<TruthPartition> {
    const partition = new TruthPartition(context, policy, mark);
    const { broker, p } = context;
    for (const tenantId of await readOffboarded(broker, p)) partition.#left.add(tenantId);
    const recorded = (message: TruthRecorded) => truthRecorded.subject({ ...message, p });
    const truths = { stream: 'TRUTH', filters: [`truth.${p}.*`] } as const;
    for await (const { message, stored, headSeq } of readNewest(broker, truths, truthRecorded, recorded)) {
      if (partition.#left.has(message.tenantId)) continue;
      partition.#tenant(message.tenantId).truth = truthFromWire(message);
      context.publisher.seed(stored.subject, headSeq);
    }
    // Conditions that came after the mark are read again as inputs; these here only complete the picture.
    const conditioned = (message: LayerConditioned) => layerConditioned.subject({ ...message, p });
    const conditions = { stream: 'LAYERS', filters: [`layer.${p}.*.*.*`] } as const;
    for await (const { message, stored } of readNewest(broker, conditions, layerConditioned, conditioned)) {
      if (!partition.#left.has(message.tenantId)) partition.#foldCondition(message, stored);
    }
    for (const tenantId of partition.#tenants.keys()) partition.#publish(tenantId);
    return partition;
  }

  handle(input: StoredMessage): void {
    if (input.stream === 'CONFIG') {
      handleTenantOffboarded(this, input);
      return;
    }
    if (input.subject.split('.').length === 2) {
      this.#asOfMs = decodeLenient(layerMarked, input.data).asOfMs;
      this.#context.requestMark();
      return;
    }
    const condition = decodeLenient(layerConditioned, input.data);
    const { tenantId, layer, source } = condition;
    checkAddress(
      layerConditioned,
      input,
      layerConditioned.subject({ p: this.#context.p, tenantId, layer, source }),
    );
    if (this.#left.has(tenantId)) return;
    this.#foldCondition(condition, input);
    this.#publish(tenantId);
  }

  /** A tenant that left does not come back. */
  forget(tenantId: string): void {
    this.#left.add(tenantId);
    this.#tenants.delete(tenantId);
    // Whoever purges waits until we say that we have heard of it.
    this.#context.requestMark();
  }

  /** Another policy means other floors and risks: every truth is built anew. */
  tick(): void {
    const { digest } = this.#policy.current;
    if (digest === this.#builtWith) return;
    this.#builtWith = digest;
    for (const tenantId of this.#tenants.keys()) this.#publish(tenantId);
  }

  asOfMs(): number {
    return this.#asOfMs;
  }

  counts() {
    const changed = this.#changed;
    this.#changed = 0;
    return { tenants: this.#tenants.size, changed };
  }

  #tenant(tenantId: string): HeldTenant {
    return this.#tenants.getOrInsertComputed(tenantId, () => ({
      conditions: new Map(),
      inputSeq: 0,
      inputAtMs: 0,
      causedBy: null,
      truth: null,
    }));
  }

  #foldCondition(message: LayerConditioned, stored: StoredMessage): void {
    const tenant = this.#tenant(message.tenantId);
    const key = `${message.layer}/${message.source}`;
    const known = tenant.conditions.get(key);
    if (!known || known.seq < stored.seq) {
      tenant.conditions.set(key, { condition: conditionFromWire(message), seq: stored.seq });
    }
    if (stored.seq > tenant.inputSeq) {
      tenant.inputSeq = stored.seq;
      tenant.inputAtMs = stored.storedAtMs;
      tenant.causedBy = referenceTo(stored);
    }
  }

  /** Built when it can be written, so that a burst of conditions costs one truth. */
  #publish(tenantId: string): void {
    const subject = truthRecorded.subject({ p: this.#context.p, tenantId });
    this.#context.publisher.set(subject, () => this.#build(tenantId));
  }

  #build(tenantId: string): Uint8Array | null {
    const tenant = this.#tenants.get(tenantId);
    // It left while this waited to be written.
    if (!tenant) return null;
    const { policy, digest } = this.#policy.current;
    const truth = buildTruth({
      tenantId,
      conditions: [...tenant.conditions.values()].map((one) => one.condition),
      policy,
      policyDigest: digest,
      previous: tenant.truth,
      atMs: tenant.inputAtMs,
    });
    if (tenant.truth && !isNews(tenant.truth, truth)) return null;
    tenant.truth = truth;
    this.#changed++;
    const message = {
      v: VERSION,
      id: randomUUID(),
      causedBy: tenant.causedBy,
      ...truth,
      inputSeq: tenant.inputSeq,
    } as unknown as TruthRecorded;
    return encode(truthRecorded, message);
  }
}

/** A truth of the same substance is told again only when one of its sources stays valid longer. */
function isNews(before: CanonicalRuntimeTruth, after: CanonicalRuntimeTruth): boolean {
  if (before.fingerprint !== after.fingerprint) return true;
  return CANONICAL_BLOCKER_LAYERS.some((layer) =>
    after.layers[layer].sources.some(
      (source, index) => before.layers[layer].sources[index]?.validUntilMs !== source.validUntilMs,
    ),
  );
}
