import {
  type CanonicalBlockerLayer,
  type CauseWanted,
  type FactReading,
  type KnownFacts,
  type LayerCondition,
  type ManagedExecutionState,
  NEW_SAMPLE,
  ruleOf,
} from '@orchestrate/canon';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';
import { LAYER_MACHINES } from './layer-machines.ts';
import { answers, DAY_MS, type Facts, GOOD, noAnswer, POLICY, T0 } from './layer-source.test-support.ts';
import { LayerSource } from './layer-source.ts';
import { alphabetOf } from './search-alphabet.test-support.ts';
import { settle } from './settle.ts';

/** One context that can be reached, and where each thing that can happen next leads. */
export interface Found {
  readonly context: LayerContext;
  readonly state: ManagedExecutionState;
  readonly next: readonly { readonly by: string; readonly to: number }[];
}

/**
 * Everything that one source of a layer can come to, breadth first from nothing observed, through the real machine
 * and rules. Time is a few instants: long before, before, now, and later in the order in which deadlines end.
 */
export function search(layer: CanonicalBlockerLayer): readonly Found[] {
  const happenings = happeningsOf(layer);
  const numbers = new Map<string, number>();
  const found: { context: LayerContext; state: ManagedExecutionState; next: { by: string; to: number }[] }[] =
    [];
  const numberOf = (source: LayerSource): number => {
    const context = abstracted(layer, source.context);
    const key = JSON.stringify(context);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = numbers.size;
    if (number >= CONTEXTS_MAX) throw new Error(`${layer} comes to more than ${CONTEXTS_MAX} contexts`);
    numbers.set(key, number);
    found.push({ context, state: settle(context), next: [] });
    return number;
  };
  const created = LayerSource.create({ tenantId: 'acme', layer, source: 'main', enabled: true });
  numberOf(created);
  for (const one of found) {
    const source = restored(created, one.context);
    for (const { by, happen } of happenings(one.context)) {
      const next = happen(source);
      if (next && next !== source) one.next.push({ by, to: numberOf(next) });
    }
  }
  return found;
}

const CONTEXTS_MAX = 8_000;

const LONG_BEFORE_MS = T0 - 2;
const BEFORE_MS = T0 - 1;
const COOLED_MS = T0 + 10;
const GRACE_OVER_MS = T0 + 20;
const LATER_MS = T0 + 30;

interface Happening {
  readonly by: string;
  readonly happen: (source: LayerSource) => LayerSource | null;
}

/**
 * What can happen to a context. A report tells everything, with at most one kind of bad news; a fact by which a
 * layer fails hard also expires, stays without an answer, or is told alone. Outside causes take part where the
 * layer's own facts raise none of their kind.
 */
