import { type FactReading, type LayerEventName, NEW_SAMPLE, type Reason } from '@orchestrate/canon';
import { isKnown, SEEN_UNJUDGEABLE } from './known-facts.ts';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent, LayerEventOf } from './layer-event.ts';
import { awaitsRecheck, settle } from './settle.ts';

type Effects = {
  readonly [E in LayerEventName]: (context: LayerContext, event: LayerEventOf<E>) => LayerContext;
};

function without<V>(record: Readonly<Record<string, V>>, key: string): Readonly<Record<string, V>> {
  const { [key]: _gone, ...rest } = record;
  return rest;
}

function withFact(context: LayerContext, fact: FactReading): LayerContext {
  const next = { ...context, facts: { ...context.facts, [fact.fact]: fact } };
  return recheckDone(next) ? { ...next, recheckSinceMs: null } : next;
}

function recheckDone(context: LayerContext): boolean {
  if (context.recheckSinceMs === null) return false;
  return !Object.values(context.facts).some((fact) => awaitsRecheck(context, fact));
}

/** Nobody knows it any more; what was known last stays visible. */
function unanswered(fact: FactReading, reason: Reason): FactReading {
  const none = { verdict: 'unknown', severity: 'none', passingSinceMs: null } as const;
  return { ...fact, ...none, reason, ...(fact.value === undefined ? {} : { isHistory: true }) };
}

/** A recheck that got no answer is over, but what it would have asked is not known for that. */
function endRecheck(context: LayerContext): LayerContext {
  if (context.recheckSinceMs === null) return context;
  const facts = Object.fromEntries(
    Object.entries(context.facts).map(([name, fact]): [string, FactReading] =>
      fact.verdict !== 'unknown' && awaitsRecheck(context, fact)
        ? [name, unanswered(fact, 'recheck_requested')]
        : [name, fact],
    ),
  );
  return { ...context, facts, recheckSinceMs: null };
}

function reading(context: LayerContext, name: string): FactReading {
  return (
    context.facts[name] ?? {
      fact: name,
      verdict: 'unknown',
      severity: 'none',
      reason: 'never_observed',
      owner: 'orchestrate',
      required: false,
      observedAtMs: null,
      expiresAtMs: null,
      everPassed: false,
      passingSinceMs: null,
    }
  );
}

/** An answer that is older than the one already folded is a late duplicate: time never runs backwards for a fact. */
const isLate = (before: FactReading, observedAtMs: number): boolean =>
  (before.observedAtMs ?? 0) > observedAtMs;

/** After a release a good answer counts only if it was observed since; a bad one counts whenever it is news. */
const isBeforeRelease = (context: LayerContext, observedAtMs: number): boolean =>
  (context.answersSinceMs ?? 0) > observedAtMs;

/** The hold that a person has to release before two high risks that stood together are served. */
export const RISKS_COMPOUND: Reason = 'risks_compound';

/** The fault that `check_exhausted` raises when the way to every answer is ours. */
export const OUR_CHECK = 'check';

/** An answer ends what was said of the way to it: a check in flight, the call for a person, our own fault. */
function answered(context: LayerContext, fact: string): LayerContext {
  const isAwaited = fact in context.unanswered;
  if (!isAwaited && context.check === null && !context.attention && !(OUR_CHECK in context.faults)) {
    return context;
  }
  const unanswered = without(context.unanswered, fact);
  // Whoever was called because of another fact is still needed.
  if (Object.keys(unanswered).length > 0) return { ...context, unanswered, check: null };
  return {
    ...context,
    unanswered,
    check: null,
    attention: false,
    faults: without(context.faults, OUR_CHECK),
  };
}

/** One more try of this fact without an answer. */
function tried(context: LayerContext, fact: string, atMs: number): LayerContext {
  const before = context.unanswered[fact];
  if (before && before.lastMs >= atMs) return context;
  const next = { sinceMs: before?.sinceMs ?? atMs, lastMs: atMs, tries: (before?.tries ?? 0) + 1 };
  return { ...context, unanswered: { ...context.unanswered, [fact]: next } };
}

/** An answer that arrives past its own age is history from the start. */
const isOver = ({ expiresAtMs }: { readonly expiresAtMs: number | null }, atMs: number): boolean =>
  expiresAtMs !== null && expiresAtMs <= atMs;

function failed(
  context: LayerContext,
  event: LayerEventOf<'check_failed_soft'> | LayerEventOf<'check_failed_hard'>,
  severity: 'soft' | 'hard',
): LayerContext {
  const before = reading(context, event.fact);
  if (isLate(before, event.observedAtMs)) return context;
  const owing = event.requalify ? { ...context, requalificationOwed: event.fact } : context;
  return withFact(answered(owing, event.fact), {
    ...before,
    value: event.value,
    isHistory: undefined,
    band: event.band,
    verdict: 'fail',
    severity,
    reason: event.reason,
    owner: event.owner,
    observedAtMs: event.observedAtMs,
    expiresAtMs: event.expiresAtMs,
    passingSinceMs: null,
  });
}

