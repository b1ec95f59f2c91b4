import assert from 'node:assert/strict';
import {
  bandOf,
  type FactReading,
  type FactSpec,
  type FactValue,
  factSpec,
  isSampleReason,
  type Judgement,
  type KnownFacts,
  type LayerRule,
  type RuleContext,
  type UnknownReason,
} from '@orchestrate/canon';
import { isKnown, SEEN_UNJUDGEABLE } from './known-facts.ts';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';
import type { Observation } from './observation.ts';

interface Answer {
  readonly fact: string;
  readonly value: FactValue;
  readonly band: string | undefined;
  readonly observedAtMs: number;
  readonly expiresAtMs: number | null;
}

/** Turns what was observed of one source into events, by the layer's rule and what the source knew before. */
export class FactJudge {
  readonly #rule: LayerRule;
  readonly #context: LayerContext;
  readonly #moment: RuleContext;

  constructor(rule: LayerRule, context: LayerContext, moment: RuleContext) {
    this.#rule = rule;
    this.#context = context;
    this.#moment = moment;
  }

  /** Whether what was seen takes the earlier answer back, as a try that failed does not. */
  withdraws({ fact, observedAtMs, outcome }: Observation): boolean {
    const spec = factSpec(this.#rule.layer, fact);
    const before = this.#context.facts[fact];
    if (!spec || !before || !isKnown(before) || !('unknown' in outcome)) return false;
    return !this.#isLate(fact, observedAtMs) && SEEN_UNJUDGEABLE.has(reasonOf(spec, outcome.unknown));
  }

  /** An answer that stands from now on: not older than what is known, nor past its own age when it arrives. */
  answers(seen: Observation): boolean {
    const { fact, observedAtMs } = seen;
    if (!('value' in seen.outcome) || this.#isLate(fact, observedAtMs)) return false;
    const expiresAtMs = this.#expiryOf(fact, observedAtMs);
    return expiresAtMs === null || expiresAtMs > this.#moment.atMs;
  }

  #isLate(fact: string, observedAtMs: number): boolean {
    return (this.#context.facts[fact]?.observedAtMs ?? 0) > observedAtMs;
  }

  #expiryOf(fact: string, observedAtMs: number): number | null {
    const age = factSpec(this.#rule.layer, fact)?.age ?? 'folded';
    return age === 'folded' ? null : observedAtMs + this.#moment.policy.maxAgeSec[age] * 1000;
  }

  /** The event of one observation, judged together with everything that is known. */
  eventOf(seen: Observation, known: KnownFacts): LayerEvent {
    const { fact, observedAtMs, outcome } = seen;
    const { policy, atMs } = this.#moment;
    const spec = factSpec(this.#rule.layer, fact);
    assert(spec, `${fact} is no fact of ${this.#rule.layer}`);
    if ('unknown' in outcome) {
      const reason = reasonOf(spec, outcome.unknown);
      if (this.withdraws(seen)) return { type: 'fact_expired', atMs, fact, reason, seenAtMs: observedAtMs };
      return { type: 'check_inconclusive', atMs, fact, reason, answer: null };
    }
    const expiresAtMs = this.#expiryOf(fact, observedAtMs);
    if (expiresAtMs !== null && expiresAtMs <= atMs) {
      const answer = { fact, value: outcome.value, band: undefined, observedAtMs, expiresAtMs };
      return {
        type: 'check_inconclusive',
        atMs,
        fact,
        reason: 'expired',
        answer: { ...answer, reason: 'expired' },
      };
    }
    const band = bandOf(this.#rule.layer, fact, known, this.#context.facts[fact]?.band, policy);
    const judged = this.#judge(fact, known);
    if (judged.background && this.#stillPasses(fact, known)) {
      return { type: 'check_inconclusive', atMs, fact, reason: judged.reason, answer: null };
    }
    return this.#judgedEvent({ fact, value: outcome.value, band, observedAtMs, expiresAtMs }, judged);
  }

  /** Whether the answer in hand is good, also beside what is told with the new one. */
  #stillPasses(fact: string, known: KnownFacts): boolean {
    const standing = this.#context.facts[fact];
    if (standing?.verdict !== 'pass' || standing.value === undefined) return false;
    return this.#judge(fact, { ...known, [fact]: standing.value }).verdict === 'pass';
  }

  /** What was told now may change what an earlier answer means (a payment method, a lookup count). */
  judgedAnew(told: ReadonlySet<string>, before: KnownFacts, known: KnownFacts): readonly LayerEvent[] {
    return this.#answersThatStand().flatMap((fact) => {
      if (told.has(fact.fact)) return [];
      const judged = this.#judge(fact.fact, known);
      const isNews = !sameJudgement(judged, this.#judge(fact.fact, before));
      return isNews && !sameJudgement(judged, fact) ? [this.#judgedEvent(answerOf(fact), judged)] : [];
    });
  }

  /** Answers whose meaning moved with the time alone. Time never heals: what a fact needs to pass is told. */
  fallenDue(known: KnownFacts): readonly LayerEvent[] {
    if (!this.#rule.deadlines) return [];
    return this.#answersThatStand().flatMap((fact) => {
      const judged = this.#judge(fact.fact, known);
      if (judged.verdict === 'pass' || sameJudgement(judged, fact)) return [];
      return [this.#judgedEvent(answerOf(fact), judged)];
    });
  }

  #judge(fact: string, known: KnownFacts): Judgement {
    return this.#rule.judge(fact as Parameters<LayerRule['judge']>[0], known, this.#moment);
  }

  #judgedEvent(answer: Answer, judged: Judgement): LayerEvent {
    const { atMs } = this.#moment;
    const told = { ...answer, atMs, reason: judged.reason };
    if (judged.verdict === 'pass') return { type: 'check_passed', ...told };
    if (judged.verdict === 'unknown') {
      return { type: 'check_inconclusive', atMs, fact: answer.fact, reason: judged.reason, answer: told };
    }
    const failure = {
      ...told,
      owner: judged.owner ?? this.#rule.owner,
      ...this.#grace(answer, judged),
      requalify: this.#rule.requalifies === answer.fact,
    };
    return { type: judged.severity === 'hard' ? 'check_failed_hard' : 'check_failed_soft', ...failure };
  }

  /** Grace is for what worked before; a fact that tells its own deadline says that it did. */
  #grace(answer: Answer, judged: Judgement) {
    const { policy, atMs } = this.#moment;
    const told = judged.graceUntilMs;
    // The next bill has a deadline of its own; silence in between, or asking for help, gives the last one no other.
    if (told !== undefined) {
      return { graceUntilMs: told, graceRestarts: this.#context.facts[answer.fact]?.value !== answer.value };
    }
    const graceMs = this.#rule.graceMs?.(answer.fact as Parameters<LayerRule['judge']>[0], policy) ?? null;
    const before = this.#context.facts[answer.fact];
    const passedMs = answer.observedAtMs - (before?.passingSinceMs ?? answer.observedAtMs);
    return {
      graceUntilMs: graceMs !== null && before?.everPassed ? atMs + graceMs : null,
      graceRestarts: passedMs >= policy.sendingDomain.graceResetSec * 1000,
    };
  }

  #answersThatStand(): readonly FactReading[] {
    return Object.values(this.#context.facts).filter(
      (fact) => fact.verdict !== 'unknown' && fact.value !== undefined && fact.observedAtMs !== null,
    );
  }
}

/** A sample grows where samples are taken; elsewhere the word would pass for work that is on its way. */
function reasonOf(spec: FactSpec, told: UnknownReason): UnknownReason {
  const isSample = spec.missing === told || spec.sampled === true;
  return isSampleReason(told) && !isSample ? 'no_answer' : told;
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
