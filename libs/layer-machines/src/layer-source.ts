import {
  type CanonicalBlockerLayer,
  type FactReading,
  type FactValue,
  type KnownFacts,
  type LayerCondition,
  type LayerRule,
  type Policy,
  type Reason,
  type RiskName,
  ruleOf,
} from '@orchestrate/canon';
import { causeEvents } from './cause-events.ts';
import { conditionOf } from './condition-of.ts';
import { OUR_CHECK, RISKS_COMPOUND } from './effects.ts';
import { deadlinesOf, eventsDue } from './events-due.ts';
import { FactJudge } from './fact-judge.ts';
import { isKnown, knownFacts, SEEN_UNJUDGEABLE } from './known-facts.ts';
import { emptyContext, type LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';
import { accepts, type LayerMachine, type LayerSnapshot } from './layer-machine.ts';
import { LAYER_MACHINES } from './layer-machines.ts';
import { newestOfEach, type Observation, unobserved, withRequired } from './observation.ts';
import { REACTIONS } from './reaction-table.ts';
import {
  afterStops,
  awaitsRelease,
  completedSamples,
  latchRisks,
  readCounters,
  rememberStop,
  takeSamples,
} from './recovery.ts';
import { allInGrace, settle } from './settle.ts';
import type { SourceIdentity } from './source-identity.ts';

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
    return this.#required(policy).#observed(observations, policy, atMs);
  }

  #observed(observations: readonly Observation[], policy: Policy, atMs: number): LayerSource {
    // A counter that was overtaken begins no count.
    const told = answersIn(observations.filter((seen) => !this.#isOvertaken(seen)));
    return this.#with(readCounters(this.context, this.#rule, told)).#judged(observations, policy, atMs);
  }

  #isOvertaken({ fact, observedAtMs }: Observation): boolean {
    return (this.context.facts[fact]?.observedAtMs ?? 0) > observedAtMs;
  }

  #judged(observations: readonly Observation[], policy: Policy, atMs: number): LayerSource {
    const moment = { policy, atMs, ...afterStops(this.context) };
    const before = knownFacts(this.context);
    const judge = new FactJudge(this.#rule, this.context, moment);
    const newest = newestOfEach(observations);
    const answers = newest.filter((seen) => judge.answers(seen));
    const withdrawn = newest.filter((seen) => judge.withdraws(seen));
    const told = { ...without(before, withdrawn), ...answersIn(answers) };
    const isNews = answers.length + withdrawn.length > 0;
    const derived = (isNews && this.#rule.derive?.(told, moment)) || {};
    const known = { ...told, ...derived };
    const computed = observedNow(derived as Readonly<Record<string, FactValue>>, atMs);
    // What is worked out here is not believed from outside, whatever time it claims.
    const all = [...newest.filter(({ fact }) => !(fact in derived)), ...computed];
    const folded = this.#fold(all.map((seen) => judge.eventOf(seen, known)));
    const judgedNow = new Set([...answers, ...computed].map((seen) => seen.fact));
    const anew = new FactJudge(this.#rule, folded.context, moment);
    const judged = folded.#fold(anew.judgedAnew(judgedNow, before, knownFacts(folded.context)));
    const reportAtMs = answers.length > 0 ? Math.max(...answers.map((seen) => seen.observedAtMs)) : null;
    return judged.#exhausted(policy, atMs).#withCauses(before, { policy, atMs, reportAtMs });
  }

  /** One event from elsewhere (an operator, a clock). Null when this layer can never take it. */
  receive(event: LayerEvent, policy: Policy): LayerSource | null {
    if (!accepts(this.#machine, event.type)) return null;
    return this.#required(policy).#received(event, policy);
  }

  #received(event: LayerEvent, policy: Policy): LayerSource {
    const known = knownFacts(this.context);
    const { atMs } = event;
    const next = this.#fold([event]).#stopServed(this.context, atMs);
    return next.#withCauses(known, { policy, atMs, reportAtMs: null }, known);
  }

  /** The earliest moment at which time alone changes something here, or null. */
  nextDeadlineMs(): number | null {
    const listens = REACTIONS[settle(this.context)].check_exhausted === 'fold';
    const due = this.#dueDates().filter((dueMs) => dueMs >= this.#judgedAtMs);
    const times = [...deadlinesOf(this.context, listens), ...due.map((dueMs) => dueMs + 1)];
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Everything that is due at this time happens. */
  tick(policy: Policy, atMs: number): LayerSource {
    return this.#required(policy).#ticked(policy, atMs);
  }

  #ticked(policy: Policy, atMs: number): LayerSource {
    const due = this.#fold(eventsDue(this.context, atMs));
    const known = knownFacts(due.context);
    const ticked = due.#stopServed(this.context, atMs);
    const judge = new FactJudge(this.#rule, ticked.context, { policy, atMs });
    return ticked
      .#fold(judge.fallenDue(known))
      .#exhausted(policy, atMs)
      .#withCauses(known, { policy, atMs, reportAtMs: null }, known)
      .#judgedAt(atMs);
  }

  /** A source fell silent: what it told before that time becomes unknown; what was observed elsewhere stands. */
  loseHeartbeat(atMs: number, toldBeforeMs = atMs): LayerSource {
    const folded = Object.values(this.context.facts).filter(
      (fact) => livesByHeartbeat(fact) && (fact.observedAtMs ?? 0) <= toldBeforeMs,
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
    return this.observe(observedNow(valuesOf(silent), atMs), policy, atMs);
  }

  /** Whether a heartbeat that is lost, or one that is heard again, can change anything here. */
  heartbeat(): { readonly living: boolean; readonly silent: boolean } {
    const facts = Object.values(this.context.facts);
    return {
      living: facts.some(livesByHeartbeat),
      silent: facts.some((fact) => fact.reason === 'heartbeat_lost' && fact.value !== undefined),
    };
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
    return this.observe(observedNow(valuesOf(folded), atMs), policy, atMs);
  }

  condition(policy: Policy, atMs: number): LayerCondition {
    return conditionOf(this.#identity(), this.#rule, this.context, policy, atMs);
  }

  #identity(): SourceIdentity {
    return { tenantId: this.tenantId, layer: this.layer, source: this.source, enabled: this.enabled };
  }

  #dueDates(): readonly number[] {
    return this.#rule.deadlines?.(knownFacts(this.context)) ?? [];
  }

  /** Tries went on too long without an answer: a person is called, and ours is the fault only where we say so. */
  #exhausted(policy: Policy, atMs: number): LayerSource {
    const { triesMax, exhaustedSec } = policy.check;
    const tooLong = Object.entries(this.context.unanswered).filter(
      ([, { sinceMs, tries }]) => tries >= triesMax || atMs - sinceMs >= exhaustedSec * 1000,
    );
    if (tooLong.length === 0) return this;
    const ours = tooLong.some(([fact]) => this.context.facts[fact]?.reason === 'probe_fault');
    if (this.context.attention && (!ours || OUR_CHECK in this.context.faults)) return this;
    return this.#fold([{ type: 'check_exhausted', atMs, ours }]);
  }

  #stopServed(before: LayerContext, atMs: number): LayerSource {
    return this.#with(rememberStop(before, this.context, this.#rule, atMs));
  }

  #judgedAt(atMs: number): LayerSource {
    const passed = this.#dueDates().some((due) => due >= this.#judgedAtMs && due < atMs);
    return passed ? new LayerSource(this.#identity(), this.#snapshot, atMs) : this;
  }

  #fold(events: readonly LayerEvent[]): LayerSource {
    let snapshot = this.#snapshot;
    for (const event of events) snapshot = this.#machine.step(snapshot, event);
    return snapshot === this.#snapshot ? this : new LayerSource(this.#identity(), snapshot, this.#judgedAtMs);
  }

  /** The causes that the facts call for now, given those that they called for before. */
  #withCauses(before: KnownFacts, moment: Moment, now = knownFacts(this.context)): LayerSource {
    const events = causeEvents(
      this.#rule,
      this.context,
      { before, now },
      {
        ...moment,
        ...afterStops(this.context),
        isReport: moment.reportAtMs !== null,
      },
    );
    return this.#fold(events).#recovering(now, moment);
  }

  /** What a stop, its risks and its probation have come to. */
  #recovering(known: KnownFacts, moment: Moment): LayerSource {
    const { policy, atMs, reportAtMs } = moment;
    const active = new Set(this.#activeRisks(known, policy, atMs));
    const latched = this.#with(latchRisks(this.context, active, known));
    if (awaitsRelease(latched.context, active) && !(RISKS_COMPOUND in latched.context.holds)) {
      return latched.#fold([{ type: 'operator_hold', atMs, cause: RISKS_COMPOUND }]);
    }
    const wanted = this.#rule.causes?.(known, { policy, atMs, ...afterStops(this.context) }) ?? [];
    const stops = wanted.some(({ kind }) => kind === 'cooldown');
    const report = { known, reportAtMs, isClean: !stops };
    const sampled = latched.#with(takeSamples(latched.context, this.#rule, report));
    const completed = completedSamples(sampled.context, this.#rule, policy);
    return sampled.#fold(completed.map((cause) => ({ type: 'probation_passed', atMs, cause })));
  }

  #required(policy: Policy): LayerSource {
    const facts = withRequired(this.context.facts, this.layer, policy);
    return facts === this.context.facts ? this : this.#with({ ...this.context, facts });
  }

  #with(context: LayerContext): LayerSource {
    return context === this.context
      ? this
      : LayerSource.#resolve(this.#identity(), context, this.#judgedAtMs);
  }

  #activeRisks(known: KnownFacts, policy: Policy, atMs: number): readonly RiskName[] {
    const graceRunning = allInGrace(this.context);
    return this.#rule.risks?.(known, { policy, atMs, graceRunning, ...afterStops(this.context) }) ?? [];
  }
}

