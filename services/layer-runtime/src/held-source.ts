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

/** What was published last, digested when that is needed to tell it from the next. */
class Published {
  readonly condition: LayerCondition;
  #substance: string | undefined;
  #causes: string | undefined;

  constructor(condition: LayerCondition) {
    this.condition = condition;
  }

  get substance(): string {
    this.#substance ??= sourceDigest(this.condition);
    return this.#substance;
  }

  /**
   * What whoever takes over must know of the causes beside their substance: until when, how far, since when. Tries
   * without an answer are counted anew: they call for a person and change nothing else.
   */
  get causes(): string {
    const { unanswered: _tries, check: _check, ...durable } = this.condition.causes;
    this.#causes ??= digestOf(durable);
    return this.#causes;
  }
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
    const loaded = new LoadedSource(source, inputs, message.causedBy, new Published(condition));
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
    const next = new Published(condition);
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
  if (before === null || differAtAGlance(before.condition, after.condition)) return true;
  if (before.substance !== after.substance || before.causes !== after.causes) return true;
  const validUntilMs = before.condition.validUntilMs;
  const nextUntilMs = after.condition.validUntilMs;
  if (nextUntilMs === validUntilMs) return false;
  if (nextUntilMs === null || validUntilMs === null) return true;
  // An answer that is only younger travels once the published validity has run half down.
  return validUntilMs - atMs <= (nextUntilMs - atMs) / 2;
}

/** What most changes change, found without a digest. */
function differAtAGlance(before: LayerCondition, after: LayerCondition): boolean {
  if (before.state !== after.state || before.facts.length !== after.facts.length) return true;
  return before.facts.some((fact, index) => fact.verdict !== after.facts[index]!.verdict);
}
