import { digestOf, digestOfBytes, dispatches, type FreezeCause } from '@orchestrate/canon';
import {
  type ChainRecord,
  type DecisionRecorded,
  GENESIS_HASH,
  type InterventionRecorded,
  type LedgerSaved,
  type OpenHold,
  type OutcomeRecorded,
  type Touch,
  type TouchesSaved,
} from '@orchestrate/contracts';

/** UTC day of a time, as YYYY-MM-DD: caps are counted by it. */
export function utcDayOf(atMs: number): string {
  const day = Math.floor(atMs / DAY_MS);
  if (day !== lastDay.day) lastDay = { day, name: new Date(atMs).toISOString().slice(0, 10) };
  return lastDay.name;
}

const DAY_MS = 86_400_000;
/** Nearly always it is the same day again. */
let lastDay = { day: Number.NaN, name: '' };

const NO_TOUCH: Touch = { count: 0, lastAtMs: 0, mailbox: '', steps: [], open: [], unresolved: [] };

type Saved = Pick<
  LedgerSaved,
  'chainSeq' | 'chainHash' | 'ordinal' | 'lastRequestSeq' | 'lastCommandSeq' | 'lastOutcomeSeq'
>;

/**
 * Everything that a tenant's chain of records implies: slots taken, budgets spent, approvals given, recipients
 * touched, holds open, freezes in force. It changes only by a record that is durable, in chain order; so whoever lost the race for
 * a record has spent nothing.
 */
export class TenantLedger {
  readonly tenantId: string;
  chain: Saved = {
    chainSeq: 0,
    chainHash: GENESIS_HASH,
    ordinal: 0,
    lastRequestSeq: 0,
    lastCommandSeq: 0,
    lastOutcomeSeq: 0,
  };
  readonly mailboxes = new Map<string, LedgerSaved['mailboxes'][string]>();
  readonly domains = new Map<string, LedgerSaved['domains'][string]>();
  readonly approvals = new Map<string, LedgerSaved['approvals'][string]>();
  readonly freezes = new Set<FreezeCause>();
  /** The record that the tenant leaves is in the chain. */
  #offboarded = false;
  #left = false;
  readonly touches = new Map<string, Touch>();
  readonly holds = new Map<string, OpenHold>();
  /** Saved touches may be ahead of the saved state: records up to here are in them already, by bucket. */
  readonly #touchedUpTo = new Map<string, number>();
  /** Digits of a recipient's key that name its bucket. */
  #digits = 0;
  /** Dispatch to recipient, for releases whose outcome is awaited. */
  readonly #awaited = new Map<string, string>();
  /** What changed since it was last saved. */
  readonly dirty = { state: false, buckets: new Set<string>(), holds: new Set<string>() };

  constructor(tenantId: string) {
    this.tenantId = tenantId;
  }

  restoreState(saved: LedgerSaved): void {
    const { chainSeq, chainHash, ordinal, lastRequestSeq, lastCommandSeq, lastOutcomeSeq } = saved;
    this.chain = { chainSeq, chainHash, ordinal, lastRequestSeq, lastCommandSeq, lastOutcomeSeq };
    for (const [mailbox, day] of Object.entries(saved.mailboxes)) this.mailboxes.set(mailbox, day);
    for (const [domain, day] of Object.entries(saved.domains)) this.domains.set(domain, day);
    for (const [dispatchId, approval] of Object.entries(saved.approvals))
      this.approvals.set(dispatchId, approval);
    for (const cause of saved.freezes) this.freezes.add(cause);
    this.#offboarded = saved.offboarded;
    if (!saved.awaited) return;
    // Whatever else was saved of its recipients and holds is older than this.
    this.#left = true;
    this.#touchedUpTo.clear();
    this.touches.clear();
    this.#awaited.clear();
    this.holds.clear();
    this.#restoreTouches(saved.awaited);
  }

  restoreHold(hold: OpenHold): void {
    if (!this.#left) this.holds.set(hold.dispatchId, hold);
  }

  /** From any of the buckets that a recipient was ever saved in: the one that is folded furthest counts. */
  restoreTouches(bucket: string, saved: TouchesSaved): void {
    if (this.#left) return;
    const newest = Object.entries(saved.touches).filter(
      ([recipientKey]) => saved.chainSeq >= this.#savedUpTo(recipientKey),
    );
    this.#touchedUpTo.set(bucket, saved.chainSeq);
    this.#restoreTouches(Object.fromEntries(newest));
  }

  #restoreTouches(touches: TouchesSaved['touches']): void {
    for (const [recipientKey, touch] of Object.entries(touches)) {
      for (const release of this.touchOf(recipientKey).open) this.#awaited.delete(release.dispatchId);
      this.touches.set(recipientKey, touch);
      for (const release of touch.open) this.#awaited.set(release.dispatchId, recipientKey);
    }
    this.#digits = Math.max(this.#digits, digitsFor(this.touches.size));
  }

  /** Nothing of the tenant is released any more. */
  get isOffboarded(): boolean {
    return this.#offboarded || this.#left;
  }

  /** The tenant is gone, not only going. */
  get hasLeft(): boolean {
    return this.#left;
  }

  /** It left and nothing of it is open: nobody is remembered but who was written to without an outcome yet. */
  get isForgotten(): boolean {
    return this.#left && this.holds.size === 0;
  }

  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#forgetSettled();
    this.dirty.state = true;
  }

