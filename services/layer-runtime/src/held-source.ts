import { randomUUID } from 'node:crypto';
import {
  type CanonicalBlockerLayer,
  digestOf,
  type LayerCondition,
  type Policy,
  sourceDigest,
} from '@orchestrate/canon';
import { conditionHeaders, type LayerConditioned, layerConditioned, VERSION } from '@orchestrate/contracts';
import type { LayerSource } from '@orchestrate/layer-machines';
import {
  type Due,
  encode,
  type Head,
  type Produced,
  referenceTo,
  type StoredMessage,
} from '@orchestrate/messaging';

/** Substance, causes and validity of what was published last. */
interface Published {
  readonly substance: string;
  readonly causes: string;
  readonly validUntilMs: number | null;
}

type Inputs = Record<'EVIDENCE' | 'CONFIG' | 'OPERATOR', number>;

/** A source's machine and what its last publication said, so that "unchanged" is not published. */
export class LoadedSource {
  source: LayerSource;
  readonly inputs: Inputs;
  causedBy: string | null;
  /** The second in which it was used last, as the partition counts them. */
  usedAt = 0;
  isDistrusted = false;
  /** What the stream holds; null while nothing was published. */
  #saved: LayerSource | null;
  #published: Published | null;
  #isOwed = false;

  private constructor(
    source: LayerSource,
    inputs: Inputs,
    causedBy: string | null,
    published: Published | null,
  ) {
    this.source = source;
    this.inputs = inputs;
    this.causedBy = causedBy;
    this.#published = published;
    this.#saved = published && source;
  }

  /** A source of which nothing was published yet. */
  static fresh(source: LayerSource): LoadedSource {
    return new LoadedSource(source, { EVIDENCE: 0, CONFIG: 0, OPERATOR: 0 }, null, null);
  }

  /** From the newest condition that can be read; one that is not the newest is not to be trusted. */
  static restored(
    source: LayerSource,
    condition: LayerCondition,
    message: LayerConditioned,
    isNewest: boolean,
  ): LoadedSource {
    const inputs = { ...message.inputs };
    const loaded = new LoadedSource(source, inputs, message.causedBy, publishedOf(condition));
    loaded.isDistrusted = !isNewest;
    return loaded;
  }

  /** Whether this input was folded into the source already. */
  isReplay(input: StoredMessage): boolean {
    return this.inputs[input.stream as keyof Inputs] >= input.seq;
  }

  /** Takes the next state over, and the input that made it. */
  become(next: LayerSource, input: StoredMessage | null): void {
    this.source = next;
    if (!input) return;
    this.inputs[input.stream as keyof Inputs] = input.seq;
    this.causedBy = referenceTo(input);
  }

  /** Whether the stream holds all that is known here. */
  isSaved(): boolean {
    return this.source === this.#saved;
  }

  /** It is to be published, news or not: nobody will remember it otherwise. */
  owe(): void {
    this.#isOwed = true;
  }

  /** The message to publish, or null when it would say nothing new. */
  encode(policy: Policy, atMs: number): Produced | null {
    const condition = this.source.condition(policy, atMs);
    const next = publishedOf(condition);
    if (!this.#isOwed && !isNews(this.#published, next, atMs)) return null;
    this.#published = next;
    this.#saved = this.source;
    this.#isOwed = false;
    const message = {
      v: VERSION,
      id: randomUUID(),
      causedBy: this.causedBy,
      ...condition,
      inputs: { ...this.inputs },
      at: atMs,
    } as unknown as LayerConditioned;
    const headers = conditionHeaders({ dueMs: this.source.nextDeadlineMs(), ...this.source.heartbeat() });
    return { data: encode(layerConditioned, message), headers };
  }
}

/**
 * What is kept of a source at all times: where its last condition stands, and when time alone changes it. There are
 * very many of them; the rest is looked up in the stream when somebody needs it.
 */
export class HeldSource implements Head, Due {
  readonly tenantId: string;
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  /** Sequence of its last condition in LAYERS, 0 for none. */
  seq = 0;
  dueMs: number | null = null;
  queuedMs: number | null = null;
  loaded: LoadedSource | null = null;
  loading: Promise<LoadedSource> | null = null;

  constructor(tenantId: string, layer: CanonicalBlockerLayer, source: string) {
    this.tenantId = tenantId;
    this.layer = layer;
    this.source = source;
  }
}

function isNews(before: Published | null, after: Published, atMs: number): boolean {
  if (before === null || before.substance !== after.substance) return true;
  if (before.causes !== after.causes) return true;
  if (after.validUntilMs === before.validUntilMs) return false;
  if (after.validUntilMs === null || before.validUntilMs === null) return true;
  // An answer that is only younger travels once the published validity has run half down.
  return before.validUntilMs - atMs <= (after.validUntilMs - atMs) / 2;
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
