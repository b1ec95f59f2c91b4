import {
  buildTruth,
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  type CanonicalRuntimeTruth,
  digestOfBytes,
  type LayerCondition,
  type Policy,
  policyDigestOf,
  sourceDigest,
} from '@orchestrate/canon';
import type { TenantConfig } from '@orchestrate/contracts';
import { type LayerEvent, LayerSource, type Observation } from '@orchestrate/layer-machines';
import { assertDeclared, declaredSources, observationsOf } from './services.ts';

interface Held {
  source: LayerSource;
  /** When time alone changes it. */
  dueMs: number;
  /** As it was published last. */
  published: LayerCondition;
  substance: string;
}

export interface CitedTruth {
  readonly truth: CanonicalRuntimeTruth;
  readonly cited: {
    readonly seq: number;
    readonly digest: string;
    readonly fingerprint: string;
    readonly epoch: number;
  };
}

/**
 * A source is immutable and what it is told changes nothing else, so what was worked out of a source for one archetype
 * holds for every other that comes the same way: most of them differ in two or three sources of ten.
 */
const memory = new WeakMap<object, Map<string, unknown>>();
function remembered<T>(of: object, what: string, workOut: () => T): T {
  // What each mailbox sends is its own.
  if (of instanceof LayerSource && of.layer === 'pacing') return workOut();
  const known = memory.getOrInsertComputed(of, () => new Map<string, unknown>());
  return known.getOrInsertComputed(what, workOut) as T;
}

/** All layer sources of a tenant and its one truth: what layer-runtime and truth-aggregator do, without streams. */
export class Layers {
  readonly #config: TenantConfig;
  readonly #policy: Policy;
  readonly #policyDigest: string;
  readonly #held = new Map<string, Held>();
  /** What the declaration says of each source. */
  readonly #declared = new Map<string, string>();
  #truth: CitedTruth | null = null;
  /** Conditions were published since the truth was built. */
  #outdated = true;
  #moved = false;
  #told = true;

  constructor(config: TenantConfig, policy: Policy) {
    this.#config = config;
    this.#policy = policy;
    this.#policyDigest = policyDigestOf(policy);
  }

