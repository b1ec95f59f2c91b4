import {
  type Constraints,
  dispatches,
  RATIONALE_QUESTIONS,
  REASON_SENTENCES,
  supportsDispatch,
} from '@orchestrate/canon';
import type { DecisionRecorded } from '@orchestrate/contracts';
import type { DecidedDispatch } from '../commands/explain.ts';
import {
  clockOf,
  colours,
  durationOf,
  inDecisionColour,
  shortDigest,
  tableOf,
  timeOf,
  verdictSign,
} from '../print.ts';

const TRIGGERS: Readonly<Record<DecisionRecorded['trigger'], string>> = {
  requested: 'it was asked for',
  truth_changed: 'the truth changed',
  config_changed: 'the tenant file changed',
  policy_changed: 'the policy changed',
  release_due: 'its time had come',
  operator: 'a person acted',
  expired: 'it had waited long enough',
};

/** Why one dispatch was decided as it was, for a person. */
export function decisionScreen({ decision, attempts, outcome }: DecidedDispatch, nowMs: number): string {
  const { seq, record } = decision;
  const { action, recipient } = record;
  const parts = [
    [
      `${colours.bold(record.dispatchId)}   ${inDecisionColour(record.kind)}`,
      `record ${record.ordinal} of ${record.tenantId} (DECISIONS/${seq}), ${timeOf(record.decidedAtMs)} UTC, because ${TRIGGERS[record.trigger]}`,
      `campaign ${action.campaign} step ${action.step}, mailbox ${action.mailbox}, list ${action.importSource}\nrecipient ${shortDigest(action.recipientKey)}: ${recipient.suppression === 'clear' ? 'not suppressed' : recipient.suppression}, ${recipient.touches === 0 ? 'not written to yet' : `written to ${recipient.touches} times`}, conversation ${recipient.conversation}`,
    ].join('\n'),
    gatesOf(record),
    answersOf(record),
    ...constraintsOf(record),
    ...releaseOf(record, nowMs),
    ...attemptsOf(attempts),
    restsOn(record),
  ];
  if (outcome) {
    const { state, reason, sender, atMs } = outcome;
    parts.push(`outcome      ${state}${reason ? `, ${reason}` : ''}, by ${sender}, ${timeOf(atMs)} UTC`);
  } else if (dispatches(record.kind)) {
    const until = record.validUntilMs;
    const rest =
      until !== null && until > nowMs
        ? `a sender may act for ${durationOf(until - nowMs)} more`
        : 'its time is over';
    parts.push(`outcome      none yet; ${rest}`);
  }
  return parts.join('\n\n');
}

function gatesOf({ gates, decidingGate, decidingBlocker, decidingOutcome, kind }: DecisionRecorded): string {
  const rows = gates.map(({ gate, blocker, outcome, decision, because, faulted }) => {
    const deciding = gate === decidingGate && kind !== 'APPROVE';
    const reasons = because
      .filter(({ verdict, reason }) => decision !== 'APPROVE' || verdict !== 'pass' || reason !== 'ok')
      .map(
        ({ layer, source, fact, verdict, reason }) =>
          `${verdictSign(verdict)} ${layer}/${source} ${fact} ${reason}`,
      );
    return [
      deciding ? colours.bold('▶') : '',
      String(gate),
      deciding ? colours.bold(blocker) : blocker,
      outcome,
      inDecisionColour(decision),
      `${reasons.join('\n')}${faulted ? ' (asking it failed)' : ''}`,
    ];
  });
  const table = tableOf(['', '#', 'GATE', 'OUTCOME', 'ASKS FOR', 'BECAUSE'], rows);
  // An end that a person or the clock set is none of the gates' own outcomes.
  const ruled = gates[decidingGate - 1]?.outcome !== decidingOutcome;
  const ending = ruled
    ? `\n▶ ended as ${decidingBlocker} / ${decidingOutcome}: ${meaning(decidingOutcome)}`
    : '';
  return `ten gates, hardest first; the hardest outcome decides\n${table}${ending}`;
}

function meaning(code: string): string {
  return (REASON_SENTENCES as Readonly<Record<string, { means: string }>>)[code]?.means ?? code;
}