  #forgetSettled(): void {
    for (const [recipientKey, touch] of this.touches) {
      if (touch.open.length === 0) this.touches.delete(recipientKey);
    }
  }

  touchOf(recipientKey: string): Touch {
    return this.touches.get(recipientKey) ?? NO_TOUCH;
  }

  /** A release of this dispatch whose outcome has not arrived. */
  awaited(dispatchId: string): { recipientKey: string; release: Touch['open'][number] } | undefined {
    const recipientKey = this.#awaited.get(dispatchId);
    if (recipientKey === undefined) return undefined;
    const release = this.touchOf(recipientKey).open.find((one) => one.dispatchId === dispatchId);
    return release ? { recipientKey, release } : undefined;
  }

  usedOn(mailbox: string, day: string): number {
    const known = this.mailboxes.get(mailbox);
    return known?.day === day ? known.used : 0;
  }

  exploredOn(domain: string, day: string): number {
    const known = this.domains.get(domain);
    return known?.day === day ? known.explored : 0;
  }

  /** Folds one durable record; a record at or below the chain's head was folded before. */
  apply(record: ChainRecord, seq: number, bytes: Uint8Array): void {
    if (seq <= this.chain.chainSeq) return;
    this.chain = {
      ...this.chain,
      chainSeq: seq,
      chainHash: digestOfBytes(bytes),
      ordinal: record.ordinal,
    };
    this.dirty.state = true;
    switch (record.kind) {
      case 'OUTCOME':
        this.chain = {
          ...this.chain,
          lastOutcomeSeq: Math.max(this.chain.lastOutcomeSeq, record.outcomeSeq),
        };
        this.#applyOutcome(record, seq);
        if (this.#left) this.#forgetSettled();
        break;
      case 'INTERVENTION':
        this.chain = {
          ...this.chain,
          lastCommandSeq: Math.max(this.chain.lastCommandSeq, record.commandSeq),
        };
        this.#applyIntervention(record);
        break;
      case 'APPROVAL': {
        const { approvalId, actionDigest, expiresAtMs } = record;
        this.chain = {
          ...this.chain,
          lastCommandSeq: Math.max(this.chain.lastCommandSeq, record.commandSeq),
        };
        this.approvals.set(record.dispatchId, { approvalId, actionDigest, expiresAtMs });
        break;
      }
      default:
        this.chain = {
          ...this.chain,
          lastRequestSeq: Math.max(this.chain.lastRequestSeq, record.requestSeq),
        };
        this.#applyDecision(record, seq);
    }
  }

  /** A record that does not say whom it was for names no cause: the truth alone tells of it. */
  #applyIntervention({ command, scope }: InterventionRecorded): void {
    if (command === 'offboard') this.#offboarded = true;
    if (scope === null) return;
    const cause: FreezeCause = scope === 'all' ? 'freeze_all' : 'freeze';
    if (command === 'freeze') this.freezes.add(cause);
    if (command === 'unfreeze') this.freezes.delete(cause);
  }

  #applyDecision(record: DecisionRecorded, seq: number): void {
    const { dispatchId } = record;
    if (record.kind === 'BLOCK' || dispatches(record.kind)) {
      // Most dispatches never were a hold, and a subject for each would cost the server memory for ever.
      if (this.holds.delete(dispatchId)) this.dirty.holds.add(dispatchId);
      this.approvals.delete(dispatchId);
    } else {
      this.holds.set(dispatchId, holdOf(record, seq));
      this.dirty.holds.add(dispatchId);
    }
    if (record.reserved) this.#applyReservation(record, record.reserved, seq);
  }

  #applyReservation(
    record: DecisionRecorded,
    { mailbox, day }: { mailbox: string; day: string },
    seq: number,
  ): void {
    const { action, dispatchId, constraintsDigest } = record;
    this.mailboxes.set(mailbox, {
      day,
      used: this.usedOn(mailbox, day) + 1,
      lastNotBeforeMs: record.notBeforeMs ?? record.decidedAtMs,
    });
    if (record.budgetIds.length > 0) {
      this.domains.set(action.domain, { day, explored: this.exploredOn(action.domain, day) + 1 });
    }
    if (this.#isTouched(action.recipientKey, seq)) return;
    const touch = this.touchOf(action.recipientKey);
    const step = stepOf(action);
    this.#setTouch(action.recipientKey, {
      ...touch,
      count: touch.count + 1,
      lastAtMs: record.decidedAtMs,
      mailbox,
      steps: [...touch.steps, step],
      open: [...touch.open, { dispatchId, seq, step, constraintsDigest }],
    });
    this.#awaited.set(dispatchId, action.recipientKey);
  }

  #applyOutcome(record: OutcomeRecorded, seq: number): void {
    if (this.#isTouched(record.recipientKey, seq)) return;
    const awaited = this.awaited(record.dispatchId);
    if (!awaited) return;
    const { recipientKey, release } = awaited;
    const touch = this.touchOf(recipientKey);
    const open = touch.open.filter((one) => one !== release);
    this.#awaited.delete(record.dispatchId);
    if (record.state === 'sent') this.#setTouch(recipientKey, { ...touch, open });
    else if (record.state === 'unknown') {
      this.#setTouch(recipientKey, { ...touch, open, unresolved: [...touch.unresolved, record.dispatchId] });
    } else {
      // Nobody was written to: the step is still owed, the slot stays spent.
      const steps = [...touch.steps];
      steps.splice(steps.lastIndexOf(release.step), 1);
      this.#setTouch(recipientKey, { ...touch, count: touch.count - 1, steps, open });
    }
  }

  #isTouched(recipientKey: string, seq: number): boolean {
    return seq <= this.#savedUpTo(recipientKey);
  }

  /** Up to which record the saved touches of a recipient are folded, in whichever bucket they were saved. */
  #savedUpTo(recipientKey: string): number {
    let upTo = 0;
    for (let digits = 0; digits <= DIGITS_MAX; digits++) {
      upTo = Math.max(upTo, this.#touchedUpTo.get(bucketOf(recipientKey, digits)) ?? 0);
    }
    return upTo;
  }

  #setTouch(recipientKey: string, touch: Touch): void {
    this.touches.set(recipientKey, touch);
    const digits = Math.max(this.#digits, digitsFor(this.touches.size));
    if (digits === this.#digits) {
      this.dirty.buckets.add(this.bucketOf(recipientKey));
      return;
    }
    // Everybody moves at once: what stays behind in a larger bucket is older than what is in theirs.
    this.#digits = digits;
    this.dirty.buckets.clear();
    for (const key of this.touches.keys()) this.dirty.buckets.add(this.bucketOf(key));
  }

  /** The bucket that a recipient is saved in: the more recipients there are, the more buckets. */
  bucketOf(recipientKey: string): string {
    return bucketOf(recipientKey, this.#digits);
  }
}

