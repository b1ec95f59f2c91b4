import { isExplorable } from './facts.ts';
import type { DispatchCase } from './gates/gate.ts';
import { type StandingCase, standing } from './standing.ts';
import type { ReadFact } from './truth-reading.ts';
import {
  type ConversationState,
  type RationaleCode,
  type RationaleQuestion,
  supportsDispatch,
} from './words.ts';

/** A closed answer and the facts it rests on, as `layer/source/fact`. */
export interface RationaleAnswer<Q extends RationaleQuestion = RationaleQuestion> {
  readonly question: Q;
  readonly code: RationaleCode<Q>;
  readonly evidence: readonly string[];
}

export const supported = (answer: RationaleAnswer): boolean => supportsDispatch(answer.question, answer.code);

/**
 * Seven of the eight answers, recomputed from what is known. Where a lead comes from is what its import said of it;
 * nothing else of the request counts. The eighth, whyDispatchSafe, sums up the gates and is answered after them.
 */
export function answerRationale(input: DispatchCase): readonly RationaleAnswer[] {
  const told = toldByTruth(input);
  const now = whyNow(input, told);
  return [
    whyProspect(input, told),
    now,
    whyMailbox(input, told),
    input.action.step === 1 ? told.ctaFirst : told.cta,
    input.reservation.budget === 'available' ? told.confidenceInBudget : told.confidence,
    told.tone,
    whySilenceNotSafer(input, told, now),
  ];
}

/** What the answers rest on, and those of them to which the request has little to add. */
interface Told {
  readonly provenance: readonly string[];
  readonly capToday: readonly string[];
  readonly state: ReadFact;
  readonly stateCited: readonly string[];
  readonly cta: RationaleAnswer<'whyCta'>;
  /** Of a first message. */
  readonly ctaFirst: RationaleAnswer<'whyCta'>;
  readonly confidence: RationaleAnswer<'whyConfidence'>;
  /** While a budget for exploring is there. */
  readonly confidenceInBudget: RationaleAnswer<'whyConfidence'>;
  readonly tone: RationaleAnswer<'whyTone'>;
  readonly worseBand: boolean;
  readonly bandCited: readonly string[];
  readonly repliesCited: readonly string[];
  readonly consented: boolean;
  readonly basisCited: readonly string[];
}

const toldByTruth = standing((input): Told => {
  const { reading, action } = input;
  const state = reading.fact('campaign', action.campaign, 'campaignState');
  const band = reading.fact('pacing', action.mailbox, 'band');
  const basis = reading.fact('governance', 'main', 'lawfulBasis');
  return {
    provenance: [`data/${action.importSource}/provenanceShare`],
    capToday: [`pacing/${action.mailbox}/capToday`],
    state,
    stateCited: cite(state),
    cta: whyCta(input, false),
    ctaFirst: whyCta(input, true),
    confidence: whyConfidence(input, false),
    confidenceInBudget: whyConfidence(input, true),
    tone: whyTone(input),
    worseBand: ['watch', 'throttled', 'quarantined', 'blocked'].includes(String(band.value)),
    bandCited: cite(band),
    repliesCited: cite(reading.fact('mailbox', action.mailbox, 'canReadReplies')),
    consented: basis.value === 'consent',
    basisCited: cite(basis),
  };
});

/** The same seven when they cannot be computed: nothing that supports a dispatch, and still a row in the audit. */
export const UNANSWERED: readonly RationaleAnswer[] = [
  { question: 'whyProspect', code: 'unknown', evidence: [] },
  { question: 'whyNow', code: 'unknown', evidence: [] },
  { question: 'whyMailbox', code: 'unknown', evidence: [] },
  { question: 'whyCta', code: 'unknown', evidence: [] },
  { question: 'whyConfidence', code: 'insufficient', evidence: [] },
  { question: 'whyTone', code: 'unknown', evidence: [] },
  { question: 'whySilenceNotSafer', code: 'silence_safer', evidence: [] },
];

function answered<Q extends RationaleQuestion>(
  question: Q,
  code: RationaleCode<Q>,
  evidence: readonly string[],
): RationaleAnswer<Q> {
  return { question, code, evidence } as RationaleAnswer<Q>;
}

const cite = (...facts: ReadFact[]): string[] =>
  facts.map((fact) => `${fact.layer}/${fact.source}/${fact.fact}`);

function whyProspect({ action }: DispatchCase, { provenance }: Told): RationaleAnswer<'whyProspect'> {
  return answered('whyProspect', action.prospect, provenance);
}

/** When a person who was written to may be written to again, ms since the epoch; null where no touch came before. */
export function stepDueAtMs({ recipient, policy }: DispatchCase): number | null {
  if (recipient.lastTouchAtMs === null) return null;
  return recipient.lastTouchAtMs + policy.dispatch.stepIntervalSec * 1000;
}

function whyNow(input: DispatchCase, { state, stateCited }: Told): RationaleAnswer<'whyNow'> {
  const { action, recipient, nowMs } = input;
  const answer = (code: RationaleCode<'whyNow'>) => answered('whyNow', code, stateCited);
  if (state.verdict === 'unknown') return answer('unknown');
  if (state.value !== 'active') return answer('no_time_basis');
  if (isOwed(input, 'reply_owed')) return answer('reply_owed');
  if (isOwed(input, 'commitment_due')) return answer('trigger_recent');
  if (recipient.lastTouchAtMs === null) return answer(action.step === 1 ? 'step_due' : 'no_time_basis');
  return answer((stepDueAtMs(input) ?? nowMs) <= nowMs ? 'step_due' : 'too_soon');
}

