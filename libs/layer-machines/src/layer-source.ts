import assert from 'node:assert/strict';
import {
  bandOf,
  type CanonicalBlockerLayer,
  type CauseWanted,
  type FactReading,
  type FactValue,
  factSpec,
  isSampleReason,
  type Judgement,
  type KnownFacts,
  type LayerCondition,
  type LayerRule,
  type Policy,
  type Reason,
  RISKS,
  type RiskName,
  requiredFacts,
  ruleOf,
  type UnknownReason,
} from '@orchestrate/canon';
import { transition } from 'xstate';
import { conditionOf } from './condition-of.ts';
import { knownFacts } from './known-facts.ts';
import { emptyContext, type LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';
import { accepts, type LayerMachine, type LayerSnapshot } from './layer-machine.ts';
import { LAYER_MACHINES } from './layer-machines.ts';
import { REACTIONS } from './reaction-table.ts';
import { allInGrace, settle } from './settle.ts';
import type { SourceIdentity } from './source-identity.ts';

/** What a source reports of one fact: an answer, or honestly none. */
export interface Observation {
  readonly fact: string;
  readonly observedAtMs: number;
  readonly outcome: { readonly value: FactValue } | { readonly unknown: UnknownReason };
}

interface Answer {
  readonly fact: string;
  readonly value: FactValue;
  readonly band: string | undefined;
  readonly observedAtMs: number;
  readonly expiresAtMs: number | null;
}

/**
 * One source of one layer of one tenant: its machine, the rule that says what its facts mean, and the snapshot.
 * Immutable: every method gives the next source, or this very one when nothing changed.
 */
export class LayerSource {
  readonly tenantId: string;
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  readonly enabled: boolean;
  readonly #machine: LayerMachine;
  readonly #rule: LayerRule;
  readonly #snapshot: LayerSnapshot;
  /** Up to here every due date of the rule has had its effect. */
  readonly #judgedAtMs: number;

  private constructor(identity: SourceIdentity, snapshot: LayerSnapshot, judgedAtMs: number) {
    this.tenantId = identity.tenantId;
    this.layer = identity.layer;
    this.source = identity.source;
    this.enabled = identity.enabled;
    this.#machine = LAYER_MACHINES[identity.layer];
    this.#rule = ruleOf(identity.layer);
    this.#snapshot = snapshot;
    this.#judgedAtMs = judgedAtMs;
  }

  /** A source that nobody has observed yet. */
  static create(identity: SourceIdentity): LayerSource {
    return LayerSource.#resolve(identity, emptyContext(unobserved(identity.layer)), 0);
  }

  /** The source as its last published condition describes it. */
  static restore(condition: LayerCondition): LayerSource {
    // A fact that became required since has no answer yet.
    const missing = unobserved(condition.layer).filter(
      (fact) => !condition.facts.some((known) => known.fact === fact.fact),
    );
    const facts = Object.fromEntries([...condition.facts, ...missing].map((fact) => [fact.fact, fact]));
    return LayerSource.#resolve(condition, { ...condition.causes, facts }, 0);
  }

  static #resolve(identity: SourceIdentity, context: LayerContext, judgedAtMs: number): LayerSource {
    const { machine } = LAYER_MACHINES[identity.layer];
    return new LayerSource(identity, machine.resolveState({ value: settle(context), context }), judgedAtMs);
  }

  get context(): LayerContext {
    return this.#snapshot.context;
  }

  withEnabled(enabled: boolean): LayerSource {
    return enabled === this.enabled
      ? this
      : new LayerSource({ ...this.#identity(), enabled }, this.#snapshot, this.#judgedAtMs);
  }

  /** Fold what a source reported: each answer by its rule, then the causes that the new facts call for. */
  observe(observations: readonly Observation[], policy: Policy, atMs: number): LayerSource {
    const before = knownFacts(this.context);
    const newest = newestOfEach(observations);
    const answered = newest.filter((seen) => 'value' in seen.outcome && !this.#isLate(seen));
    let known: KnownFacts = { ...before, ...Object.fromEntries(answered.map(toldValue)) };
    const derived = (answered.length > 0 && this.#rule.derive?.(known, { policy, atMs })) || {};
    known = { ...known, ...derived };
    const all = [
      ...newest,
      ...Object.entries(derived).map(([fact, value]) => ({
        fact,
        observedAtMs: atMs,
        outcome: { value: value as FactValue },
      })),
    ];
    const answers = all.map((seen) => this.#answerEvent(seen, known, policy, atMs));
    const told = new Set(all.map((seen) => seen.fact));
    const folded = this.#fold(answers).#judgedAnew(told, before, policy, atMs);
    return folded.#withCauses(before, knownFacts(folded.context), policy, atMs);
  }

  /** One event from elsewhere (an operator, a clock). Null when this layer can never take it. */
  receive(event: LayerEvent, policy: Policy): LayerSource | null {
    if (!accepts(this.#machine, event.type)) return null;
    const known = knownFacts(this.context);
    return this.#fold([event]).#withCauses(known, known, policy, event.atMs);
  }

  /** The earliest moment at which time alone changes something here, or null. */
  nextDeadlineMs(): number | null {
    const { context } = this;
    const times: number[] = [];
    for (const fact of Object.values(context.facts)) {
      if (fact.verdict !== 'unknown' && fact.expiresAtMs !== null) times.push(fact.expiresAtMs);
    }
    for (const cooldown of Object.values(context.cooldowns)) times.push(cooldown.untilMs);
    for (const grace of Object.values(context.graces)) if (!grace.spent) times.push(grace.untilMs);
    for (const closure of Object.values(context.closures))
      if (closure.untilMs !== null) times.push(closure.untilMs);
    if (context.setup) times.push(context.setup.deadlineMs);
    if (context.check && this.#listensTo('check_exhausted')) times.push(context.check.deadlineMs);
    if (context.lease) times.push(context.lease.untilMs);
    for (const due of this.#dueDates()) if (due >= this.#judgedAtMs) times.push(due + 1);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Everything that is due at this time happens, in the order of the table. */
  tick(policy: Policy, atMs: number): LayerSource {
    const { context } = this;
    const events: LayerEvent[] = [];
    for (const fact of Object.values(context.facts)) {
      if (fact.verdict !== 'unknown' && fact.expiresAtMs !== null && fact.expiresAtMs <= atMs) {
        events.push({ type: 'fact_expired', atMs, fact: fact.fact, reason: 'expired' });
      }
    }
    for (const [cause, { untilMs }] of Object.entries(context.cooldowns)) {
      if (untilMs <= atMs) events.push({ type: 'cooldown_elapsed', atMs, cause });
    }
    for (const [fact, grace] of Object.entries(context.graces)) {
      if (!grace.spent && grace.untilMs <= atMs) events.push({ type: 'grace_expired', atMs, fact });
    }
    for (const [cause, { untilMs }] of Object.entries(context.closures)) {
      if (untilMs !== null && untilMs <= atMs) events.push({ type: 'window_opened', atMs, cause });
    }
    if (context.lease && context.lease.untilMs <= atMs) {
      events.push({ type: 'run_lost', atMs, runId: context.lease.runId });
    }
    if (context.setup && context.setup.deadlineMs <= atMs) {
      events.push({ type: 'check_exhausted', atMs, ours: false });
      events.push({ type: 'setup_done', atMs, id: context.setup.id });
    }
    // Last, because only some states listen to it and all that ends here may lead to one of them.
    if (context.check && context.check.deadlineMs <= atMs) {
      events.push({ type: 'check_exhausted', atMs, ours: false });
    }
    const ticked = this.#fold(events);
    const known = knownFacts(ticked.context);
    const judged = ticked.#fold(ticked.#fallenDue(known, policy, atMs));
    return judged.#withCauses(known, known, policy, atMs).#judgedAt(atMs);
  }

  /** All that we learned from a source that went silent becomes unknown; what was observed elsewhere stands. */
  loseHeartbeat(atMs: number): LayerSource {
    const folded = Object.values(this.context.facts).filter(
      (fact) => fact.verdict !== 'unknown' && fact.expiresAtMs === null,
    );
    return this.#fold(
      folded.map((fact) => ({ type: 'fact_expired', atMs, fact: fact.fact, reason: 'heartbeat_lost' })),
    );
  }

  /** The source looks again, and tells every change: what it did not tell anew stands as it was. */
  regainHeartbeat(policy: Policy, atMs: number): LayerSource {
    const silent = Object.values(this.context.facts).filter(
      (fact) => fact.reason === 'heartbeat_lost' && fact.value !== undefined,
    );
    if (silent.length === 0) return this;
    return this.observe(
      silent.map((fact) => ({ fact: fact.fact, observedAtMs: atMs, outcome: { value: fact.value! } })),
      policy,
      atMs,
    );
  }

  /** What we compute ourselves is known at any moment: told again, so that a recheck does not wait for it. */
  refreshFolded(policy: Policy, atMs: number): LayerSource {
    const folded = Object.values(this.context.facts).filter(
      (fact) =>
        fact.expiresAtMs === null &&
        fact.observedAtMs !== null &&
        fact.value !== undefined &&
        !SILENCED.has(fact.reason),
    );
    return this.observe(
      folded.map((fact) => ({ fact: fact.fact, observedAtMs: atMs, outcome: { value: fact.value! } })),
      policy,
      atMs,
    );
  }

  condition(policy: Policy, atMs: number): LayerCondition {
    return conditionOf(this.#identity(), this.#rule, this.context, policy, atMs);
  }

  #identity(): SourceIdentity {
    return { tenantId: this.tenantId, layer: this.layer, source: this.source, enabled: this.enabled };
  }

  #isLate(seen: Observation): boolean {
    const before = this.context.facts[seen.fact]?.observedAtMs;
    return before !== undefined && before !== null && before > seen.observedAtMs;
  }

  #listensTo(event: LayerEvent['type']): boolean {
    return REACTIONS[settle(this.context)][event] === 'fold';
  }

  #follows(cause: string): boolean {
    return this.#rule.follows?.some((followed) => followed === cause) ?? false;
  }

  #dueDates(): readonly number[] {
    return this.#rule.deadlines?.(knownFacts(this.context)) ?? [];
  }

  #judgedAt(atMs: number): LayerSource {
    const passed = this.#dueDates().some((due) => due >= this.#judgedAtMs && due < atMs);
    return passed ? new LayerSource(this.#identity(), this.#snapshot, atMs) : this;
  }

  #answerEvent(seen: Observation, known: KnownFacts, policy: Policy, atMs: number): LayerEvent {
    const { fact, observedAtMs, outcome } = seen;
    const spec = factSpec(this.layer, fact);
    assert(spec, `${fact} is no fact of ${this.layer}`);
    if ('unknown' in outcome) {
      // A sample grows where samples are taken; elsewhere the word would pass for work that is on its way.
      const isSample = spec.missing === outcome.unknown || fact === this.#rule.requalifies;
      const reason = isSampleReason(outcome.unknown) && !isSample ? 'no_answer' : outcome.unknown;
      return { type: 'check_inconclusive', atMs, fact, reason, answer: null };
    }
    const expiresAtMs = spec.age === 'folded' ? null : observedAtMs + policy.maxAgeSec[spec.age] * 1000;
    const band = bandOf(this.layer, fact, known, this.context.facts[fact]?.band, policy);
    const answer = { fact, value: outcome.value, band, observedAtMs, expiresAtMs };
    const judged = this.#judge(fact, known, policy, atMs);
    if (judged.background && this.context.facts[fact]?.verdict === 'pass') {
      return { type: 'check_inconclusive', atMs, fact, reason: judged.reason, answer: null };
    }
    return this.#judgedEvent(answer, judged, policy, atMs);
  }

  #judge(fact: string, known: KnownFacts, policy: Policy, atMs: number): Judgement {
    return this.#rule.judge(fact as Parameters<LayerRule['judge']>[0], known, { policy, atMs });
  }

  #judgedEvent(answer: Answer, judged: Judgement, policy: Policy, atMs: number): LayerEvent {
    const told = { ...answer, atMs, reason: judged.reason };
    if (judged.verdict === 'pass') return { type: 'check_passed', ...told };
    if (judged.verdict === 'unknown') {
      return { type: 'check_inconclusive', atMs, fact: answer.fact, reason: judged.reason, answer: told };
    }
    const failure = {
      ...told,
      owner: judged.owner ?? this.#rule.owner,
      ...this.#grace(answer, judged, policy, atMs),
      requalify: this.#rule.requalifies === answer.fact,
    };
    return { type: judged.severity === 'hard' ? 'check_failed_hard' : 'check_failed_soft', ...failure };
  }

  /** Grace is for what worked before; a fact that tells its own deadline says that it did. */
  #grace(answer: Answer, judged: Judgement, policy: Policy, atMs: number) {
    if (judged.graceUntilMs !== undefined) return { graceUntilMs: judged.graceUntilMs, graceRestarts: true };
    const graceMs = this.#rule.graceMs?.(answer.fact as Parameters<LayerRule['judge']>[0], policy) ?? null;
    const before = this.context.facts[answer.fact];
    const passedMs = answer.observedAtMs - (before?.passingSinceMs ?? answer.observedAtMs);
    return {
      graceUntilMs: graceMs !== null && before?.everPassed ? atMs + graceMs : null,
      graceRestarts: passedMs >= policy.sendingDomain.graceResetSec * 1000,
    };
  }

  /** What was told now may change what an earlier answer means (a payment method, a lookup count). */
  #judgedAnew(told: ReadonlySet<string>, before: KnownFacts, policy: Policy, atMs: number): LayerSource {
    const known = knownFacts(this.context);
    return this.#fold(
      this.#answersThatStand().flatMap((fact) => {
        if (told.has(fact.fact)) return [];
        const judged = this.#judge(fact.fact, known, policy, atMs);
        const isNews = !sameJudgement(judged, this.#judge(fact.fact, before, policy, atMs));
        return isNews && !sameJudgement(judged, fact)
          ? [this.#judgedEvent(answerOf(fact), judged, policy, atMs)]
          : [];
      }),
    );
  }

  /** Answers whose meaning moved with the time alone. Time never heals: what a fact needs to pass is told. */
  #fallenDue(known: KnownFacts, policy: Policy, atMs: number): LayerEvent[] {
    if (!this.#rule.deadlines) return [];
    return this.#answersThatStand().flatMap((fact) => {
      const judged = this.#judge(fact.fact, known, policy, atMs);
      if (judged.verdict === 'pass' || sameJudgement(judged, fact)) return [];
      return [this.#judgedEvent(answerOf(fact), judged, policy, atMs)];
    });
  }

  #answersThatStand(): readonly FactReading[] {
    return Object.values(this.context.facts).filter(
      (fact) => fact.verdict !== 'unknown' && fact.value !== undefined && fact.observedAtMs !== null,
    );
  }

  #fold(events: readonly LayerEvent[]): LayerSource {
    let snapshot = this.#snapshot;
    for (const event of events) [snapshot] = transition(this.#machine.machine, snapshot, event);
    return snapshot === this.#snapshot ? this : new LayerSource(this.#identity(), snapshot, this.#judgedAtMs);
  }

  /** Holds and set-ups follow the facts; a cooldown starts only when its cause is new; nothing releases a hold. */
  #withCauses(before: KnownFacts, known: KnownFacts, policy: Policy, atMs: number): LayerSource {
    const wanted = this.#rule.causes?.(known, { policy, atMs }) ?? [];
    const wantedBefore = this.#rule.causes?.(before, { policy, atMs }) ?? [];
    const isNew = (cause: CauseWanted) =>
      !wantedBefore.some((other) => other.kind === cause.kind && other.cause === cause.cause);
    const { context } = this;
    const events: LayerEvent[] = [];
    for (const cause of wanted) {
      if (cause.kind === 'hold') events.push({ type: 'operator_hold', atMs, cause: cause.cause });
      else if (cause.kind === 'closure') events.push({ type: 'window_closed', atMs, ...pick(cause) });
      else if (cause.kind === 'cooldown' && isNew(cause)) {
        events.push({ type: 'adverse_event', atMs, cause: cause.cause, untilMs: cause.untilMs });
      } else if (cause.kind === 'setup' && isNew(cause)) {
        events.push({ type: 'setup_started', atMs, id: cause.cause, deadlineMs: cause.untilMs });
      }
    }
    const stands = (kind: CauseWanted['kind'], cause: string) =>
      wanted.some((other) => other.kind === kind && other.cause === cause);
    for (const cause of Object.keys(context.closures)) {
      if (this.#follows(cause) && !stands('closure', cause))
        events.push({ type: 'window_opened', atMs, cause });
    }
    if (context.setup && this.#follows(context.setup.id) && !stands('setup', context.setup.id)) {
      events.push({ type: 'setup_done', atMs, id: context.setup.id });
    }
    return this.#fold(events).#withLatchedRisks(known, policy, atMs);
  }

  #withLatchedRisks(known: KnownFacts, policy: Policy, atMs: number): LayerSource {
    const { context } = this;
    const active = new Set<string>(this.#activeRisks(known, policy, atMs));
    const recovering =
      Object.keys(context.cooldowns).length + Object.keys(context.requalifications).length > 0;
    const latched: Record<string, { phase: 'active' | 'serving' }> = {};
    for (const risk of new Set([...active, ...Object.keys(context.latched)])) {
      if (!RISKS[risk as RiskName].latched) continue;
      if (active.has(risk)) latched[risk] = { phase: 'active' };
      else if (recovering || context.requalificationOwed !== null) latched[risk] = { phase: 'serving' };
    }
    if (sameLatched(latched, context.latched)) return this;
    return LayerSource.#resolve(this.#identity(), { ...context, latched }, this.#judgedAtMs);
  }

  #activeRisks(known: KnownFacts, policy: Policy, atMs: number): readonly RiskName[] {
    const graceRunning = allInGrace(this.context);
    return this.#rule.risks?.(known, { policy, atMs, graceRunning }) ?? [];
  }
}