export const stepOf = (action: { readonly campaign: string; readonly step: number }): string =>
  `${action.campaign}:${action.step}`;

/** All recipients in one, or those whose keys begin with these hex digits. */
const bucketOf = (recipientKey: string, digits: number): string =>
  digits === 0 ? 'all' : recipientKey.slice(0, digits);

const DIGITS_MAX = 2;
/** About so many recipients are saved together: each saving writes all of them, and each bucket costs a subject. */
const BUCKET_SIZE = 256;

/** 1, 16 or 256 buckets. */
function digitsFor(recipients: number): number {
  if (recipients <= BUCKET_SIZE) return 0;
  return recipients <= BUCKET_SIZE * 16 ? 1 : DIGITS_MAX;
}

/** Reasons that pass when the same answer arrives again. */
const STALE_REASONS = new Set<string>(['truth_stale', 'expired', 'suppression_unknown']);

export function holdOf(record: DecisionRecorded, seq: number): OpenHold {
  return {
    dispatchId: record.dispatchId,
    requestSeq: record.requestSeq,
    requestedBy: record.requestedBy,
    requestedAtMs: record.requestedAtMs,
    action: record.action,
    attempt: record.attempt,
    kind: record.kind,
    substance: substanceOf(record),
    layers: [...new Set(record.unblock.map((one) => one.layer))],
    stale: record.unblock.some((one) => STALE_REASONS.has(one.reason)),
    lane: record.lane,
    releaseAtMs: record.earliestReleaseMs,
    expiresAtMs: record.expiresAtMs ?? record.decidedAtMs,
    decisionSeq: seq,
  };
}

/** What makes a decision another one: its kind, its cause, and what would unblock it. */
export function substanceOf(
  decision: Pick<DecisionRecorded, 'kind' | 'decidingGate' | 'decidingOutcome' | 'unblock' | 'lane'>,
): string {
  const { kind, decidingGate, decidingOutcome, lane } = decision;
  const unblock = decision.unblock.map(({ gate, layer, source, fact, reason }) => [
    gate,
    layer,
    source,
    fact,
    reason,
  ]);
  return digestOf([kind, decidingGate, decidingOutcome, lane, unblock]);
}
