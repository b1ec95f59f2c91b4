import {
  CANONICAL_BLOCKER_LAYERS,
  isHonestUnknown,
  type ManagedExecutionState,
  REASON_SENTENCES,
  TruthReading,
  type TruthSource,
} from '@orchestrate/canon';
import type { StoredTruth } from '@orchestrate/client';
import type { z } from 'zod';
import type { OUTPUTS } from '../outputs.ts';
import {
  ageOf,
  clockOf,
  colours,
  counted,
  durationOf,
  inBucketColour,
  screenWidth,
  shortDigest,
  stateWithSign,
  tableOf,
  timeOf,
  verdictSign,
} from '../print.ts';

export type Readiness = z.input<typeof OUTPUTS.readiness>;
type Layer = Readiness['layers'][number];
type Source = Layer['sources'][number];
type Fact = Source['facts'][number];

/** What a truth says of a tenant at this moment: expired answers are unknown, and so is everything when it is stale. */
export function readinessOf(
  { truth, seq }: StoredTruth,
  at: { readonly asOfMs: number | null; readonly fresh: boolean; readonly nowMs: number },
): Readiness {
  const reading = new TruthReading(truth, at.fresh, at.nowMs);
  const layers = CANONICAL_BLOCKER_LAYERS.map((layer): Layer => {
    const { state, bucket, owner, reason } = reading.layer(layer);
    const { sources, validUntilMs } = truth.layers[layer];
    return {
      layer,
      owner,
      state,
      bucket,
      reason,
      validUntilMs,
      sources: sources.map((source) => sourceOf(reading, layer, source)),
    };
  });
  const unknowns = layers.flatMap(({ layer, sources }) =>
    sources
      .filter((source) => source.enabled)
      .flatMap(({ source, facts }) =>
        facts
          .filter(isHonestUnknown)
          .map(({ fact, reason, observedAtMs }) => ({ layer, source, fact, reason, observedAtMs })),
      ),
  );
  const { requested, resolved, risks } = truth.mode;
  return {
    tenantId: truth.tenantId,
    seq,
    epoch: truth.epoch,
    fingerprint: truth.fingerprint,
    asOfMs: at.asOfMs,
    fresh: at.fresh,
    mode: { requested, resolved },
    risks: [...risks],
    layers,
    unknowns,
    ...recoveryOf(truth),
  };
}

function recoveryOf({ layers }: StoredTruth['truth']): Pick<Readiness, 'recovering' | 'attention'> {
  const enabled = CANONICAL_BLOCKER_LAYERS.flatMap((layer) =>
    layers[layer].sources.filter(({ enabled }) => enabled).map((source) => ({ layer, ...source })),
  );
  return {
    recovering: enabled.flatMap(({ layer, source, causes }) => [
      ...Object.entries(causes.cooldowns).map(([cause, { untilMs }]) => {
        return { layer, source, cause, untilMs, counted: null };
      }),
      ...Object.entries(causes.requalifications).map(([cause, { count }]) => {
        return { layer, source, cause, untilMs: null, counted: count };
      }),
    ]),
    attention: enabled
      .filter(({ causes }) => causes.attention)
      .map(({ layer, source }) => ({ layer, source })),
  };
}

function sourceOf(reading: TruthReading, layer: Layer['layer'], source: TruthSource): Source {
  const { source: name, enabled, state, owner, reason } = source;
  const facts = source.facts.map((held): Fact => {
    const now = reading.fact(layer, name, held.fact);
    return {
      fact: held.fact,
      value: held.value ?? null,
      verdict: now.verdict,
      reason: now.reason,
      owner: now.owner,
      required: held.required,
      observedAtMs: held.observedAtMs,
      expiresAtMs: held.expiresAtMs,
    };
  });
  return { source: name, enabled, state, owner, reason, facts };
}

const LINES_SHOWN_MAX = 6;
const NAMES_SHOWN_MAX = 8;

/** With fewer columns the facts stand below the table, and with fewer still the bucket below its state. */
const COLUMNS_WITH_FACTS_MIN = 150;
const COLUMNS_WITH_BUCKET_MIN = 100;
const ROWS_WITH_BUCKET_MIN = 36;

