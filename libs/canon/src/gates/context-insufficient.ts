import { answerRationale, type RationaleAnswer, stepDueAtMs, supported } from '../rationale.ts';
import { ruleOf } from '../rules/index.ts';
import { type StandingCase, standing } from '../standing.ts';
import type { ReadFact, TruthReading } from '../truth-reading.ts';
import type { CanonicalBlockerLayer } from '../words.ts';
import {
  type Because,
  because,
  becauseRequest,
  type DispatchCase,
  defineGate,
  Findings,
  type GateAnswer,
} from './gate.ts';

const ORDER = ['sufficient', 'no_ai', 'later', 'unknown', 'insufficient'] as const;
type Outcome = (typeof ORDER)[number];

export const contextInsufficientGate = defineGate({
  blocker: 'context_insufficient',
  outcomes: [
    { name: 'sufficient', decision: 'APPROVE' },
    { name: 'no_ai', decision: 'DEGRADE_AND_APPROVE' },
    { name: 'later', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'unknown', decision: 'HOLD_FOR_CONTEXT' },
    { name: 'insufficient', decision: 'HOLD_FOR_CONTEXT' },
  ],
  faulted: 'unknown',
  ask(input) {
    const told = toldBySources(input);
    const rationale = answerRationale(input);
    const missing = missingFor(input, rationale);
    const { outcome, because } = missing.length === 0 ? told : worstWith(told, missing);
    const releaseAtMs = outcome === 'later' ? told.nextRunAtMs : stepDueLaterMs(input, outcome);
    return outcome === 'no_ai'
      ? { outcome, because, constraints: input.policy.degradations.context_no_ai, releaseAtMs, rationale }
      : { outcome, because, releaseAtMs, rationale };
  },
});

/** What this request lacks by itself: a campaign that is bound to it, and answers that support a dispatch. */
function missingFor(input: DispatchCase, rationale: readonly RationaleAnswer[]): readonly Missing[] {
  const { action } = input;
  const missing: Missing[] = [];
  if (!action.bound) {
    const reason = becauseRequest('campaign', action.campaign, 'bindings', 'identity_mismatch', 'client');
    missing.push({ outcome: 'insufficient', because: reason });
  }
  for (const answer of rationale) {
    if (!supported(answer)) missing.push(...whatItRestsOn(answer, input));
  }
  return missing;
}

interface Missing {
  readonly outcome: Outcome;
  readonly because: Because;
}

function worstWith(told: GateAnswer<Outcome>, missing: readonly Missing[]): GateAnswer<Outcome> {
  const found = new Findings<Outcome>(ORDER).add(told.outcome, ...told.because);
  const seen = new Set(told.because.map(placeOf));
  for (const { outcome, because } of missing) {
    const place = placeOf(because);
    // One fact may be missing in several answers: it is named once.
    if (seen.has(place)) continue;
    seen.add(place);
    found.add(outcome, because);
  }
  return found.worst();
}

const placeOf = ({ layer, source, fact, reason }: Because): string => `${layer}/${source}/${fact} ${reason}`;

/** What the campaign, its import, the window and the provider come to, whoever is to be written to. */
const toldBySources = standing((input) => {
  const found = new Findings<Outcome>(ORDER);
  askSource(input, 'campaign', input.action.campaign, found);
  askSource(input, 'data', input.action.importSource, found);
  askWindow(input, found);
  askProvider(input, found);
  const nextRun = input.reading.fact('continuity_window', 'main', 'nextRun').value;
  // The next run opens the window.
  return { ...found.worst(), nextRunAtMs: typeof nextRun === 'number' ? nextRun : null };
});

/** By the answer and its evidence, which is one and the same list while the truth stands. */
const missingByAnswer = standing(() => new Map<string, Map<readonly string[], readonly Missing[]>>());

function whatItRestsOn(answer: RationaleAnswer, input: DispatchCase): readonly Missing[] {
  return missingByAnswer(input)
    .getOrInsertComputed(`${answer.question} ${answer.code}`, () => new Map())
    .getOrInsertComputed(answer.evidence, () => missingIn(answer, input.reading));
}

