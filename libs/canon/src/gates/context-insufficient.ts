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
    const { outcome, because } = missing.length === 0 ? told : insufficient(told, missing);
    const releaseAtMs = outcome === 'later' ? told.nextRunAtMs : stepDueLaterMs(input, outcome);
    return outcome === 'no_ai'
      ? { outcome, because, constraints: input.policy.degradations.context_no_ai, releaseAtMs, rationale }
      : { outcome, because, releaseAtMs, rationale };
  },
});

const insufficient = (told: GateAnswer<Outcome>, missing: readonly Because[]): GateAnswer<Outcome> =>
  new Findings<Outcome>(ORDER)
    .add(told.outcome, ...told.because)
    .add('insufficient', ...missing)
    .worst();

/** What this request lacks by itself: a campaign that is bound to it, and answers that support a dispatch. */
function missingFor(input: DispatchCase, rationale: readonly RationaleAnswer[]): readonly Because[] {
  const { action } = input;
  const missing: Because[] = [];
  if (!action.bound) {
    missing.push(becauseRequest('campaign', action.campaign, 'bindings', 'identity_mismatch', 'client'));
  }
  for (const answer of rationale) {
    if (!supported(answer)) missing.push(...whatItRestsOn(answer, input));
  }
  return missing;
}

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

/** By the evidence of an answer, which is one and the same list while the truth stands. */
const placesByEvidence = standing(() => new Map<readonly string[], readonly Because[]>());

/** Where an answer has to change: in the sources whose facts it was computed from, not in the campaign that asks. */
function whatItRestsOn(answer: RationaleAnswer, input: DispatchCase): readonly Because[] {
  const known = placesByEvidence(input);
  let places = known.get(answer.evidence);
  if (!places) {
    places = placesOf(answer, input.reading);
    known.set(answer.evidence, places);
  }
  return places;
}

function placesOf({ question, evidence }: RationaleAnswer, reading: TruthReading): readonly Because[] {
  const cited = evidence.map((path) => {
    const [layer, source, fact] = path.split('/') as [CanonicalBlockerLayer, string, string];
    return reading.fact(layer, source, fact);
  });
  const places = Map.groupBy(cited, ({ layer, source }) => `${layer}/${source}`);
  return [...places.values()].map((facts) => {
    const { layer, source } = facts[0]!;
    // What nobody knows is its reader's to find out; an answer that is known and does not do is the layer's.
    const unknown = facts.find((fact) => fact.verdict === 'unknown');
    const owner = unknown?.owner ?? ruleOf(layer).owner;
    return becauseRequest(layer, source, question, 'rationale_unsupported', owner);
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