/** The recipient waits for this mailbox: it is the one that wrote to them, by our own records. */
function isOwed({ recipient, action }: DispatchCase, conversation: ConversationState): boolean {
  return recipient.conversation === conversation && recipient.lastMailbox === action.mailbox;
}

function whyMailbox(
  { action, recipient, reservation, policy }: DispatchCase,
  { capToday }: Told,
): RationaleAnswer<'whyMailbox'> {
  const { own, best, mailboxes } = reservation.headroom;
  const code =
    recipient.lastMailbox === action.mailbox
      ? 'thread_owner'
      : mailboxes === 0
        ? 'unknown'
        : mailboxes === 1
          ? 'only_eligible'
          : best - own <= policy.dispatch.headroomTieShare
            ? 'best_headroom'
            : 'rotation_only';
  return answered('whyMailbox', code, capToday);
}

function whyCta({ reading, action }: StandingCase, isFirst: boolean): RationaleAnswer<'whyCta'> {
  const cta = reading.fact('campaign', action.campaign, 'cta');
  const code =
    cta.verdict === 'unknown'
      ? 'unknown'
      : cta.value === 'breakup' && isFirst
        ? 'stage_mismatch'
        : (cta.value as RationaleCode<'whyCta'>);
  return { question: 'whyCta', code, evidence: cite(cta) };
}

function whyTone({ reading, action }: StandingCase): RationaleAnswer<'whyTone'> {
  const tone = reading.fact('campaign', action.campaign, 'tone');
  const code = tone.verdict === 'unknown' ? 'unknown' : (tone.value as RationaleCode<'whyTone'>);
  return { question: 'whyTone', code, evidence: cite(tone) };
}

/** Over the required facts of just the sources that the request names. */
function whyConfidence(
  { reading, action }: StandingCase,
  isBudgeted: boolean,
): RationaleAnswer<'whyConfidence'> {
  const facts = [
    ...reading.required('billing', 'main'),
    ...reading.required('sending_domain', action.domain),
    ...reading.required('mailbox', action.mailbox),
    ...reading.required('governance', 'main'),
    ...reading.required('pacing', action.mailbox),
    ...reading.required('campaign', action.campaign),
    ...reading.required('data', action.importSource),
  ];
  const unknown = facts.filter((fact) => fact.verdict === 'unknown');
  const failing = facts.filter((fact) => fact.verdict === 'fail');
  const answer = (
    code: RationaleCode<'whyConfidence'>,
    evidence: readonly ReadFact[],
  ): RationaleAnswer<'whyConfidence'> => ({
    question: 'whyConfidence',
    code,
    evidence: cite(...evidence.slice(0, 8)),
  });
  // A budget explores under a band that nobody can tell; where there is one, its counts are not open.
  const exploring = unknown.some((fact) => fact.fact === 'band' && isExplorable(fact.reason));
  const uncovered = unknown.filter(
    (fact) => !(exploring && fact.layer === 'pacing' && isExplorable(fact.reason)),
  );
  if (uncovered.some((fact) => fact.reason === 'disagreement')) return answer('conflicting', uncovered);
  if (uncovered.length > 0) return answer('insufficient', uncovered);
  if (unknown.length > 0) return answer(isBudgeted ? 'bounded_unknown' : 'insufficient', unknown);
  return failing.length > 0 ? answer('pass_soft_fail', failing) : answer('all_fresh_pass', facts);
}

/** Silence needs no reason; speaking does. A tie goes to silence. */
function whySilenceNotSafer(
  input: DispatchCase,
  told: Told,
  now: RationaleAnswer<'whyNow'>,
): RationaleAnswer<'whySilenceNotSafer'> {
  const { recipient, policy } = input;
  const awaited = awaitedBecause(input, told);
  if (awaited) return awaited;
  const question = 'whySilenceNotSafer';
  if (!supported(now)) return answered(question, 'silence_safer', now.evidence);
  const code: RationaleCode<'whySilenceNotSafer'> = told.worseBand
    ? 'silence_equal'
    : recipient.touches < policy.dispatch.touchesMax
      ? 'step_within_touch_budget'
      : 'silence_equal';
  return answered(question, code, told.bandCited);
}

/** Why the recipient waits for a message; a mailbox in trouble still owes these. */
function awaitedBecause(
  input: DispatchCase,
  { repliesCited, consented, basisCited }: Told,
): RationaleAnswer<'whySilenceNotSafer'> | null {
  const question = 'whySilenceNotSafer';
  for (const code of ['reply_owed', 'commitment_due'] as const) {
    if (isOwed(input, code)) return answered(question, code, repliesCited);
  }
  const { recipient, action, policy } = input;
  const patient = recipient.touches < policy.dispatch.touchesMax;
  const optedIn = consented && patient && action.prospect === 'inbound_interest';
  return optedIn ? answered(question, 'opted_in_expectation', basisCited) : null;
}