/** The debt falls due when its fact has another answer than a failure, be it by way of `unknown`. */
function requalifying(context: LayerContext, fact: string): LayerContext {
  if (context.requalificationOwed !== fact || fact in context.requalifications) return context;
  return {
    ...context,
    requalifications: { ...context.requalifications, [fact]: { ordinal: 1, ...NEW_SAMPLE } },
  };
}

/** How each event changes the context. A cause is added or removed by its key, never by the state that shows. */
export const EFFECTS: Effects = {
  check_started: (context, event) =>
    context.check
      ? context
      : { ...context, check: { startedAtMs: event.atMs, deadlineMs: event.deadlineMs } },

  check_passed(context, event) {
    const before = reading(context, event.fact);
    if (isLate(before, event.observedAtMs)) return context;
    if (isBeforeRelease(context, event.observedAtMs)) return context;
    return withFact(answered(requalifying(context, event.fact), event.fact), {
      ...before,
      value: event.value,
      isHistory: undefined,
      band: event.band,
      verdict: 'pass',
      severity: 'none',
      reason: event.reason,
      observedAtMs: event.observedAtMs,
      expiresAtMs: event.expiresAtMs,
      everPassed: true,
      passingSinceMs: before.verdict === 'pass' ? before.passingSinceMs : event.observedAtMs,
    });
  },

  check_failed_soft: (context, event) => failed(context, event, 'soft'),

  check_failed_hard(context, event) {
    const next = failed(context, event, 'hard');
    if (next === context) return next;
    const { fact, graceUntilMs, graceRestarts, atMs } = event;
    const standing = context.graces[fact];
    if (graceUntilMs === null) {
      return standing ? { ...next, graces: { ...next.graces, [fact]: { ...standing, spent: true } } } : next;
    }
    // A clock that runs or is spent is not wound up again by failing on.
    if (standing && !(graceRestarts && reading(context, fact).severity !== 'hard')) return next;
    const grace = { untilMs: graceUntilMs, spent: graceUntilMs <= atMs };
    return { ...next, graces: { ...next.graces, [fact]: grace } };
  },

  check_inconclusive(context, event) {
    const before = reading(context, event.fact);
    if (event.answer) {
      if (isLate(before, event.answer.observedAtMs)) return context;
      return withFact(answered(requalifying(context, event.fact), event.fact), {
        ...before,
        value: event.answer.value,
        isHistory: isOver(event.answer, event.atMs) ? true : undefined,
        band: event.answer.band,
        verdict: 'unknown',
        severity: 'none',
        reason: event.reason,
        observedAtMs: event.answer.observedAtMs,
        expiresAtMs: event.answer.expiresAtMs,
        passingSinceMs: null,
      });
    }
    const ended = { ...context, check: null };
    // No answer is news about the way there, not about the fact: a fresh answer stands until its own age.
    const stands = before.verdict !== 'unknown' || isKnown(before);
    if (stands && !awaitsRecheck(context, before)) return ended;
    // Whoever saw something that cannot be judged did not try in vain.
    const inVain = before.required && !SEEN_UNJUDGEABLE.has(event.reason);
    const asked = inVain ? tried(ended, event.fact, event.atMs) : ended;
    const next = withFact(asked, unanswered(before, event.reason));
    return before.required ? endRecheck(next) : next;
  },

  fact_expired(context, event) {
    const before = context.facts[event.fact];
    if (!before || (before.verdict === 'unknown' && !isKnown(before))) return context;
    const { seenAtMs } = event;
    if (seenAtMs !== undefined && isLate(before, seenAtMs)) return context;
    const gone = unanswered(before, event.reason);
    return withFact(context, seenAtMs === undefined ? gone : { ...gone, observedAtMs: seenAtMs });
  },

  check_exhausted(context, event) {
    const next = { ...endRecheck(context), check: null, attention: true };
    return event.ours ? { ...next, faults: { ...next.faults, [OUR_CHECK]: { sinceMs: event.atMs } } } : next;
  },

  setup_started(context, event) {
    if (context.setup?.id === event.id) return context;
    return { ...context, setup: { id: event.id, deadlineMs: event.deadlineMs } };
  },
  setup_done: (context, event) => (context.setup?.id === event.id ? { ...context, setup: null } : context),

  run_started: (context, event) => ({ ...context, lease: { runId: event.runId, untilMs: event.untilMs } }),
  run_finished: (context, event) =>
    context.lease?.runId === event.runId ? { ...context, lease: null } : context,
  run_lost(context, event) {
    if (context.lease?.runId !== event.runId) return context;
    const ended = { ...context, lease: null };
    // How far the run came is not known: neither of the window's last run nor of the campaign that it worked on.
    const before = context.facts.lastRunOutcome ?? context.facts.campaignState;
    if (!before) return ended;
    return withFact(ended, unanswered(before, 'run_lost'));
  },

  window_closed(context, event) {
    const standing = context.closures[event.cause];
    if (standing && standing.untilMs === event.untilMs) return context;
    return { ...context, closures: { ...context.closures, [event.cause]: { untilMs: event.untilMs } } };
  },
  window_opened: (context, event) =>
    event.cause in context.closures
      ? { ...context, closures: without(context.closures, event.cause) }
      : context,

  adverse_event(context, event) {
    const standing = context.cooldowns[event.cause];
    const ordinal = (standing?.ordinal ?? context.requalifications[event.cause]?.ordinal ?? 0) + 1;
    const untilMs = Math.max(standing?.untilMs ?? 0, event.untilMs);
    return {
      ...context,
      cooldowns: { ...context.cooldowns, [event.cause]: { untilMs, ordinal } },
      requalifications: without(context.requalifications, event.cause),
    };
  },
  cooldown_elapsed(context, event) {
    const standing = context.cooldowns[event.cause];
    if (!standing || standing.untilMs > event.atMs) return context;
    return {
      ...context,
      cooldowns: without(context.cooldowns, event.cause),
      requalifications: {
        ...context.requalifications,
        [event.cause]: { ordinal: standing.ordinal, ...NEW_SAMPLE },
      },
    };
  },
  // Passing needs fresh facts in hand, so it counts only while probation is what shows.
  probation_passed(context, event) {
    if (settle(context) !== 'probation' || !(event.cause in context.requalifications)) return context;
    if (context.facts[event.cause]?.verdict === 'fail') return context;
    const requalifications = without(context.requalifications, event.cause);
    const last = Object.keys(requalifications).length === 0;
    const owed = context.requalificationOwed === event.cause ? null : context.requalificationOwed;
    const latched = last && owed === null ? stillActive(context.latched) : context.latched;
    return { ...context, requalifications, latched, requalificationOwed: owed };
  },
  probation_failed: (context, event) =>
    event.cause in context.requalifications
      ? EFFECTS.adverse_event(context, { ...event, type: 'adverse_event' })
      : context,

  grace_expired(context, event) {
    const grace = context.graces[event.fact];
    if (!grace || grace.spent || grace.untilMs > event.atMs) return context;
    return { ...context, graces: { ...context.graces, [event.fact]: { ...grace, spent: true } } };
  },

  operator_hold: (context, event) =>
    event.cause in context.holds
      ? context
      : { ...context, holds: { ...context.holds, [event.cause]: { sinceMs: event.atMs } } },
  operator_released(context, event) {
    if (!(event.cause in context.holds)) return context;
    const holds = without(context.holds, event.cause);
    const last = Object.keys(holds).length === 0;
    const latched = event.cause === RISKS_COMPOUND ? releasedRisks(context.latched) : context.latched;
    if (!last) return { ...context, holds, latched };
    return { ...context, holds, latched, recheckSinceMs: event.atMs, answersSinceMs: event.atMs };
  },

  client_acted(context, event) {
    let next = context;
    for (const name of event.facts) {
      const fact = next.facts[name];
      if (!fact || fact.verdict === 'pass' || inGraceNow(context, name)) continue;
      next = withFact(next, unanswered(fact, 'recheck_requested'));
    }
    return next === context ? context : { ...next, recheckSinceMs: event.atMs, answersSinceMs: event.atMs };
  },
};

type Latched = LayerContext['latched'];

const stillActive = (latched: Latched): Latched =>
  Object.fromEntries(Object.entries(latched).filter(([, { phase }]) => phase === 'active'));

const releasedRisks = (latched: Latched): Latched =>
  // A person looked: what nobody can tell any more is over by their word, what fails on is active again at once.
  Object.fromEntries(
    Object.entries(latched).map(([risk]) => [risk, { phase: 'serving' as const, releaseOwed: false }]),
  );

function inGraceNow(context: LayerContext, fact: string): boolean {
  const grace = context.graces[fact];
  return grace !== undefined && !grace.spent;
}

export function applyEffect(context: LayerContext, event: LayerEvent): LayerContext {
  return (EFFECTS[event.type] as (context: LayerContext, event: LayerEvent) => LayerContext)(context, event);
}
