import { type DecisionRecorded, decisionRecorded } from '@orchestrate/contracts';
import { encode } from '@orchestrate/messaging';

/** Combinations of words that are remembered; a campaign has a handful. */
const REMEMBERED_MAX = 4_096;
/** Of the records whose words are known one in so many is checked all the same. */
const CHECKED_EVERY = 64;

/**
 * Bytes of decisions. A thousand decisions on one truth say the same in other numbers, and to check the words of each
 * against the contract costs more than to find them. So a combination of words is checked when it comes for the first
 * time, and after that only what can still differ: sequences, times and counts. Ids and the action were checked when
 * the request was read; digests are what SHA-256 gives.
 */
export class DecisionEncoder {
  readonly #known = new Set<string>();
  #unchecked = 0;

  /** Throws ContractViolation rather than let anything leave that its contract does not allow. */
  encode(record: DecisionRecorded): Uint8Array {
    const words = wordsOf(record);
    const isKnown = this.#known.has(words) && areNumbersSound(record);
    if (isKnown && ++this.#unchecked % CHECKED_EVERY !== 0) return Buffer.from(JSON.stringify(record));
    const data = encode(decisionRecorded, record);
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    this.#known.add(words);
    return data;
  }
}

/** Everything of a record that is neither a number nor a digest nor an id of the request. */
function wordsOf(record: DecisionRecorded): string {
  const {
    id: _id,
    causedBy: _causedBy,
    ordinal: _ordinal,
    prevSeq: _prevSeq,
    prevHash: _prevHash,
    dispatchId: _dispatchId,
    requestSeq: _requestSeq,
    requestedAtMs: _requestedAtMs,
    attempt: _attempt,
    decidedAtMs: _decidedAtMs,
    action: _action,
    actionDigest: _actionDigest,
    recipient,
    reservation,
    reserved,
    truth,
    constraintsDigest,
    review,
    approvalId,
    earliestReleaseMs,
    expiresAtMs,
    notBeforeMs,
    validUntilMs,
    ...words
  } = record;
  return JSON.stringify([
    words,
    [recipient.suppression, recipient.conversation, recipient.duplicate, recipient.unresolvedOutcome],
    [reservation.slot, reservation.budget, reservation.budgetIds, reserved?.mailbox],
    [truth, constraintsDigest, review, approvalId, earliestReleaseMs, expiresAtMs].map((one) => one === null),
    [reserved, notBeforeMs, validUntilMs].map((one) => one === null),
  ]);
}

const isCount = (value: number | null | undefined): boolean =>
  value === null || value === undefined || (Number.isSafeInteger(value) && value >= 0);
const isShare = (value: number): boolean => value >= 0 && value <= 1;

function areNumbersSound(record: DecisionRecorded): boolean {
  const { recipient, reservation, reserved, truth, review } = record;
  const { headroom } = reservation;
  return (
    record.ordinal >= 1 &&
    record.attempt >= 1 &&
    isShare(headroom.own) &&
    isShare(headroom.best) &&
    [
      record.ordinal,
      record.prevSeq,
      record.requestSeq,
      record.requestedAtMs,
      record.attempt,
      record.decidedAtMs,
      recipient.touches,
      recipient.lastTouchAtMs,
      reservation.nextSlotAtMs,
      reservation.usedToday,
      headroom.mailboxes,
      reserved?.ordinal,
      truth?.seq,
      truth?.epoch,
      review?.dueByMs,
      record.earliestReleaseMs,
      record.expiresAtMs,
      record.notBeforeMs,
      record.validUntilMs,
    ].every(isCount)
  );
}
