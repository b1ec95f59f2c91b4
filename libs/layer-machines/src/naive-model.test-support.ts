import {
  type CanonicalBlockerLayer,
  type CauseWanted,
  type FactValue,
  factSpec,
  isSampleReason,
  type Judgement,
  type KnownFacts,
  type LayerCondition,
  RISKS,
  requiredFacts,
  ruleOf,
} from '@orchestrate/canon';
import type { LayerEvent } from './layer-event.ts';
import { POLICY } from './layer-source.test-support.ts';
import type { Observation } from './observation.ts';

/** One thing that a source was given, at its time. */
export interface Input {
  readonly atMs: number;
  readonly seen?: readonly Observation[];
  readonly event?: LayerEvent;
}

const answersIn = (seen: readonly Observation[]): KnownFacts =>
  Object.fromEntries(
    seen.flatMap(({ fact, outcome }) => ('value' in outcome ? [[fact, outcome.value]] : [])),
  );

interface Answer {
  readonly value: FactValue;
  readonly observedAtMs: number;
  /** Taken back by somebody, or by an event. */
  readonly isGone: boolean;
}

/**
 * What one source should make of its inputs, by a list and nothing else: each question goes through the list from
 * the start. It knows no machine and keeps no context; of the product it asks only what a value means (the rule).
 */
export class NaiveModel {
  readonly #layer: CanonicalBlockerLayer;
  readonly #inputs: readonly Input[];

  constructor(layer: CanonicalBlockerLayer, inputs: readonly Input[] = []) {
    this.#layer = layer;
    this.#inputs = inputs;
  }

  with(input: Input): NaiveModel {
    return new NaiveModel(this.#layer, [...this.#inputs, input]);
  }

  get inputs(): readonly Input[] {
    return this.#inputs;
  }

  /** Whether nothing that the list tells forbids that the layer is ready at this time. */
  whyNotReady(nowMs: number, condition: LayerCondition): readonly string[] {
    const known = this.#known(nowMs, this.#inputs);
    const { servedStop } = condition.causes;
    const unmet = requiredFacts(this.#layer).filter(
      (fact) => this.#judge(fact, known, nowMs, servedStop)?.verdict !== 'pass',
    );
    const closings = [...this.#toldClosings(nowMs), ...this.#wanted(known, nowMs, 'closure')];
    return [
      ...unmet.map((fact) => `${fact} does not pass`),
      ...[...this.#holds()].map((cause) => `held by ${cause}`),
      ...closings.map((cause) => `closed by ${cause}`),
      ...this.#stops().flatMap(({ cause, untilMs, after }) => {
        if (untilMs > nowMs) return [`cools down for ${cause}`];
        return this.#sampled(cause, after) ? [] : [`owes a sample for ${cause}`];
      }),
    ];
  }

  /** What any of the inputs so far could have been the cause of. */
  supports(nowMs: number, condition: LayerCondition): Readonly<Record<LayerCondition['state'], boolean>> {
    const judged = this.#judgedSince(nowMs, condition);
    const hard = judged.filter(({ severity }) => severity === 'hard');
    const unanswered = judged.filter(({ verdict }) => verdict === 'unknown');
    const told = (...types: LayerEvent['type'][]) =>
      this.#inputs.some(({ event }) => event && types.includes(event.type));
    const wantedEver = (kind: CauseWanted['kind']) =>
      this.#everyMoment().some(({ known, atMs }) => this.#wanted(known, atMs, kind).length > 0);
    const isOwnersOf = (owner: 'client' | 'ours') => (one: Judgement) =>
      ((one.owner ?? ruleOf(this.#layer).owner) === 'client') === (owner === 'client');
    const stopped = this.#stops().length > 0 || this.#latchedEver().size > 0;
    return {
      operator_review: this.#holds().size > 0 || this.#latchedEver().size > 1,
      client_action: hard.some(isOwnersOf('client')),
      internal_fault: hard.some(isOwnersOf('ours')) || told('check_exhausted') || this.#fellSilent(),
      // A relapse stops again what a probation let go on.
      cooling_down: this.#stops().some(({ untilMs }) => untilMs > nowMs) || told('probation_failed'),
      unknown:
        unanswered.some(({ reason }) => !isSampleReason(reason)) ||
        this.#gaveUp() ||
        wantedEver('lease') ||
        told('fact_expired'),
      verifying: told('operator_released', 'client_acted') || (told('check_started') && this.#noAnswerYet()),
      probation: stopped || this.#failedEver(ruleOf(this.#layer).requalifies),
      provisioning:
        unanswered.some(({ reason }) => isSampleReason(reason)) ||
        this.#heardOfSample() ||
        told('setup_started') ||
        wantedEver('setup'),
      scheduled: this.#toldClosings(nowMs).size > 0 || wantedEver('closure'),
      grace: hard.length > 0,
      degraded: judged.some(({ severity }) => severity === 'soft'),
      executing: told('run_started') || wantedEver('lease'),
      ready: this.whyNotReady(nowMs, condition).length === 0,
    };
  }

  /** Whether each of these answers is older than one that came before: then telling it again is no news. */
  isOutdated(seen: readonly Observation[]): boolean {
    return seen.every(({ fact, observedAtMs, outcome }) => {
      const answer = this.#newest(this.#inputs).get(fact);
      return 'value' in outcome && answer !== undefined && answer.observedAtMs > observedAtMs;
    });
  }

  /** Somebody said that a sample is too small or cannot be seen. */
  #heardOfSample(): boolean {
    return this.#inputs.some(({ seen = [] }) =>
      seen.some(({ outcome }) => 'unknown' in outcome && isSampleReason(outcome.unknown)),
    );
  }

  #newest(inputs: readonly Input[]): ReadonlyMap<string, Answer> {
    const newest = new Map<string, Answer>();
    for (const { seen = [], event, atMs } of inputs) {
      for (const { fact, observedAtMs, outcome } of seen) {
        const before = newest.get(fact);
        if ('value' in outcome) {
          if (before && before.observedAtMs > observedAtMs) continue;
          const beside = { ...this.#freshOf(newest, atMs), ...answersIn(seen) };
          if (before && this.#isBackground(fact, outcome.value) && this.#passes(fact, before, beside, atMs)) {
            continue;
          }
          newest.set(fact, { value: outcome.value, observedAtMs, isGone: false });
        } else if (before && before.observedAtMs <= observedAtMs && TAKES_BACK.has(outcome.unknown)) {
          newest.set(fact, { ...before, isGone: true });
        }
      }
      const gone = event?.type === 'fact_expired' ? newest.get(event.fact) : undefined;
      if (event?.type === 'fact_expired' && gone) newest.set(event.fact, { ...gone, isGone: true });
    }
    return newest;
  }

  #isFresh(fact: string, { observedAtMs, isGone }: Answer, nowMs: number): boolean {
    const age = factSpec(this.#layer, fact)!.age;
    return !isGone && (age === 'folded' || observedAtMs + POLICY.maxAgeSec[age] * 1000 > nowMs);
  }

  /** Work in the background takes back no passing answer. */
  #isBackground(fact: string, value: FactValue): boolean {
    return this.#judge(fact, { [fact]: value } as KnownFacts, 0)?.background === true;
  }

  /** Whether the answer in hand is good, also beside what is told with the new one. */
  #passes(fact: string, answer: Answer, beside: KnownFacts, atMs: number): boolean {
    const judged = this.#judge(fact, { ...beside, [fact]: answer.value } as KnownFacts, atMs);
    return judged?.verdict === 'pass' && this.#isFresh(fact, answer, atMs);
  }

  /** The answers that stand at this time: the newest by when it was observed, if it is young enough. */
  #known(nowMs: number, inputs: readonly Input[]): KnownFacts {
    return this.#freshOf(this.#newest(inputs), nowMs);
  }