/** Everything a person looks at first: nine rows, what is honestly unknown apart, and what would help. */
export function readinessScreen(readiness: Readiness, nowMs: number): string {
  const { layers, unknowns, risks, fresh, recovering, attention } = readiness;
  const withFacts = screenWidth() >= COLUMNS_WITH_FACTS_MIN;
  const help = whatHelps(layers);
  const facts = layers.map((layer) => [layer.layer, factsOf(layer, nowMs)]);
  return [
    headOf(readiness, nowMs),
    ...(fresh ? [] : [colours.yellow(`truth_stale: ${sentenceOf('truth_stale')}`)]),
    tableOf(
      ['LAYER', 'OWNER', ...stateColumns(), 'REASON', ...(withFacts ? [FACTS] : [])],
      layers.map((layer, at) => [
        layer.layer,
        layer.owner,
        ...stateCells(layer),
        layer.reason,
        ...(withFacts ? [facts[at]![1]!] : []),
      ]),
    ),
    ...(risks.length > 0
      ? [`risks: ${risks.map(({ risk, level, phase }) => `${risk} (${level}, ${phase})`).join(', ')}`]
      : []),
    ...(unknowns.length > 0 ? [`honest unknowns\n${unknownTable(unknowns, nowMs)}`] : []),
    ...(recovering.length > 0 ? [`recovering\n${recoveryTable(recovering, nowMs)}`] : []),
    ...(attention.length > 0
      ? [`asked in vain for long: ${attention.map(({ layer, source }) => `${layer}/${source}`).join(', ')}`]
      : []),
    ...(help.length > 0 ? [`what helps\n${tableOf(['LAYER', 'OWNER', 'WHAT TO DO'], help)}`] : []),
    ...(withFacts ? [] : [tableOf(['LAYER', FACTS], facts)]),
  ].join('\n\n');
}

const FACTS = 'FACTS, OLDEST ANSWER';

function headOf({ tenantId, layers, mode, epoch, fingerprint, asOfMs }: Readiness, nowMs: number): string {
  const ready = layers.filter(({ state }) => state === 'ready' || state === 'executing').length;
  const asked = mode.resolved === mode.requested ? '' : ` (asked for ${mode.requested})`;
  const age = asOfMs === null ? 'not marked yet' : `as of ${ageOf(asOfMs, nowMs)} ago`;
  return [
    [
      colours.bold(tenantId),
      `${ready} of ${layers.length} layers ready`,
      `mode ${mode.resolved}${asked}`,
    ].join('   '),
    colours.dim([`epoch ${epoch}`, `fingerprint ${shortDigest(fingerprint)}`, age].join('   ')),
  ].join('\n');
}

/** On a low screen the sign alone says the bucket: its shape and colour are those of no other one. */
function bucketPlace(): 'column' | 'below' | 'sign' {
  if (screenWidth() >= COLUMNS_WITH_BUCKET_MIN) return 'column';
  return (process.stdout.rows ?? Number.POSITIVE_INFINITY) >= ROWS_WITH_BUCKET_MIN ? 'below' : 'sign';
}

function stateColumns(): string[] {
  const place = bucketPlace();
  if (place === 'column') return ['STATE', 'BUCKET'];
  return [place === 'below' ? 'STATE, BUCKET' : 'STATE'];
}

function stateCells({ state, bucket }: Layer): string[] {
  const place = bucketPlace();
  const shown = stateWithSign(state);
  const inColour = inBucketColour(bucket, bucket);
  if (place === 'column') return [shown, inColour];
  return [place === 'below' ? `${shown}\n  ${inColour}` : shown];
}

function unknownTable(unknowns: Readiness['unknowns'], nowMs: number): string {
  return tableOf(
    ['FACT', 'REASON', 'LAST ANSWER', 'WHAT IT SAYS'],
    unknowns.map(({ layer, source, fact, reason, observedAtMs }) => [
      `${layer}/${source} ${fact}`,
      reason,
      observedAtMs === null ? 'never' : `${ageOf(observedAtMs, nowMs)} ago`,
      sentenceOf(reason),
    ]),
  );
}

function recoveryTable(recovering: Readiness['recovering'], nowMs: number): string {
  return tableOf(
    ['SOURCE', 'CAUSE', 'WHAT IS LEFT'],
    recovering.map(({ layer, source, cause, untilMs, counted }) => [
      `${layer}/${source}`,
      cause,
      untilMs === null
        ? `requalifies, ${counted} counted`
        : `stopped until ${timeOf(untilMs)} UTC, ${durationOf(Math.max(0, untilMs - nowMs))} more`,
    ]),
  );
}

function sentenceOf(reason: keyof typeof REASON_SENTENCES): string {
  const { means, remedy } = REASON_SENTENCES[reason];
  return remedy ? `${means}; ${remedy}` : means;
}

/** Failures that somebody can end; what only has to be observed again is told among the unknowns. */
function whatHelps(layers: readonly Layer[]): string[][] {
  return layers.flatMap(({ layer, state, sources }) => {
    if (state === 'ready' || state === 'unknown') return [];
    const failing = sources
      .filter((source) => source.enabled)
      .flatMap(({ source, reason, owner, facts }) => {
        const failures = facts.filter(({ verdict }) => verdict === 'fail');
        const told =
          failures.length > 0 ? failures : isWorthTelling(reason, facts) ? [{ reason, owner }] : [];
        return told.map((one) => [`${layer}/${source}`, one.owner, sentenceOf(one.reason)]);
      });
    return failing.filter((row, at) => failing.findIndex((other) => other.join() === row.join()) === at);
  });
}

function isWorthTelling(reason: Fact['reason'], facts: readonly Fact[]): boolean {
  return reason !== 'ok' && !facts.some((fact) => fact.verdict === 'unknown' && fact.reason === reason);
}