  /** A tenant declared itself: a machine for every source, told what the declaration says of it. */
  declare(atMs: number): void {
    for (const declared of declaredSources(this.#config, this.#policy)) {
      const { layer, source, enabled, facts, initial } = declared;
      const identity = { tenantId: this.#config.tenantId, layer, source, enabled };
      const created = remembered(this.#policy, `created ${JSON.stringify(identity)}`, () =>
        LayerSource.create(identity),
      );
      this.#declared.set(`${layer}/${source}`, JSON.stringify(facts));
      this.#save(this.#observed(created, observationsOf({ ...initial, ...facts }, atMs), atMs), atMs);
      if (layer !== 'sending_domain') continue;
      const deadlineMs = atMs + this.#policy.firstCheckSec * 1000;
      this.receive(layer, source, { type: 'check_started', atMs, deadlineMs });
    }
  }

  observe(layer: CanonicalBlockerLayer, source: string, told: readonly Observation[], atMs: number): void {
    this.#save(this.#observed(this.source(layer, source), told, atMs), atMs);
  }

  receive(layer: CanonicalBlockerLayer, source: string, event: LayerEvent): void {
    const before = this.source(layer, source);
    const next = remembered(before, `received ${JSON.stringify(event)}`, () =>
      before.receive(event, this.#policy),
    );
    if (!next) throw new Error(`${layer}/${source} refuses ${event.type}`);
    this.#save(next, event.atMs);
  }

  /** A person gives a source back: from then on only what is observed anew counts. */
  release(layer: CanonicalBlockerLayer, source: string, cause: string, atMs: number): void {
    this.receive(layer, source, { type: 'operator_released', atMs, cause });
    const refreshed = this.source(layer, source).refreshFolded(this.#policy, atMs);
    this.#save(this.#asserted(refreshed, atMs), atMs);
  }

  /** The earliest moment at which time alone changes something. */
  nextDeadlineMs(): number {
    return Math.min(...[...this.#held.values()].map(({ dueMs }) => dueMs));
  }

  /** What is due happens; what the declaration says is told again instead of expiring. */
  tick(atMs: number): void {
    for (const { source, dueMs } of this.#held.values()) {
      if (dueMs > atMs) continue;
      const ticked = remembered(source, `ticked ${atMs}`, () => source.tick(this.#policy, atMs));
      const expired = Object.values(ticked.context.facts).some((fact) => fact.reason === 'expired');
      this.#save(expired ? this.#asserted(ticked, atMs) : ticked, atMs);
    }
  }

  #observed(source: LayerSource, told: readonly Observation[], atMs: number): LayerSource {
    if (told.length === 0) return source;
    return remembered(source, `observed ${atMs} ${JSON.stringify(told)}`, () =>
      source.observe(told, this.#policy, atMs),
    );
  }

  #asserted(source: LayerSource, atMs: number): LayerSource {
    const declared = this.#declared.get(`${source.layer}/${source.source}`);
    return remembered(source, `asserted ${atMs} ${declared}`, () =>
      assertDeclared(source, this.#config, this.#policy, atMs),
    );
  }

  /** Whoever tells the window has been silent for too long, or is heard again. */
  windowHeartbeat(heard: boolean, atMs: number): void {
    const window = this.source('continuity_window', 'main');
    this.#save(heard ? window.regainHeartbeat(this.#policy, atMs) : window.loseHeartbeat(atMs), atMs);
  }

  source(layer: CanonicalBlockerLayer, source: string): LayerSource {
    const held = this.#held.get(`${layer}/${source}`);
    if (!held) throw new Error(`nobody declared ${layer}/${source}`);
    return held.source;
  }

  condition(layer: CanonicalBlockerLayer, source: string, atMs: number): LayerCondition {
    return this.source(layer, source).condition(this.#policy, atMs);
  }

  /** Whether a new truth is due, and whether its substance is another one; asked once for each. */
  takeNews(): 'moved' | 'valid_longer' | null {
    const news = this.#moved ? 'moved' : this.#told ? null : 'valid_longer';
    this.#moved = false;
    this.#told = true;
    return news;
  }

  truth(atMs: number): CitedTruth {
    if (this.#truth && !this.#outdated) return this.#truth;
    const truth = buildTruth({
      tenantId: this.#config.tenantId,
      conditions: [...this.#held.values()].map(({ published }) => published),
      policy: this.#policy,
      policyDigest: this.#policyDigest,
      previous: this.#truth?.truth ?? null,
      atMs,
    });
    const { fingerprint, epoch } = truth;
    const digest = digestOfBytes(Buffer.from(JSON.stringify(truth)));
    this.#truth = { truth, cited: { seq: (this.#truth?.cited.seq ?? 0) + 1, digest, fingerprint, epoch } };
    this.#outdated = false;
    return this.#truth;
  }

  /** Published is what moved in substance, and what only stays valid longer once half of its validity has run down. */
  #save(source: LayerSource, atMs: number): void {
    const key = `${source.layer}/${source.source}`;
    const held = this.#held.get(key);
    if (held?.source === source) return;
    const { dueMs, condition, substance } = remembered(source, `as of ${atMs}`, () => {
      const shown = source.condition(this.#policy, atMs);
      const nextMs = source.nextDeadlineMs() ?? Number.POSITIVE_INFINITY;
      return { dueMs: nextMs, condition: shown, substance: sourceDigest(shown) };
    });
    const moved = held?.substance !== substance;
    if (held && !moved && !staysValidLonger(held.published, condition, atMs)) {
      held.source = source;
      held.dueMs = dueMs;
      return;
    }
    this.#held.set(key, { source, dueMs, published: condition, substance });
    this.#outdated = true;
    this.#told = false;
    this.#moved ||= moved;
  }
}

function staysValidLonger(before: LayerCondition, now: LayerCondition, atMs: number): boolean {
  if (before.validUntilMs === now.validUntilMs) return false;
  if (before.validUntilMs === null || now.validUntilMs === null) return true;
  return before.validUntilMs - atMs <= (now.validUntilMs - atMs) / 2;
}

/** Layers whose substance differs between two truths. */
export function movedLayers(
  before: CanonicalRuntimeTruth | undefined,
  now: CanonicalRuntimeTruth,
): ReadonlySet<string> {
  return new Set(
    CANONICAL_BLOCKER_LAYERS.filter(
      (layer) => before?.layerFingerprints[layer] !== now.layerFingerprints[layer],
    ),
  );
}