function happeningsOf(layer: CanonicalBlockerLayer): (context: LayerContext) => readonly Happening[] {
  const { bad, good, expiring } = alphabetOf(layer);
  const { takes } = LAYER_MACHINES[layer];
  // Nobody asks for what is derived.
  const asked = expiring.filter((fact) => good.some((facts) => fact in facts));
  const told = (facts: Facts): Happening => ({
    by: `told ${JSON.stringify(facts)}`,
    happen: (source) => source.observe(answers(facts, T0), POLICY, T0),
  });
  const received = (event: LayerEvent): Happening => ({
    by: `${event.type} ${'cause' in event ? event.cause : ''}`,
    happen: (source) => source.receive(event, POLICY),
  });
  const allGood: Facts = Object.assign({}, ...good, GOOD[layer]);
  const always = [
    told(allGood),
    ...bad.map((facts) => told({ ...allGood, ...facts })),
    ...good.filter((facts) => expiring.some((fact) => fact in facts)).map(told),
    ...expiring.map((fact) => received({ type: 'fact_expired', atMs: T0, fact, reason: 'expired' })),
    ...asked.map((fact) => ({
      by: `no answer of ${fact}`,
      happen: (source: LayerSource) => source.observe([noAnswer(fact, T0, 'heartbeat_lost')], POLICY, T0),
    })),
  ];
  const wanted = causesOf(layer, bad);
  const raises = new Set(wanted.map(({ kind }) => kind));
  const stops = raises.has('cooldown')
    ? wanted.flatMap(({ kind, cause }) => (kind === 'cooldown' ? [String(cause)] : []))
    : ['x'];
  return (context) => {
    const atMs = T0;
    const events: LayerEvent[] = [
      { type: 'check_started', atMs, deadlineMs: LATER_MS },
      ...(context.check
        ? [true, false].map((ours) => ({ type: 'check_exhausted', atMs, ours }) as const)
        : []),
      ...(raises.has('hold') ? [] : [{ type: 'operator_hold', atMs, cause: 'incident' } as const]),
      ...Object.keys(context.holds).map((cause) => ({ type: 'operator_released', atMs, cause }) as const),
      ...Object.keys(context.cooldowns).map(
        (cause) => ({ type: 'cooldown_elapsed', atMs: COOLED_MS, cause }) as const,
      ),
      ...Object.keys(context.requalifications)
        .filter((cause) => stops.includes(cause))
        .map((cause) => ({ type: 'probation_failed', atMs, cause, untilMs: COOLED_MS }) as const),
      ...Object.keys(context.graces).map(
        (fact) => ({ type: 'grace_expired', atMs: GRACE_OVER_MS, fact }) as const,
      ),
      ...Object.keys(context.closures).map((cause) => ({ type: 'window_opened', atMs, cause }) as const),
      { type: 'run_started', atMs, runId: 'r', untilMs: LATER_MS },
      { type: 'run_finished', atMs, runId: 'r' },
      { type: 'run_lost', atMs, runId: 'r' },
      ...(raises.has('setup')
        ? []
        : [{ type: 'setup_started', atMs, id: 's', deadlineMs: LATER_MS } as const]),
      ...(context.setup ? [{ type: 'setup_done', atMs, id: context.setup.id } as const] : []),
      ...(raises.has('cooldown')
        ? []
        : [{ type: 'adverse_event', atMs, cause: 'x', untilMs: COOLED_MS } as const]),
      {
        type: 'client_acted',
        atMs,
        facts: Object.values(context.facts).flatMap(({ fact, severity }) =>
          severity === 'hard' ? [fact] : [],
        ),
      },
    ];
    const completed = Object.keys(context.requalifications).map((cause) => ({
      by: `sample complete ${cause}`,
      happen: (source: LayerSource) => withCompleteSample(source, cause).tick(POLICY, T0),
    }));
    return [...always, ...completed, ...events.filter(({ type }) => takes.has(type)).map(received)];
  };
}

/** What bad news about the layer's own facts raise. */
function causesOf(layer: CanonicalBlockerLayer, bad: readonly Facts[]): readonly CauseWanted[] {
  const { causes, derive } = ruleOf(layer);
  const moment = { policy: POLICY, atMs: T0 };
  return bad.flatMap((facts) => {
    const told = { ...GOOD[layer], ...facts } as KnownFacts;
    return causes?.({ ...told, ...derive?.(told, moment) } as KnownFacts, moment) ?? [];
  });
}

type Identity = Pick<LayerCondition, 'tenantId' | 'layer' | 'source' | 'enabled'>;

function restored(identity: Identity, { facts, ...causes }: LayerContext): LayerSource {
  const shown = LayerSource.create(identity).condition(POLICY, T0);
  return LayerSource.restore({ ...shown, facts: Object.values(facts), causes });
}

/** However long a sample takes to come in, it is the source that says when it is complete. */
function withCompleteSample(source: LayerSource, cause: string): LayerSource {
  const { context } = source;
  const sample = { ...context.requalifications[cause]!, count: Number.MAX_SAFE_INTEGER };
  return restored(source, {
    ...context,
    requalifications: { ...context.requalifications, [cause]: sample },
  });
}

