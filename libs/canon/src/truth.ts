import {
  type Causes,
  type FactReading,
  isHonestUnknown,
  type LayerCondition,
  type LayerRisk,
  type Reason,
} from './condition.ts';
import { isSampleReason } from './facts.ts';
import { digestOf } from './fingerprint.ts';
import { type ResolvedMode, resolveMode } from './mode.ts';
import type { Policy } from './policy.ts';
import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  GOVERNANCE_MODES,
  type GovernanceMode,
  type ManagedExecutionState,
  type Owner,
  type ReadinessBucket,
  RISKS,
  STATES_WORST_FIRST,
  stateToBucket,
} from './words.ts';

/** A source of a layer as the truth carries it: its condition without what the truth says once for all. */
export type TruthSource = Omit<LayerCondition, 'tenantId' | 'layer'>;

export interface TruthLayer {
  readonly state: ManagedExecutionState;
  readonly bucket: ReadinessBucket;
  readonly owner: Owner;
  readonly reason: Reason;
  /** Sorted by source id; the worst enabled one is what the layer shows. */
  readonly sources: readonly TruthSource[];
  readonly validUntilMs: number | null;
}

export interface HonestUnknown {
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  readonly fact: string;
  readonly reason: Reason;
}

/** The one operational truth of a tenant. */
export interface CanonicalRuntimeTruth {
  readonly schema: 1;
  readonly tenantId: string;
  readonly layers: Readonly<Record<CanonicalBlockerLayer, TruthLayer>>;
  readonly unknowns: readonly HonestUnknown[];
  readonly mode: ResolvedMode;
  readonly policyDigest: string;
  readonly fingerprint: string;
  readonly layerFingerprints: Readonly<Record<CanonicalBlockerLayer, string>>;
  /** One more whenever the fingerprint differs from the one before: A, B, A is 3. */
  readonly epoch: number;
  readonly builtAtMs: number;
}

/**
 * Builds the truth of a tenant from what its layers say. Deterministic: the same conditions in any order, with
 * the same policy, give the same fingerprint. `previous` only decides the epoch. Digesting costs by the layers
 * whose condition objects are other ones than when they were built last.
 */
export function buildTruth(input: {
  readonly tenantId: string;
  readonly conditions: readonly LayerCondition[];
  readonly policy: Policy;
  readonly policyDigest: string;
  readonly previous: CanonicalRuntimeTruth | null;
  readonly atMs: number;
}): CanonicalRuntimeTruth {
  const { tenantId, conditions, policy, policyDigest, previous, atMs } = input;
  const built = CANONICAL_BLOCKER_LAYERS.map((layer) => [layer, builtLayer(layer, conditions)] as const);
  const layers = Object.fromEntries(built.map(([layer, { truthLayer }]) => [layer, truthLayer])) as Record<
    CanonicalBlockerLayer,
    TruthLayer
  >;
  const unknowns = unknownsOf(layers);
  const mode = modeOf(layers, unknowns, policy);
  const layerFingerprints = Object.fromEntries(
    built.map(([layer, { fingerprint }]) => [layer, fingerprint]),
  ) as Record<CanonicalBlockerLayer, string>;
  const substance = { tenantId, layers, unknowns, mode, policyDigest, layerFingerprints };
  const fingerprint = fingerprintOf(substance);
  const epoch = previous === null ? 1 : previous.epoch + (previous.fingerprint === fingerprint ? 0 : 1);
  return { schema: 1, ...substance, fingerprint, epoch, builtAtMs: atMs };
}

interface BuiltLayer {
  readonly conditions: readonly LayerCondition[];
  readonly truthLayer: TruthLayer;
  readonly fingerprint: string;
}

/**
 * What was built last, by the first condition that it was built from. Conditions never change, so the same objects
 * give the same layer: where one source changed, one layer is digested and not nine. A copy is another object.
 */
const lastBuilt = new WeakMap<LayerCondition, BuiltLayer>();

