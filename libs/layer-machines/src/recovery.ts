import {
  type KnownFacts,
  type LatchedRisk,
  type LayerRule,
  NEW_SAMPLE,
  type Policy,
  type Requalification,
  RISKS,
  type RiskName,
} from '@orchestrate/canon';
import { knownFacts } from './known-facts.ts';
import type { LayerContext } from './layer-context.ts';

const isEmpty = (record: object): boolean => Object.keys(record).length === 0;

/** What a rule may know of the stops of a source beside its facts. */
export function afterStops({ servedStop, cooldowns, facts }: LayerContext) {
  const last = Object.fromEntries(Object.values(facts).map(({ fact, value }) => [fact, value]));
  return { servedStop, isStopped: !isEmpty(cooldowns), last };
}

/**
 * The risks that outlive their facts: active while a fact fails, while nobody can tell any more whether it does, and
 * while a stop lasts; served in a probation after that. Two that were active together wait for a person's release.
 */
export function latchRisks(
  context: LayerContext,
  active: ReadonlySet<RiskName>,
  known: KnownFacts,
): LayerContext {
  const latched: Record<string, LatchedRisk> = {};
  const cooling = !isEmpty(context.cooldowns);
  for (const risk of new Set([...active, ...(Object.keys(context.latched) as RiskName[])])) {
    if (!RISKS[risk].latched) continue;
    const before = context.latched[risk];
    const lasts =
      before?.phase === 'active' && (before.releaseOwed || cooling || isLost(risk, context, known));
    const phase = active.has(risk) || lasts ? 'active' : 'serving';
    latched[risk] = { phase, releaseOwed: before?.releaseOwed ?? false };
  }
  const standing = Object.keys(latched).filter((risk) => latched[risk]!.phase === 'active');
  if (standing.length > 1) {
    for (const risk of standing) latched[risk] = { phase: 'active', releaseOwed: true };
  }
  if (isEmpty(latched) && isEmpty(context.latched)) return context;
  const next = sameLatched(latched, context.latched) ? context : { ...context, latched };
  return withProbation(next);
}

/** Whether a person has to release what stood together: only once nothing of it fails and no stop lasts. */
export function awaitsRelease(context: LayerContext, active: ReadonlySet<RiskName>): boolean {
  const owed = Object.entries(context.latched).filter(([, one]) => one.releaseOwed);
  return (
    owed.length > 0 && isEmpty(context.cooldowns) && owed.every(([risk]) => !active.has(risk as RiskName))
  );
}

/** A fact that was told and is not known any more is no evidence that it stopped failing. */
function isLost(risk: RiskName, context: LayerContext, known: KnownFacts): boolean {
  return RISKS[risk].facts.some(
    (fact) => !(fact in known) && (context.facts[fact]?.observedAtMs ?? null) !== null,
  );
}

/** What is served has a sample to be served by. */
function withProbation(context: LayerContext): LayerContext {
  if (context.requalificationOwed !== null || !isEmpty(context.requalifications)) return context;
  const serving = Object.keys(context.latched).find((risk) => context.latched[risk]!.phase === 'serving');
  if (serving === undefined || !isEmpty(context.cooldowns)) return context;
  return { ...context, requalifications: { [serving]: { ordinal: 1, ...NEW_SAMPLE } } };
}

function sameLatched(a: LayerContext['latched'], b: LayerContext['latched']): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => a[key]!.phase === b[key]?.phase && a[key]!.releaseOwed === b[key].releaseOwed)
  );
}

/** What was told, and when the newest of it was observed; null of a clock or an event. */
interface Report {
  readonly known: KnownFacts;
  readonly reportAtMs: number | null;
  /** Nothing that was told calls for a stop. */
  readonly isClean: boolean;
}

/**
 * How far the samples of a probation have come: by the layer's counter, or by reports in which every required fact
 * passes. A relapse of the fact that owed it begins the sample anew, and so does whatever calls for another stop.
 */
export function takeSamples(context: LayerContext, rule: LayerRule, report: Report): LayerContext {
  const { known, reportAtMs, isClean } = report;
  if (isEmpty(context.requalifications) || !rule.requalification) return context;
  const { counter } = rule.requalification;
  const relapsed = rule.requalifies !== undefined && context.facts[rule.requalifies]?.verdict === 'fail';
  const counted = counter === undefined ? undefined : (known as Record<string, unknown>)[counter];
  const passes = Object.values(context.facts).every((fact) => !fact.required || fact.verdict === 'pass');
  const next = (sample: Requalification): Requalification => {
    if (relapsed || !isClean) return { ...sample, ...NEW_SAMPLE };
    if (counter === undefined) {
      const counts = passes && isEmpty(context.cooldowns) && reportAtMs !== null;
      // Told again, a report is still one report.
      if (!counts || (sample.from !== null && reportAtMs <= sample.from)) return sample;
      return { ...sample, from: reportAtMs, count: sample.count + 1 };
    }
    // Where the sample begins is what is told in it: what was known before may be older than it.
    if (typeof counted !== 'number' || reportAtMs === null) return sample;
    const from = sample.from ?? counted;
    // A counter that runs backwards was set anew: what it counted before is lost, not owed twice.
    return counted < from
      ? { ...sample, from: counted, count: 0 }
      : { ...sample, from, count: counted - from };
  };
  const requalifications = Object.fromEntries(
    Object.entries(context.requalifications).map(([cause, sample]) => [cause, next(sample)]),
  );
  const moved = Object.entries(requalifications).some(([cause, sample]) => {
    const before = context.requalifications[cause]!;
    return before.from !== sample.from || before.count !== sample.count;
  });
  return moved ? { ...context, requalifications } : context;
}

/** The causes whose sample is complete. */
export function completedSamples(context: LayerContext, rule: LayerRule, policy: Policy): readonly string[] {
  const needed = rule.requalification?.needed(policy) ?? Number.POSITIVE_INFINITY;
  return Object.entries(context.requalifications).flatMap(([cause, { count }]) =>
    count >= needed ? [cause] : [],
  );
}

/**
 * A stop that is over is remembered by where the counters stand, so that what led to it is not held up again. They are
 * read from the first report after it: what was known when it ended may be older than the stop.
 */
export function rememberStop(
  before: LayerContext,
  context: LayerContext,
  rule: LayerRule,
  atMs: number,
): LayerContext {
  const isOver = !isEmpty(before.cooldowns) && isEmpty(context.cooldowns);
  return isOver && rule.counters ? { ...context, servedStop: { atMs, counters: {} } } : context;
}

export function readCounters(context: LayerContext, rule: LayerRule, told: KnownFacts): LayerContext {
  const { servedStop } = context;
  if (!servedStop || !isEmpty(servedStop.counters) || !rule.counters) return context;
  const now = { ...knownFacts(context), ...told } as Record<string, unknown>;
  if (!rule.counters.some((counter) => counter in told)) return context;
  const counters = Object.fromEntries(
    rule.counters.flatMap((counter): [string, number][] => {
      const value = now[counter];
      return typeof value === 'number' ? [[counter, value]] : [];
    }),
  );
  return isEmpty(counters) ? context : { ...context, servedStop: { ...servedStop, counters } };
}