/** Reasons for which what we knew ourselves is not known any more, a recheck or not. */
const SILENCED: ReadonlySet<Reason> = new Set(['heartbeat_lost', 'handler_fault', 'run_lost']);

function unobserved(layer: CanonicalBlockerLayer): readonly FactReading[] {
  return requiredFacts(layer).map((fact) => neverObserved(layer, fact));
}

function neverObserved(layer: CanonicalBlockerLayer, fact: string): FactReading {
  return {
    fact,
    verdict: 'unknown',
    severity: 'none',
    reason: factSpec(layer, fact)?.missing ?? 'never_observed',
    owner: ruleOf(layer).owner,
    required: true,
    observedAtMs: null,
    expiresAtMs: null,
    everPassed: false,
    passingSinceMs: null,
  };
}

/** A report may name a fact twice: its newest answer counts, and the newest try without one. */
function newestOfEach(observations: readonly Observation[]): readonly Observation[] {
  const newest = new Map<string, Observation>();
  for (const seen of observations) {
    const key = `${'value' in seen.outcome} ${seen.fact}`;
    const other = newest.get(key);
    if (!other || other.observedAtMs <= seen.observedAtMs) newest.set(key, seen);
  }
  return [...newest.values()];
}

function toldValue(seen: Observation): [string, FactValue] {
  assert('value' in seen.outcome);
  return [seen.fact, seen.outcome.value];
}

function answerOf(fact: FactReading): Answer {
  const { value, band, observedAtMs, expiresAtMs } = fact;
  assert(value !== undefined && observedAtMs !== null);
  return { fact: fact.fact, value, band, observedAtMs, expiresAtMs };
}

function sameJudgement(
  a: Pick<Judgement, 'verdict' | 'severity' | 'reason'>,
  b: Pick<Judgement, 'verdict' | 'severity' | 'reason'>,
): boolean {
  return a.verdict === b.verdict && a.severity === b.severity && a.reason === b.reason;
}

function pick(cause: { readonly cause: Reason; readonly untilMs: number | null }) {
  return { cause: cause.cause, untilMs: cause.untilMs };
}

function sameLatched(
  a: Readonly<Record<string, { phase: string }>>,
  b: Readonly<Record<string, { phase: string }>>,
): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key]!.phase === b[key]?.phase);
}