function answersOf({ rationale }: DecisionRecorded): string {
  const rows = RATIONALE_QUESTIONS.map((question) => {
    const answer = rationale.find((one) => one.question === question);
    const code = answer?.code ?? '-';
    const supports = supportsDispatch(question, code);
    return [
      question,
      `${verdictSign(supports ? 'pass' : 'fail')} ${code}`,
      answer?.evidence.join(', ') || '-',
    ];
  });
  return `eight answers\n${tableOf(['QUESTION', 'ANSWER', 'EVIDENCE'], rows)}`;
}

function constraintsOf({ constraints, constraintsDigest, kind }: DecisionRecorded): string[] {
  if (!constraints || !constraintsDigest || !dispatches(kind)) return [];
  const set = Object.entries(constraints as Constraints).map(([name, value]) => [
    name,
    constraintText(value),
  ]);
  if (set.length === 0) return [];
  return [
    `constraints that the sender has to honour and to name (${shortDigest(constraintsDigest)})\n${tableOf(['CONSTRAINT', 'VALUE'], set)}`,
  ];
}

const constraintText = (value: unknown): string =>
  Array.isArray(value) ? value.join(', ') : typeof value === 'object' ? JSON.stringify(value) : String(value);

function releaseOf(record: DecisionRecorded, nowMs: number): string[] {
  const { unblock, lane, earliestReleaseMs, expiresAtMs, kind } = record;
  if (dispatches(kind)) return [];
  if (kind === 'BLOCK') return ['a block is final: this dispatch is never sent'];
  const rows = unblock.map(({ gate, layer, source, fact, reason, owner }) => [
    String(gate),
    `${layer}/${source} ${fact}`,
    reason,
    owner,
    remedyOf(reason),
  ]);
  const earliest =
    earliestReleaseMs === null
      ? 'when one of these changes'
      : `${clockOf(earliestReleaseMs)} UTC${earliestReleaseMs > nowMs ? ` (in ${durationOf(earliestReleaseMs - nowMs)})` : ''}, or when one of these changes`;
  const expires = expiresAtMs === null ? '' : `; given up at ${timeOf(expiresAtMs)} UTC`;
  return [
    `what must change before it is decided again\n${tableOf(['GATE', 'FACT', 'REASON', 'OWNER', 'WHAT TO DO'], rows)}`,
    `earliest     ${earliest}${expires}\nlane         ${lane ?? '-'}`,
  ];
}

function remedyOf(reason: keyof typeof REASON_SENTENCES): string {
  const { means, remedy } = REASON_SENTENCES[reason];
  return remedy ? `${means}; ${remedy}` : means;
}

function attemptsOf(attempts: DecidedDispatch['attempts']): string[] {
  if (attempts.length < 2) return [];
  const rows = attempts.map(({ record }) => [
    String(record.attempt),
    timeOf(record.decidedAtMs),
    inDecisionColour(record.kind),
    TRIGGERS[record.trigger],
  ]);
  return [`decided ${attempts.length} times\n${tableOf(['#', 'TIME (UTC)', 'DECISION', 'BECAUSE'], rows)}`];
}

function restsOn({
  truth,
  fresh,
  mode,
  policyDigest,
  approvalId,
  review,
  budgetIds,
}: DecisionRecorded): string {
  const cited = truth
    ? `TRUTH/${truth.seq}, epoch ${truth.epoch}, fingerprint ${shortDigest(truth.fingerprint)}${fresh ? '' : ', stale'}`
    : 'no truth';
  return [
    `rests on     ${cited}; policy ${shortDigest(policyDigest)}`,
    `mode         ${mode ? `${mode.resolved}${mode.risks.length > 0 ? ` (risks: ${mode.risks.map(({ risk }) => risk).join(', ')})` : ''}` : '-'}`,
    ...(approvalId ? [`approval     ${approvalId}`] : []),
    ...(review ? [`review       due by ${timeOf(review.dueByMs)} UTC`] : []),
    ...(budgetIds.length > 0 ? [`budget       ${budgetIds.join(', ')}`] : []),
  ].join('\n');
}