/** Reasons for which what we knew ourselves is not known any more, a recheck or not. */
const SILENCED: ReadonlySet<Reason> = new Set([
  'heartbeat_lost',
  'handler_fault',
  'run_lost',
  ...SEEN_UNJUDGEABLE,
]);

const livesByHeartbeat = (fact: FactReading): boolean => isKnown(fact) && fact.expiresAtMs === null;

interface Moment {
  readonly policy: Policy;
  readonly atMs: number;
  /** When the newest of the answers that were reported was observed; null of a clock or an event. */
  readonly reportAtMs: number | null;
}

function observedNow(facts: Readonly<Record<string, FactValue>>, atMs: number): readonly Observation[] {
  return Object.entries(facts).map(([fact, value]) => ({ fact, observedAtMs: atMs, outcome: { value } }));
}

function answersIn(answers: readonly Observation[]): KnownFacts {
  return Object.fromEntries(
    answers.flatMap(({ fact, outcome }): [string, FactValue][] =>
      'value' in outcome ? [[fact, outcome.value]] : [],
    ),
  );
}

function without(known: KnownFacts, gone: readonly Observation[]): KnownFacts {
  const names = new Set(gone.map((seen) => seen.fact));
  return Object.fromEntries(Object.entries(known).filter(([fact]) => !names.has(fact)));
}

function valuesOf(facts: readonly FactReading[]): Readonly<Record<string, FactValue>> {
  return Object.fromEntries(facts.map((fact) => [fact.fact, fact.value!]));
}