/** Answers that may be what they are because a fact is unknown; any other was found. */
const NOT_KNOWN: ReadonlySet<string> = new Set(['unknown', 'insufficient', 'conflicting', 'silence_safer']);

/**
 * What has to change for another answer: the facts that nobody knows, as they are, for they may only have to arrive
 * again; else the sources whose facts it was computed from, not the campaign that asks.
 */
function missingIn({ question, code, evidence }: RationaleAnswer, reading: TruthReading): readonly Missing[] {
  const cited = evidence.map((path) => {
    const [layer, source, fact] = path.split('/') as [CanonicalBlockerLayer, string, string];
    return reading.fact(layer, source, fact);
  });
  const unknown = NOT_KNOWN.has(code) ? cited.filter((fact) => fact.verdict === 'unknown') : [];
  if (unknown.length > 0) return unknown.map((fact) => ({ outcome: 'unknown', because: because(fact) }));
  const places = Map.groupBy(cited, ({ layer, source }) => `${layer}/${source}`);
  return [...places.values()].map(([first]) => {
    const { layer, source } = first!;
    const owner = ruleOf(layer).owner;
    const reason = becauseRequest(layer, source, question, 'rationale_unsupported', owner);
    return { outcome: 'insufficient', because: reason };
  });
}

/** A step that came too soon is due at its own time. */
function stepDueLaterMs(input: DispatchCase, outcome: Outcome): number | null {
  const dueAtMs = outcome === 'insufficient' ? stepDueAtMs(input) : null;
  return dueAtMs !== null && dueAtMs > input.nowMs ? dueAtMs : null;
}

function askSource(
  input: StandingCase,
  layer: 'campaign' | 'data',
  source: string,
  found: Findings<Outcome>,
): void {
  const { reading } = input;
  for (const fact of reading.required(layer, source)) {
    if (fact.verdict === 'unknown') found.add('unknown', because(fact));
    else if (fact.severity === 'hard') found.add('insufficient', because(fact));
    else found.add('sufficient', because(fact));
  }
  const held = reading.fresh ? reading.source(layer, source) : undefined;
  if (!held) return;
  const state = reading.fact(layer, source, layer === 'campaign' ? 'campaignState' : 'importState');
  if (!held.enabled)
    found.add('insufficient', becauseRequest(layer, source, 'source', 'source_disabled', 'client'));
  if (Object.keys(held.causes.holds).length > 0)
    found.add('insufficient', because(reading.fact(layer, source, 'approval')));
  const later = [...Object.keys(held.causes.closures), ...Object.keys(held.causes.cooldowns)];
  if (later.length > 0) found.add('later', because(state));
}

function askWindow({ reading }: StandingCase, found: Findings<Outcome>): void {
  const open = reading.fact('continuity_window', 'main', 'window.open');
  if (open.verdict === 'unknown') found.add('unknown', because(open));
  else found.add(open.value === true ? 'sufficient' : 'later', because(open));
  // An open window by a clock that is wrong, or in a time zone that nobody knows, is a guess.
  const zone = reading.fact('continuity_window', 'main', 'windowReason');
  const skew = reading.fact('continuity_window', 'main', 'clockSkewMs');
  if (zone.verdict === 'unknown') found.add('unknown', because(zone));
  if (skew.reason === 'clock_skew') found.add('unknown', because(skew));
}

/** Without its AI provider a campaign whose template a person approved still has everything it needs to say. */
function askProvider({ reading, action }: StandingCase, found: Findings<Outcome>): void {
  const providers = reading.truth?.layers.provider_health.sources.filter((source) => source.enabled) ?? [];
  const approved = reading.fact('campaign', action.campaign, 'approval').value === 'current';
  for (const provider of providers) {
    const without = (fact: ReadFact) => found.add(approved ? 'no_ai' : 'unknown', because(fact));
    for (const fact of reading.required('provider_health', provider.source)) {
      if (fact.verdict === 'unknown' || fact.severity === 'hard') without(fact);
    }
    const { cooldowns, holds } = provider.causes;
    if (Object.keys({ ...cooldowns, ...holds }).length > 0) {
      without(reading.fact('provider_health', provider.source, 'errorClass'));
    }
  }
}
