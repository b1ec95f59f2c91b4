import { randomUUID } from 'node:crypto';
import { digestOf } from '@orchestrate/canon';
import { type DecisionRecorded, type DispatchRequested, VERSION } from '@orchestrate/contracts';
import type { Archetype } from './archetype.ts';
import { dayOf, MINUTE_MS, timeOn } from './calendar.ts';
import type { Desk } from './desk.ts';
import { stepOf } from './services.ts';
import { CAMPAIGN, DOMAIN, IMPORT, MAILBOX, TEMPLATES } from './tenant.ts';

const ASK_EVERY_MS = 5 * MINUTE_MS;
/** A first message of which only the follow-up is left was sent so many days before it. */
const FIRST_MESSAGE_DAYS = 5;

export interface Ask {
  readonly atMs: number;
  readonly ask: () => void;
}

/**
 * Asks in the morning for as many new people as the tenant wants to write to that day, but for those who still wait
 * and will wait on: a campaign does not pile up what it may not send.
 */
export class Campaign {
  readonly #archetype: Archetype;
  readonly #desk: Desk;
  #people = 0;
  /** Recipients of the first message, by the day on which it was released. */
  readonly #written = new Map<number, string[]>();
  /** Held dispatches that miss nothing but a person's approval, as far as gates can say. */
  readonly #unapproved = new Set<string>();

  constructor(archetype: Archetype, desk: Desk) {
    this.#archetype = archetype;
    this.#desk = desk;
  }

  asksOf(day: number): readonly Ask[] {
    const { wants, followUpsOnly, followUpAfterDays } = this.#archetype;
    const tomorrowMs = timeOn(day + 1, 0);
    const waiting = [...this.#desk.ledger.holds.values()].filter(
      ({ action, expiresAtMs }) => expiresAtMs >= tomorrowMs && (followUpsOnly || action.step === 1),
    );
    const first = followUpsOnly ? 2 : 1;
    const asks = Array.from({ length: Math.max(0, wants(day) - waiting.length) }, () => {
      const recipientKey = this.#newPerson();
      if (followUpsOnly) this.#wroteBefore(recipientKey, timeOn(day - FIRST_MESSAGE_DAYS, 10));
      return () => this.#ask(recipientKey, first);
    });
    const due = followUpAfterDays === undefined ? [] : (this.#written.get(day - followUpAfterDays) ?? []);
    const followUps = due.map((recipientKey) => () => this.#ask(recipientKey, 2));
    return [...asks, ...followUps].map((ask, index) => ({
      atMs: timeOn(day, 9) + (index + 1) * ASK_EVERY_MS,
      ask,
    }));
  }

  decided({ dispatchId, decidingOutcome, action, reserved, decidedAtMs }: DecisionRecorded): void {
    if (decidingOutcome === 'unapproved') this.#unapproved.add(dispatchId);
    else this.#unapproved.delete(dispatchId);
    if (!reserved || action.step > 1) return;
    this.#written.getOrInsertComputed(dayOf(decidedAtMs), () => []).push(action.recipientKey);
  }

  unapproved(): readonly string[] {
    return [...this.#unapproved];
  }

  #ask(recipientKey: string, step: number): void {
    const action: DispatchRequested['action'] = {
      campaign: CAMPAIGN,
      step,
      mailbox: MAILBOX,
      domain: DOMAIN,
      importSource: IMPORT,
      recipientKey,
      recipientVerified: true,
      prospect: 'icp_rule_match',
      conversation: 'none',
      templateDigest: TEMPLATES[step - 1]!,
    };
    this.#desk.request(`d-${step}-${recipientKey.slice(0, 16)}`, action);
  }

  #newPerson(): string {
    return digestOf(`${this.#archetype.id} ${++this.#people}`);
  }

  /** The chain of the first message is older than the simulation: the ledger is restored with what it left. */
  #wroteBefore(recipientKey: string, lastAtMs: number): void {
    const steps = [stepOf({ campaign: CAMPAIGN, step: 1 })];
    const touch = { count: 1, lastAtMs, mailbox: MAILBOX, steps, open: [], unresolved: [] };
    const { ledger } = this.#desk;
    ledger.restoreTouches(ledger.bucketOf(recipientKey), {
      v: VERSION,
      id: randomUUID(),
      tenantId: ledger.tenantId,
      causedBy: null,
      chainSeq: 0,
      touches: { [recipientKey]: touch },
    });
  }
}
