import type { FactReading, Reason } from './condition.ts';
import { type FactValue, factSpec, requiredFacts } from './facts.ts';
import { ruleOf } from './rules/index.ts';
import { StandingFindings } from './standing.ts';
import type { CanonicalRuntimeTruth, TruthSource } from './truth.ts';
import type { CanonicalBlockerLayer, CheckVerdict, Owner } from './words.ts';

/** One fact as a reader at a given time must take it: past its age, or from a stale truth, it is unknown. */
export interface ReadFact {
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  readonly fact: string;
  readonly value: FactValue | undefined;
  readonly verdict: CheckVerdict;
  readonly severity: FactReading['severity'];
  readonly reason: Reason;
  readonly owner: Owner;
  readonly observedAtMs: number | null;
  /** Nobody's fault and no person's work: the answer only has to arrive again. */
  readonly stale: boolean;
}

/** A fact while it counts, and from when on it does not. */
export interface IndexedFact {
  readonly read: ReadFact;
  readonly expiresAtMs: number;
}

/** A truth does not change and is read for every request: where its sources are and what they say is found once. */
export class TruthIndex {
  static readonly #known = new WeakMap<CanonicalRuntimeTruth, TruthIndex>();
  readonly findings = new StandingFindings();
  readonly #truth: CanonicalRuntimeTruth;
  readonly #layers = new Map<CanonicalBlockerLayer, ReadonlyMap<string, IndexedSource>>();

  static of(truth: CanonicalRuntimeTruth): TruthIndex {
    const known = TruthIndex.#known.get(truth);
    if (known) return known;
    const made = new TruthIndex(truth);
    TruthIndex.#known.set(truth, made);
    return made;
  }

  private constructor(truth: CanonicalRuntimeTruth) {
    this.#truth = truth;
  }

  source(layer: CanonicalBlockerLayer, source: string): IndexedSource | undefined {
    let sources = this.#layers.get(layer);
    if (!sources) {
      sources = firstByName(
        this.#truth.layers[layer].sources.map((one) => [one.source, new IndexedSource(layer, one)]),
      );
      this.#layers.set(layer, sources);
    }
    return sources.get(source);
  }
}

export class IndexedSource {
  readonly source: TruthSource;
  readonly #layer: CanonicalBlockerLayer;
  #facts: ReadonlyMap<string, IndexedFact> | null = null;
  #required: readonly string[] | null = null;

  constructor(layer: CanonicalBlockerLayer, source: TruthSource) {
    this.#layer = layer;
    this.source = source;
  }

  fact(name: string): IndexedFact | undefined {
    this.#facts ??= firstByName(this.source.facts.map((fact) => [fact.fact, this.#indexed(fact)]));
    return this.#facts.get(name);
  }

  /** What became required after this source last spoke has no answer yet, which is not the same as a good one. */
  get required(): readonly string[] {
    if (!this.#required) {
      const named = this.source.facts.flatMap(({ fact, required }) => (required ? [fact] : []));
      this.#required = [...new Set([...named, ...requiredFacts(this.#layer)])];
    }
    return this.#required;
  }

  #indexed(found: FactReading): IndexedFact {
    const { fact, verdict, severity, reason, observedAtMs } = found;
    const layer = this.#layer;
    const stale = reason === 'expired';
    const isUnknown = verdict === 'unknown';
    const owner = isUnknown ? ownerOfUnknown(layer, stale) : found.owner;
    // The last value of an unknown is history: a gate that read it would take a guess for an answer.
    const value = isUnknown ? undefined : found.value;
    const { source } = this.source;
    return {
      read: { layer, source, fact, owner, value, verdict, severity, reason, observedAtMs, stale },
      expiresAtMs: found.expiresAtMs ?? Number.POSITIVE_INFINITY,
    };
  }
}

/** Of two of one name the first counts. */
const firstByName = <T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> =>
  new Map(entries.toReversed());

/** What a fact reads as that has no answer now. */
export function unanswered(
  layer: CanonicalBlockerLayer,
  source: string,
  fact: string,
  reason: Reason,
  stale: boolean,
): ReadFact {
  return {
    layer,
    source,
    fact,
    owner: ownerOfUnknown(layer, stale),
    value: undefined,
    verdict: 'unknown',
    severity: 'none',
    reason,
    observedAtMs: null,
    stale,
  };
}

export const whyNever = (layer: CanonicalBlockerLayer, fact: string): Reason =>
  factSpec(layer, fact)?.missing ?? 'never_observed';

/**
 * An answer that is missing, or only has to arrive again, is work for nobody but us; what an operator decides only an
 * operator can say.
 */
function ownerOfUnknown(layer: CanonicalBlockerLayer, stale: boolean): Owner {
  return !stale && ruleOf(layer).owner === 'operator' ? 'operator' : 'orchestrate';
}
