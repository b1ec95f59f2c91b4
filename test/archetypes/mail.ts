import type { FactValue, Policy } from '@orchestrate/canon';
import type { Observation } from '@orchestrate/layer-machines';
import type { Agenda } from './agenda.ts';
import type { Archetype, Incident } from './archetype.ts';
import { dayOf, HOUR_MS, timeOn } from './calendar.ts';
import { MailboxCounters } from './mailbox-counters.ts';
import { seededRandom } from './random.ts';

const SEED = 20_260_302;
/** An unknown address says so after so long; what is not back by the next morning was delivered. */
const BOUNCED_AFTER_MS = 6 * HOUR_MS;
const MORNING = 6;
const COMPLAINED_AFTER_MS = 7 * HOUR_MS;
const PAST_DAYS = 30;

type Fate = 'delivered' | 'bounced' | 'complained' | 'lost';

/** What the mailbox sends, what becomes of it, and what is told of it: every change, and nothing twice. */
export class Mail {
  readonly #archetype: Archetype;
  readonly #agenda: Agenda;
  readonly #report: (told: readonly Observation[]) => void;
  readonly #counters: MailboxCounters;
  readonly #feedbackAgeMs: number;
  readonly #told = new Map<string, FactValue>();
  readonly #random = seededRandom(SEED);
  /** How much of an incident is used up, by its place in the list and what it does. */
  readonly #struck = new Map<string, number>();
  /** Sent and not back yet. */
  #awaited = 0;

  constructor(
    archetype: Archetype,
    policy: Policy,
    agenda: Agenda,
    report: (told: readonly Observation[]) => void,
  ) {
    this.#archetype = archetype;
    this.#agenda = agenda;
    this.#report = report;
    this.#counters = new MailboxCounters(policy);
    this.#feedbackAgeMs = policy.maxAgeSec.feedbackLoop * 1000;
  }

  begin(): void {
    const { past } = this.#archetype;
    if (past) {
      const lastDay = -(past.pausedDays ?? 0);
      for (let day = 1 - PAST_DAYS; day <= lastDay; day++) {
        this.#counters.count('sent', day, past.perDay);
        this.#counters.count('delivered', day, past.perDay);
      }
    }
    this.#agenda.every(this.#feedbackAgeMs / 2, () => this.#tellFeedback());
    this.#tellOwn();
    this.#roll(dayOf(this.#agenda.nowMs) + 1);
  }

  /** Sends to one person; whoever sends knows at once whether it knows. */
  send(): 'sent' | 'unknown' {
    const nowMs = this.#agenda.nowMs;
    this.#counters.count('sent', dayOf(nowMs));
    const fate = this.#fateOn(dayOf(nowMs));
    if (fate === 'lost') {
      this.#counters.count('unresolved', dayOf(nowMs));
      this.#tellOwn();
      return 'unknown';
    }
    this.#tellOwn();
    if (fate === 'bounced') this.#later(BOUNCED_AFTER_MS, 'hardBounces');
    else this.#awaited++;
    if (fate === 'complained') this.#later(COMPLAINED_AFTER_MS, 'complaints');
    return 'sent';
  }

  #later(afterMs: number, what: 'hardBounces' | 'complaints'): void {
    this.#agenda.at(this.#agenda.nowMs + afterMs, () => {
      this.#counters.count(what, dayOf(this.#agenda.nowMs));
      this.#tellOwn();
      if (what === 'complaints') this.#tellFeedback();
    });
  }

  #fateOn(day: number): Fate {
    const incident = this.#archetype.incidents?.find((one) => one.day === day);
    if (incident) {
      if (this.#strikes(incident, 'unknownOutcomes')) return 'lost';
      if (this.#strikes(incident, 'complaints')) return 'complained';
      if (this.#strikes(incident, 'bounces')) return 'bounced';
    }
    return this.#random() < (this.#archetype.bounceShare ?? 0) ? 'bounced' : 'delivered';
  }

  #strikes(incident: Incident, what: 'bounces' | 'complaints' | 'unknownOutcomes'): boolean {
    const key = `${incident.day} ${what}`;
    const struck = this.#struck.get(key) ?? 0;
    if (struck >= (incident[what] ?? 0)) return false;
    this.#struck.set(key, struck + 1);
    return true;
  }

  /** At midnight the day's count begins anew, and a day falls out of the windows; in the morning the night is over. */
  #roll(day: number): void {
    this.#agenda.at(timeOn(day, 0), () => {
      this.#tellOwn();
      this.#tellFeedback();
    });
    this.#agenda.at(timeOn(day, MORNING), () => {
      this.#counters.count('delivered', day, this.#awaited);
      this.#awaited = 0;
      this.#tellOwn();
      this.#roll(day + 1);
    });
  }

  #tellOwn(): void {
    const facts = Object.entries(this.#counters.ownFacts(dayOf(this.#agenda.nowMs)));
    const { sendOnly } = this.#archetype;
    this.#tell(
      facts.filter(([fact, value]) => this.#told.get(fact) !== value),
      (fact) => sendOnly === true && fact.startsWith('hardBounces'),
    );
  }

  /** With an age of its own: told again also when nothing changed. */
  #tellFeedback(): void {
    if (this.#archetype.noFeedbackLoop || this.#archetype.sendOnly) return;
    this.#tell(Object.entries(this.#counters.feedbackFacts(dayOf(this.#agenda.nowMs))), () => false);
  }

  #tell(facts: readonly (readonly [string, FactValue])[], isHidden: (fact: string) => boolean): void {
    if (facts.length === 0) return;
    const observedAtMs = this.#agenda.nowMs;
    for (const [fact, value] of facts) this.#told.set(fact, value);
    this.#report(
      facts.map(([fact, value]) => ({
        fact,
        observedAtMs,
        outcome: isHidden(fact) ? { unknown: 'unobservable' } : { value },
      })),
    );
  }
}
