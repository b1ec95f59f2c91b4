import type { Reason } from '../condition.ts';
import type { Constraints, Policy } from '../policy.ts';
import type { RationaleAnswer } from '../rationale.ts';
import type { ReadFact, TruthReading } from '../truth-reading.ts';
import type {
  CanonicalBlockerLayer,
  CheckVerdict,
  ConversationState,
  DispatchBlocker,
  DispatchDecision,
  FreezeCause,
  Owner,
  RationaleCode,
} from '../words.ts';

/** Who is to be written to, from where, for what: the sources that the request names, all of them ids. */
export interface DispatchAction {
  readonly dispatchId: string;
  readonly mailbox: string;
  readonly domain: string;
  readonly campaign: string;
  readonly importSource: string;
  /** First message of a sequence is step 1. */
  readonly step: number;
  readonly recipientVerified: boolean;
  readonly prospect: RationaleCode<'whyProspect'>;
  /** Whether the tenant's configuration binds these together: campaign and mailbox, step and template. */
  readonly bound: boolean;
  /** SHA-256 of the exact action; an approval is bound to it. */
  readonly actionDigest: string;
}

/** What the ledger and the suppression list know of this recipient. */
export interface RecipientStanding {
  readonly suppression: 'clear' | 'suppressed' | 'unknown';
  readonly conversation: ConversationState;
  readonly touches: number;
  readonly lastTouchAtMs: number | null;
  /** The mailbox of the last touch, if there was one. */
  readonly lastMailbox: string | null;
  /** The same campaign and step was already released to this recipient. */
  readonly duplicate: boolean;
  readonly unresolvedOutcome: boolean;
}

/** What governance could reserve for this send, read from the tenant's chain. */
export interface Reservation {
  readonly slot: 'free' | 'cap_reached' | 'gap';
  /** When the next slot opens, if one is known. */
  readonly nextSlotAtMs: number | null;
  readonly usedToday: number;
  readonly budget: 'available' | 'spent';
  readonly budgetIds: readonly string[];
  /** Share of today's cap that is left, 0 to 1: here, and at the best mailbox of the campaign. */
  readonly headroom: { readonly own: number; readonly best: number; readonly mailboxes: number };
}

export interface Approval {
  readonly approvalId: string;
  readonly actionDigest: string;
  readonly expiresAtMs: number;
}

/** All that a decision may look at. Nothing else exists for a gate. */
export interface DispatchCase {
  readonly nowMs: number;
  readonly policy: Policy;
  readonly reading: TruthReading;
  readonly action: DispatchAction;
  readonly recipient: RecipientStanding;
  readonly reservation: Reservation;
  readonly approval: Approval | null;
  /** Freezes that are on record in the tenant's chain and not lifted there, whether or not the truth knows of them. */
  readonly freezes: readonly FreezeCause[];
}

/** One fact that a gate's outcome rests on. */
export interface Because {
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  readonly fact: string;
  readonly verdict: CheckVerdict;
  readonly reason: Reason | RequestReason;
  readonly owner: Owner;
}

/** Reasons that lie in the request, the ledger or the canon's own rules rather than in a layer's fact. */
export const REQUEST_REASONS = [
  'recipient_suppressed',
  'suppression_unknown',
  'touched_before',
  'replied',
  'out_of_office',
  'touched_by_colleague',
  'conversation_unknown',
  'outcome_unresolved',
  'slot_taken',
  'gap_not_over',
  'budget_spent',
  'rationale_unsupported',
  'approval_missing',
  'approval_expired',
  'approval_mismatch',
  'draft_only',
  'constraint_unsatisfiable',
  'gate_faulted',
  'identity_mismatch',
  'source_disabled',
  'hold_expired',
  'rejected_by_operator',
  'tenant_offboarded',
] as const;
export type RequestReason = (typeof REQUEST_REASONS)[number];

export interface GateOutcome<N extends string = string> {
  readonly name: N;
  readonly decision: DispatchDecision;
}

export interface GateAnswer<N extends string = string> {
  readonly outcome: N;
  readonly because: readonly Because[];
  readonly constraints?: Constraints;
  /** Earliest moment at which time alone may change the outcome. */
  readonly releaseAtMs?: number | null;
  /** The answers that the outcome rests on, where the gate asked for them. */
  readonly rationale?: readonly RationaleAnswer[];
}

/** One blocker with its closed list of outcomes, mild to hard. */
export interface Gate<N extends string = string> {
  readonly blocker: DispatchBlocker;
  readonly outcomes: readonly GateOutcome<N>[];
  /** What the gate answers when asking it throws. */
  readonly faulted: N;
  readonly ask: (input: DispatchCase) => GateAnswer<N>;
}

export function defineGate<const N extends string>(gate: Gate<N>): Gate {
  return gate as unknown as Gate;
}

export function because(fact: ReadFact): Because {
  const { layer, source, verdict, reason, owner } = fact;
  return { layer, source, fact: fact.fact, verdict, reason, owner };
}

export function becauseRequest(
  layer: CanonicalBlockerLayer,
  source: string,
  fact: string,
  reason: RequestReason,
  owner: Owner,
  verdict: CheckVerdict = 'fail',
): Because {
  return { layer, source, fact, verdict, reason, owner };
}

/** Of a gate that has both: a truth that nobody refreshed says nothing about what this fact is like. */
export function unknownOrStale(fact: ReadFact): 'unknown' | 'stale' {
  return fact.reason === 'truth_stale' ? 'stale' : 'unknown';
}

/** Of what applies the rightmost outcome of the gate's own list wins, with the facts that made it so. */
export class Findings<N extends string> {
  readonly #order: readonly N[];
  #rank = -1;
  #because: Because[] = [];

  constructor(order: readonly N[]) {
    this.#order = order;
  }

  add(outcome: N, ...reasons: Because[]): this {
    const rank = this.#order.indexOf(outcome);
    if (rank > this.#rank) {
      this.#rank = rank;
      this.#because = reasons;
    } else if (rank === this.#rank) this.#because.push(...reasons);
    return this;
  }

  worst(): { outcome: N; because: readonly Because[] } {
    return { outcome: this.#order[Math.max(0, this.#rank)]!, because: this.#because };
  }
}