  #freshOf(newest: ReadonlyMap<string, Answer>, nowMs: number): KnownFacts {
    const fresh = [...newest].filter(([fact, answer]) => this.#isFresh(fact, answer, nowMs));
    return Object.fromEntries(fresh.map(([fact, { value }]) => [fact, value]));
  }

  #judge(
    fact: string,
    known: KnownFacts,
    atMs: number,
    servedStop: LayerCondition['causes']['servedStop'] = null,
  ): Judgement | null {
    const moment = { policy: POLICY, atMs, servedStop };
    const all = { ...known, ...ruleOf(this.#layer).derive?.(known, moment) } as KnownFacts;
    return fact in all ? ruleOf(this.#layer).judge(fact as never, all, moment) : null;
  }

  /** After each input, what was known then. What arrives past its age was never known. */
  #everyMoment(): readonly { readonly known: KnownFacts; readonly atMs: number }[] {
    return this.#inputs.map(({ atMs }, index) => {
      return { known: this.#known(atMs, this.#inputs.slice(0, index + 1)), atMs };
    });
  }

  /** What each fact was judged to be at any moment since its newest answer; nothing known of it is an unknown. */
  #judgedSince(nowMs: number, { causes }: LayerCondition): readonly Judgement[] {
    const moments = [...this.#everyMoment(), { known: this.#known(nowMs, this.#inputs), atMs: nowMs }];
    const names = new Set([
      ...requiredFacts(this.#layer),
      ...moments.flatMap(({ known }) => Object.keys(known)),
    ]);
    return [...names].flatMap((fact) =>
      moments.flatMap(({ known, atMs }) => {
        const isRequired = factSpec(this.#layer, fact)?.required === true;
        const missing = factSpec(this.#layer, fact)?.missing ?? 'never_observed';
        const unheard: Judgement = { verdict: 'unknown', severity: 'none', reason: missing };
        const judged = this.#judge(
          fact,
          { ...known, band: 'blocked' } as KnownFacts,
          atMs,
          causes.servedStop,
        );
        const plain = this.#judge(fact, known, atMs, causes.servedStop);
        if (!plain) return isRequired ? [unheard, { ...unheard, reason: 'expired' as const }] : [];
        return judged ? [judged, plain] : [plain];
      }),
    );
  }

  #wanted(known: KnownFacts, atMs: number, kind: CauseWanted['kind']): readonly string[] {
    const moment = { policy: POLICY, atMs };
    const rule = ruleOf(this.#layer);
    const all = { ...known, ...rule.derive?.(known, moment) } as KnownFacts;
    return (rule.causes?.(all, moment) ?? []).flatMap((one) => (one.kind === kind ? [one.cause] : []));
  }

  #holds(): ReadonlySet<string> {
    const holds = new Set<string>();
    for (const [index, { event }] of this.#inputs.entries()) {
      if (event?.type === 'operator_hold') holds.add(event.cause);
      if (event?.type === 'operator_released') holds.delete(event.cause);
      const { known, atMs } = this.#everyMoment()[index]!;
      for (const cause of this.#wanted(known, atMs, 'hold')) holds.add(cause);
    }
    return holds;
  }

  #toldClosings(nowMs: number): ReadonlySet<string> {
    const closings = new Set<string>();
    for (const { event } of this.#inputs) {
      if (event?.type === 'window_closed' && (event.untilMs ?? Number.POSITIVE_INFINITY) > nowMs) {
        closings.add(event.cause);
      } else if (event?.type === 'window_closed' || event?.type === 'window_opened') {
        closings.delete(event.cause);
      }
    }
    const follows: readonly string[] = ruleOf(this.#layer).follows ?? [];
    return new Set([...closings].filter((cause) => !follows.includes(cause)));
  }

  /** Every stop that somebody told or that the facts called for, and the place in the list that it has. */
  #stops(): readonly { readonly cause: string; readonly untilMs: number; readonly after: number }[] {
    return this.#inputs.flatMap(({ event, atMs }, after) => {
      const told = event?.type === 'adverse_event';
      const { known } = this.#everyMoment()[after]!;
      const { causes } = ruleOf(this.#layer);
      const moment = { policy: POLICY, atMs };
      const all = { ...known, ...ruleOf(this.#layer).derive?.(known, moment) } as KnownFacts;
      const wanted = (causes?.(all, moment) ?? []).flatMap((one) =>
        one.kind === 'cooldown' ? [{ cause: one.cause, untilMs: one.untilMs, after }] : [],
      );
      return [...(told ? [{ cause: event.cause, untilMs: event.untilMs, after }] : []), ...wanted];
    });
  }

  /** Whether somebody passed its probation since, or enough came in that it can have passed. */
  #sampled(cause: string, after: number): boolean {
    const later = this.#inputs.slice(after + 1);
    if (later.some(({ event }) => event?.type === 'probation_passed' && event.cause === cause)) return true;
    const requalification = ruleOf(this.#layer).requalification;
    if (!requalification) return false;
    const { counter, needed } = requalification;
    if (counter === undefined) return later.filter(({ seen }) => seen).length >= needed(POLICY);
    return later.some(({ seen = [] }) => seen.some(({ fact }) => fact === counter));
  }

  #latchedEver(): ReadonlySet<string> {
    const rule = ruleOf(this.#layer);
    return new Set(
      this.#everyMoment().flatMap(({ known, atMs }) => {
        const moment = { policy: POLICY, atMs };
        const all = { ...known, ...rule.derive?.(known, moment) } as KnownFacts;
        return (rule.risks?.(all, moment) ?? []).filter((risk) => RISKS[risk].latched);
      }),
    );
  }

  #failedEver(fact: string | undefined): boolean {
    if (fact === undefined) return false;
    return this.#everyMoment().some(({ known, atMs }) =>
      [known, { ...known, band: 'blocked' }].some(
        (one) => this.#judge(fact, one as KnownFacts, atMs)?.verdict === 'fail',
      ),
    );
  }

  /** A recheck that got no answer, or a run that is lost, leaves an unknown, whatever was known before. */
  #gaveUp(): boolean {
    const asked = this.#inputs.some(({ event }) =>
      ['operator_released', 'client_acted', 'run_started', 'run_lost'].includes(event?.type ?? ''),
    );
    return asked || this.#fellSilent();
  }

  #fellSilent(): boolean {
    return this.#inputs.some(({ seen = [] }) => seen.some(({ outcome }) => 'unknown' in outcome));
  }

  #noAnswerYet(): boolean {
    return this.#newest(this.#inputs).size === 0;
  }
}

/** The word by which somebody who looked takes an earlier answer back. */
const TAKES_BACK: ReadonlySet<string> = new Set(['unrecognised_value']);
