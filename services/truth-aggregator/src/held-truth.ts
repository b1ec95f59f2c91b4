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
  type TruthRecorded,
  truthHeaders,
  truthRecorded,
  VERSION,
} from '@orchestrate/contracts';
import { encode, type Head, type Produced, referenceTo, type StoredMessage } from '@orchestrate/messaging';
import type { PolicyAndDigest } from '@orchestrate/service-kit';

/** The newest conditions of a tenant's layers, and the truth that was published last. */
export class LoadedTruth {
  /** By `layer/source`, with the sequence that each came with: per source the highest wins. */
  readonly #conditions = new Map<string, { readonly condition: LayerCondition; readonly seq: number }>();
  #truth: CanonicalRuntimeTruth | null;
  #inputSeq = 0;
  #inputAtMs = 0;
  #causedBy: string | null = null;
  /** The second in which it was used last, as the partition counts them. */
  usedAt = 0;

  constructor(truth: CanonicalRuntimeTruth | null) {
    this.#truth = truth;
  }

  fold(message: LayerConditioned, stored: StoredMessage): void {
    const key = `${message.layer}/${message.source}`;
    const known = this.#conditions.get(key);
    if (!known || known.seq < stored.seq) {
      this.#conditions.set(key, { condition: conditionFromWire(message), seq: stored.seq });
    }
    if (stored.seq <= this.#inputSeq) return;
    this.#inputSeq = stored.seq;
    this.#inputAtMs = stored.storedAtMs;
    this.#causedBy = referenceTo(stored);
  }

  /** The message to publish, or null when it would say nothing new. */
  encode(tenantId: string, { policy, digest }: PolicyAndDigest): Produced | null {
    const truth = buildTruth({
      tenantId,
      conditions: [...this.#conditions.values()].map((one) => one.condition),
      policy,
      policyDigest: digest,
      previous: this.#truth,
      atMs: this.#inputAtMs,
    });
    if (this.#truth && !isNews(this.#truth, truth)) return null;
    this.#truth = truth;
    const message = {
      v: VERSION,
      id: randomUUID(),
      causedBy: this.#causedBy,
      ...truth,
      inputSeq: this.#inputSeq,
    } as unknown as TruthRecorded;
    return { data: encode(truthRecorded, message), headers: truthHeaders({ policyDigest: digest }) };
  }
}

/** What is kept of a tenant at all times: where its last truth stands. The rest is looked up when it is needed. */
export class HeldTruth implements Head {
  readonly tenantId: string;
  /** Sequence of its last truth in TRUTH, 0 for none. */
  seq = 0;
  loaded: LoadedTruth | null = null;
  loading: Promise<LoadedTruth> | null = null;

  constructor(tenantId: string) {
    this.tenantId = tenantId;
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