/**
 * The same context with its times as the few instants that tell them apart, and without what no later event can
 * ask for. What is left out here is what `settle` and the effects never read in this layer.
 */
function abstracted(layer: CanonicalBlockerLayer, context: LayerContext): LayerContext {
  const observed = Object.values(context.facts).some(({ observedAtMs }) => observedAtMs !== null);
  const since = context.recheckSinceMs;
  const facts = Object.values(context.facts)
    .map((fact) => abstractedFact(layer, fact, since))
    .toSorted((a, b) => (a.fact < b.fact ? -1 : 1));
  return {
    ...context,
    facts: Object.fromEntries(facts.map((fact) => [fact.fact, fact])),
    holds: mapped(context.holds, () => ({ sinceMs: BEFORE_MS })),
    faults: mapped(context.faults, () => ({ sinceMs: BEFORE_MS })),
    cooldowns: mapped(context.cooldowns, () => ({ untilMs: COOLED_MS, ordinal: 1 })),
    requalifications: mapped(context.requalifications, () => ({ ordinal: 1, ...NEW_SAMPLE })),
    graces: mapped(context.graces, ({ spent }) => ({ untilMs: spent ? BEFORE_MS : GRACE_OVER_MS, spent })),
    closures: mapped(context.closures, ({ untilMs }) => ({ untilMs: untilMs === null ? null : LATER_MS })),
    setup: context.setup && { ...context.setup, deadlineMs: LATER_MS },
    lease: context.lease && { ...context.lease, untilMs: LATER_MS },
    recheckSinceMs: since === null ? null : BEFORE_MS,
    unanswered: mapped(context.unanswered, () => ({ sinceMs: BEFORE_MS, lastMs: BEFORE_MS, tries: 1 })),
    servedStop:
      context.servedStop && Object.keys(context.servedStop.counters).length > 0
        ? { ...context.servedStop, atMs: BEFORE_MS }
        : null,
    // Only the first check asks for these two, and it is over with the first answer.
    check: context.check && !observed ? { startedAtMs: BEFORE_MS, deadlineMs: LATER_MS } : null,
    attention: context.attention && !observed,
  };
}

function abstractedFact(
  layer: CanonicalBlockerLayer,
  fact: FactReading,
  sinceMs: number | null,
): FactReading {
  const { observedAtMs, band: _band, ...rest } = fact;
  const awaits = sinceMs !== null && fact.required && (observedAtMs === null || observedAtMs < sinceMs);
  const { states } = LAYER_MACHINES[layer];
  const hasGrace = states.has('grace');
  // Whether a fact ever passed is asked of a hard failure, under a set-up or for a grace.
  const asksForPast = states.has('provisioning') && canFailHard(layer, fact.fact);
  const isGone = fact.verdict === 'unknown' && GONE.has(fact.reason);
  const { value: _value, ...unanswered } = rest;
  return {
    ...(isGone ? { ...unanswered, reason: 'expired' as const } : rest),
    observedAtMs: observedAtMs === null ? null : awaits ? LONG_BEFORE_MS : BEFORE_MS,
    expiresAtMs: fact.expiresAtMs === null ? null : T0 + DAY_MS,
    everPassed: fact.everPassed || !asksForPast,
    passingSinceMs: hasGrace && fact.passingSinceMs !== null ? BEFORE_MS : null,
  };
}

const canFailHard = (layer: CanonicalBlockerLayer, fact: string): boolean =>
  alphabetOf(layer).expiring.includes(fact);

/** Reasons for which the last value is shown, and asked for by nothing. */
const GONE: ReadonlySet<string> = new Set(['expired', 'recheck_requested', 'run_lost', 'heartbeat_lost']);

function mapped<V, W>(
  record: Readonly<Record<string, V>>,
  change: (value: V) => W,
): Readonly<Record<string, W>> {
  const entries = Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, change(value)]));
}
