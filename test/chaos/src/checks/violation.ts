/** What can be wrong with a store, beside what was sent to it. */
export const VIOLATION_KINDS = [
  /** Acknowledged, and not in its stream. */
  'lost',
  /** Stored twice. */
  'doubled',
  /** Stored, and never sent. */
  'unexpected',
  /** Nothing came of it. */
  'no_effect',
  /** More came of it than one thing may. */
  'two_effects',
  /** One dispatch was let out twice. */
  'two_releases',
  /** A record does not follow the one before it. */
  'broken_link',
  /** Something that only grows became less, or came in another order than it was sent. */
  'went_back',
  /** A fingerprint is not that of what it stands for. */
  'wrong_fingerprint',
  /** A newest state is not that of its newest inputs. */
  'not_reflected',
  /** More was reserved than the cap of a mailbox, or a slot twice. */
  'overspent',
  /** Nobody can understand it, and nobody rejected it. */
  'not_rejected',
  /** It was in order, and somebody rejected it. */
  'rejected',
  /** Inputs wait although nothing disturbs any more. */
  'not_settled',
] as const;
export type ViolationKind = (typeof VIOLATION_KINDS)[number];

export interface Violation {
  readonly kind: ViolationKind;
  /** The message, subject or dispatch that it is about. */
  readonly where: string;
  readonly told: string;
}

export const violation = (kind: ViolationKind, where: string, told: string): Violation => ({
  kind,
  where,
  told,
});