function builtLayer(layer: CanonicalBlockerLayer, all: readonly LayerCondition[]): BuiltLayer {
  const conditions = oneEach(all.filter((condition) => condition.layer === layer));
  const [first] = conditions;
  const last = first && lastBuilt.get(first);
  if (last && areSame(last.conditions, conditions)) return last;
  const truthLayer = layerOf(layer, conditions);
  const built = { conditions, truthLayer, fingerprint: layerFingerprint(truthLayer) };
  if (first) lastBuilt.set(first, built);
  return built;
}

function areSame(some: readonly LayerCondition[], others: readonly LayerCondition[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}

function layerOf(layer: CanonicalBlockerLayer, conditions: readonly LayerCondition[]): TruthLayer {
  const sources = conditions.map(({ tenantId: _tenantId, layer: _layer, ...source }) => source);
  const enabled = sources.filter((source) => source.enabled);
  const worst = STATES_WORST_FIRST.flatMap((state) => enabled.filter((source) => source.state === state))[0];
  if (worst) {
    const times = enabled.flatMap((source) => (source.validUntilMs === null ? [] : [source.validUntilMs]));
    const { state, bucket, owner, reason } = worst;
    const validUntilMs = times.length === 0 ? null : Math.min(...times);
    return { state, bucket, owner, reason, sources, validUntilMs };
  }
  // A tenant that uses no AI provider has none to wait for; any other layer without a source is unknown.
  const state = layer === 'provider_health' && sources.length > 0 ? 'ready' : 'unknown';
  const reason = state === 'ready' ? 'not_required' : 'never_observed';
  return { state, bucket: stateToBucket(state), owner: 'orchestrate', reason, sources, validUntilMs: null };
}

/**
 * One condition a source, sorted by source: told twice it counts once, and of two that differ the worse one counts
 * in any order.
 */
function oneEach(conditions: readonly LayerCondition[]): readonly LayerCondition[] {
  const bySource = new Map<string, LayerCondition>();
  for (const condition of conditions) {
    const held = bySource.get(condition.source);
    if (!held || isWorse(condition, held)) bySource.set(condition.source, condition);
  }
  return [...bySource.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
}

function isWorse(one: LayerCondition, other: LayerCondition): boolean {
  const rank = ({ state }: LayerCondition) => STATES_WORST_FIRST.indexOf(state);
  if (one.enabled !== other.enabled) return one.enabled;
  if (rank(one) !== rank(other)) return rank(one) < rank(other);
  return sourceDigest(one) < sourceDigest(other);
}

function enabledSources(
  layers: CanonicalRuntimeTruth['layers'],
): readonly [CanonicalBlockerLayer, TruthSource][] {
  return CANONICAL_BLOCKER_LAYERS.flatMap((layer) =>
    layers[layer].sources
      .filter((source) => source.enabled)
      .map((source): [CanonicalBlockerLayer, TruthSource] => [layer, source]),
  );
}

function unknownsOf(layers: CanonicalRuntimeTruth['layers']): readonly HonestUnknown[] {
  return enabledSources(layers).flatMap(([layer, { source, facts }]) =>
    facts
      .filter(isHonestUnknown)
      .map(({ fact, reason }) => ({ layer, source, fact, reason }))
      .sort((a, b) => (a.fact < b.fact ? -1 : 1)),
  );
}

function modeOf(
  layers: CanonicalRuntimeTruth['layers'],
  unknowns: readonly HonestUnknown[],
  policy: Policy,
): ResolvedMode {
  const facts = layers.governance.sources.find((source) => source.enabled)?.facts ?? [];
  const told = (name: string) => facts.find((one) => one.fact === name);
  const answer = (name: string) => {
    const fact = told(name);
    return fact?.verdict === 'unknown' ? undefined : fact?.value;
  };
  const asMode = (value: unknown): GovernanceMode | undefined =>
    GOVERNANCE_MODES.find((mode) => mode === value);
  const sector = answer('sector') ?? 'undeclared';
  return resolveMode({
    // Nobody has said how much freedom this tenant has, so a person must.
    requested: asMode(answer('requestedMode')) ?? 'approval_required',
    sectorFloor: policy.sectorFloors[sector as keyof Policy['sectorFloors']] ?? 'approval_required',
    // A floor stands until somebody lowers it: losing sight of it is no reason to be freer.
    operatorFloor: asMode(told('operatorFloor')?.value) ?? 'autonomous',
    risks: risksOf(layers, unknowns, policy),
  });
}

function risksOf(
  layers: CanonicalRuntimeTruth['layers'],
  unknowns: readonly HonestUnknown[],
  policy: Policy,
): readonly LayerRisk[] {
  const worst = new Map<string, LayerRisk>();
  const add = (risk: LayerRisk) => {
    if (worst.get(risk.risk)?.level !== 'high') worst.set(risk.risk, risk);
  };
  for (const [, source] of enabledSources(layers)) source.risks.forEach(add);
  const required = enabledSources(layers).flatMap(([, source]) =>
    source.facts.filter((fact) => fact.required || isHonestUnknown(fact)),
  );
  const unanswered = unknowns.filter((unknown) => !isSampleReason(unknown.reason)).length;
  if (required.length > 0 && unanswered / required.length >= policy.risk.unknownShareMax) {
    add({ risk: 'unknown_share_ge_25pct', level: RISKS.unknown_share_ge_25pct.level, phase: 'active' });
  }
  return [...worst.values()].sort((a, b) => (a.risk < b.risk ? -1 : 1));
}

/** SHA-256 over the nine layer digests, the mode and the policy: equal substance, equal fingerprint. */
export function fingerprintOf(
  truth: Pick<CanonicalRuntimeTruth, 'mode' | 'policyDigest' | 'layerFingerprints'>,
): string {
  const { mode, policyDigest, layerFingerprints } = truth;
  const { requested, sectorFloor, operatorFloor, riskFloor, resolved, risks } = mode;
  return digestOf({
    schema: 1,
    policyDigest,
    layers: CANONICAL_BLOCKER_LAYERS.map((layer) => layerFingerprints[layer]),
    mode: { requested, sectorFloor, operatorFloor, riskFloor, resolved, risks: risks.map(riskPart) },
  });
}

/** SHA-256 over the substantive part of one layer: no time, no age, no raw count, no sequence. */
export function layerFingerprint(layer: TruthLayer): string {
  const { state, bucket, owner, reason, sources } = layer;
  return digestOf({ state, bucket, owner, reason, sources: sources.map(sourcePart) });
}

/** SHA-256 over the substantive part of one source: what has to change for the change to be worth telling. */
export function sourceDigest(source: TruthSource): string {
  return digestOf(sourcePart(source));
}

const riskPart = ({ risk, level, phase }: LayerRisk) => [risk, level, phase];

function sourcePart(source: TruthSource) {
  return {
    source: source.source,
    enabled: source.enabled,
    state: source.state,
    bucket: source.bucket,
    owner: source.owner,
    reason: source.reason,
    facts: source.facts.map(factPart).sort(byFirst),
    causes: causesPart(source.causes),
    risks: source.risks.map(riskPart).sort(byFirst),
  };
}

/** Exact numbers that change only when their records do; every other number counts by its band alone. */
const EXACT = new Set(['spfLookups', 'spfVoidLookups', 'dkimKeyBits']);

function factPart({ fact, value, band, verdict, severity, reason }: FactReading) {
  const closed = typeof value === 'number' && !EXACT.has(fact) ? null : (value ?? null);
  return [fact, verdict, severity, reason, closed, band ?? null];
}

function causesPart(causes: Causes) {
  const ordinals = (record: Readonly<Record<string, { readonly ordinal: number }>>) =>
    Object.entries(record)
      .map(([cause, { ordinal }]) => [cause, ordinal])
      .sort(byFirst);
  return {
    holds: names(causes.holds),
    faults: names(causes.faults),
    cooldowns: ordinals(causes.cooldowns),
    requalifications: ordinals(causes.requalifications),
    graces: Object.entries(causes.graces)
      .map(([fact, { spent }]) => [fact, spent])
      .sort(byFirst),
    closures: names(causes.closures),
    latched: Object.entries(causes.latched)
      .map(([risk, { phase }]) => [risk, phase])
      .sort(byFirst),
    setup: causes.setup?.id ?? null,
    leased: causes.lease !== null,
    requalificationOwed: causes.requalificationOwed,
    attention: causes.attention,
  };
}

const names = (record: object) => Object.keys(record).sort((a, b) => (a < b ? -1 : 1));

function byFirst(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}