/** Facts of one verdict, and how old the oldest of their answers is. */
interface Group {
  readonly verdict: Fact['verdict'];
  readonly names: readonly string[];
  readonly oldestAtMs: number | null;
}

/** By source: failing facts, then passing ones; sources of which the same is true share a line. */
function factsOf({ sources }: Layer, nowMs: number): string {
  const enabled = sources.filter((source) => source.enabled);
  if (enabled.length === 0) return 'none';
  const alike = [
    ...Map.groupBy(enabled, ({ facts }) =>
      groupsOf(facts)
        .map(({ verdict, names }) => `${verdict} ${names.join()}`)
        .join(' '),
    ).values(),
  ];
  const shown = alike.slice(0, LINES_SHOWN_MAX).map((same) => {
    const names = same.map(({ source }) => source);
    const groups = same.map(({ facts }) => groupsOf(facts));
    const told = groups[0]!.map((group, at) => {
      const times = groups.flatMap((other) => other[at]?.oldestAtMs ?? []);
      return groupText(group, times.length === 0 ? null : Math.min(...times), nowMs);
    });
    const isOnly = enabled.length === 1 && names[0] === 'main';
    return `${isOnly ? '' : `${namesOf(names)}: `}${told.join('  ') || '-'}`;
  });
  const hidden = alike.slice(LINES_SHOWN_MAX).flat().length;
  return [...shown, ...(hidden > 0 ? [`and ${counted(hidden, 'more source')} (--facts)`] : [])].join('\n');
}

function namesOf(names: readonly string[]): string {
  const hidden = names.length - NAMES_SHOWN_MAX;
  return hidden > 0 ? `${names.slice(0, NAMES_SHOWN_MAX).join(', ')} and ${hidden} more` : names.join(', ');
}

function groupsOf(facts: readonly Fact[]): Group[] {
  const worth = facts.filter(({ required, verdict }) => required || verdict === 'fail');
  return (['fail', 'pass', 'unknown'] as const).flatMap((verdict) => {
    const same = worth.filter((fact) => fact.verdict === verdict);
    if (same.length === 0) return [];
    const times = same.flatMap(({ observedAtMs }) => observedAtMs ?? []);
    const oldestAtMs = times.length === 0 ? null : Math.min(...times);
    return [{ verdict, names: same.map(({ fact }) => fact), oldestAtMs }];
  });
}

/** What is unknown is told apart, with its reason. */
function groupText({ verdict, names }: Group, oldestAtMs: number | null, nowMs: number): string {
  if (verdict === 'unknown') return `${verdictSign(verdict)} ${names.length} unknown`;
  // Without the space, so that a column that wraps leaves number and unit together.
  return `${verdictSign(verdict)} ${names.join(', ')} ${colours.dim(ageOf(oldestAtMs, nowMs).replace(' ', ''))}`;
}

/** Every fact of every source with its value, for whoever wants all of it. */
export function factTable({ layers }: Readiness, nowMs: number): string {
  const rows = layers.flatMap(({ layer, sources }) =>
    sources.flatMap(({ source, enabled, facts }) =>
      facts.map((fact) => [
        `${layer}/${source}${enabled ? '' : ' (disabled)'}`,
        fact.fact,
        `${verdictSign(fact.verdict)} ${fact.verdict}`,
        fact.value === null ? '-' : String(fact.value),
        fact.reason,
        ageOf(fact.observedAtMs, nowMs),
        fact.expiresAtMs === null ? 'folded' : untilOf(fact.expiresAtMs, nowMs),
        fact.required ? 'required' : 'informs',
      ]),
    ),
  );
  return tableOf(['SOURCE', 'FACT', 'VERDICT', 'LAST VALUE', 'REASON', 'AGE', 'GOOD FOR', 'USE'], rows);
}

const untilOf = (atMs: number, nowMs: number): string =>
  atMs <= nowMs ? 'expired' : durationOf(atMs - nowMs);

export interface LayerChange {
  readonly layer: Layer['layer'];
  readonly before: { readonly state: ManagedExecutionState; readonly reason: string };
  readonly after: { readonly state: ManagedExecutionState; readonly reason: string };
}

/** Which layers show another state, or the same one for another reason. */
export function changesBetween(before: Readiness, after: Readiness): readonly LayerChange[] {
  return after.layers.flatMap((layer, index) => {
    const old = before.layers[index]!;
    return old.state === layer.state && old.reason === layer.reason
      ? []
      : [{ layer: layer.layer, before: old, after: layer }];
  });
}

export function changeLine({ layer, before, after }: LayerChange, atMs: number): string {
  const reasons = before.reason === after.reason ? after.reason : `${before.reason} → ${after.reason}`;
  return `${clockOf(atMs)}  ${layer}  ${stateWithSign(before.state)} → ${stateWithSign(after.state)}  (${reasons})`;
}
