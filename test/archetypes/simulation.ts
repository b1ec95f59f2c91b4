import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dispatches, type FactValue, type Policy, policySchema } from '@orchestrate/canon';
import type { DecisionRecorded, TenantConfig } from '@orchestrate/contracts';
import type { Observation } from '@orchestrate/layer-machines';
import { Agenda } from './agenda.ts';
import type { Archetype } from './archetype.ts';
import { DAY_MS, DAYS, dayOf, MINUTE_MS, timeOn } from './calendar.ts';
import { Campaign } from './campaign.ts';
import { type Day, DayBook, type Decided } from './day-book.ts';
import { Desk } from './desk.ts';
import { Layers } from './layers.ts';
import { Mail } from './mail.ts';
import { PROBE_NAMES, PROBES, type ProbeName, type Seen } from './probes.ts';
import { continuityWindow } from './services.ts';
import { MAILBOX, tenantOf } from './tenant.ts';

export const POLICY: Policy = policySchema.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../../policies/default.json'), 'utf8')),
);

export interface Story {
  readonly archetype: Archetype;
  readonly days: readonly Day[];
  readonly decisions: readonly Decided[];
}

/** Follows one archetype for sixty days. */
export function simulate(archetype: Archetype, policy = POLICY): Story {
  return new Simulation(archetype, policy).run();
}

/** A person looks in every hour of the window, at this minute. */
const VISIT_MINUTE = 45;
/** Hours (UTC) of the tenant's window. */
const OPENS_AT = 9;
const CLOSES_AT = 17;

class Simulation {
  readonly #archetype: Archetype;
  readonly #policy: Policy;
  readonly #config: TenantConfig;
  readonly #agenda: Agenda;
  readonly #layers: Layers;
  readonly #desk: Desk;
  readonly #mail: Mail;
  readonly #campaign: Campaign;
  readonly #book = new DayBook();
  readonly #wakes = new Map<string, number>();
  #tickAtMs = Number.POSITIVE_INFINITY;

  constructor(archetype: Archetype, policy: Policy) {
    this.#archetype = archetype;
    this.#policy = policy;
    this.#config = tenantOf(archetype);
    // Declared and looked at on the day before.
    this.#agenda = new Agenda(timeOn(0, 12));
    const nowMs = () => this.#agenda.nowMs;
    this.#layers = new Layers(this.#config, policy);
    this.#desk = new Desk(this.#config, policy, {
      nowMs,
      truth: () => this.#layers.truth(nowMs()),
      isFresh: () => this.#isFresh(),
      wakeAt: (dispatchId, atMs) => this.#wakeAt(dispatchId, atMs),
      decided: (record) => this.#decided(record),
    });
    this.#mail = new Mail(archetype, policy, this.#agenda, (told) =>
      this.#tell(() => this.#layers.observe('pacing', MAILBOX, told, nowMs())),
    );
    this.#campaign = new Campaign(archetype, this.#desk);
  }

  run(): Story {
    const { frozenOnDay, outage } = this.#archetype;
    const nowMs = this.#agenda.nowMs;
    this.#layers.declare(nowMs);
    for (const name of PROBE_NAMES) {
      const periodMs = (this.#policy.maxAgeSec[PROBES[name].age] * 1000) / 2;
      this.#agenda.every(periodMs, () => this.#tell(() => this.#probe(name)));
    }
    this.#watchWindow();
    this.#mail.begin();
    this.#plan(1);
    if (frozenOnDay !== undefined) this.#agenda.at(timeOn(frozenOnDay, 0), () => this.#freeze());
    if (outage) this.#planOutage(outage);
    this.#agenda.runUntil(timeOn(DAYS + 1, 0), (run) => {
      // What time alone changes comes first: nothing looks at an answer that is too old by less than a moment.
      this.#layers.tick(this.#agenda.nowMs);
      run();
      this.#settle();
    });
    return { archetype: this.#archetype, days: this.#book.days, decisions: this.#book.all };
  }

  #plan(day: number): void {
    // A day ends with its window: what is held at night for the closed window alone says nothing of the tenant.
    this.#agenda.at(timeOn(day, CLOSES_AT) - MINUTE_MS, () =>
      this.#book.endDay(day, (dispatchId) => this.#desk.ledger.holds.has(dispatchId)),
    );
    this.#agenda.at(timeOn(day + 1, 0), () => this.#plan(day + 1));
    this.#agenda.at(timeOn(day, 12), () => this.#book.noon(this.#layers.truth(this.#agenda.nowMs).truth));
    if (!this.#windowAt(timeOn(day, 12)).open) return;
    for (let hour = OPENS_AT; hour < CLOSES_AT; hour++) {
      this.#agenda.at(timeOn(day, hour) + VISIT_MINUTE * MINUTE_MS, () => this.#visit());
    }
    this.#agenda.at(timeOn(day, OPENS_AT) - MINUTE_MS, () => {
      for (const { atMs, ask } of this.#campaign.asksOf(day)) this.#agenda.at(this.#patientUntil(atMs), ask);
    });
  }

  /** After everything that happened: whom a new truth concerns, and when time alone changes something next. */
  #settle(): void {
    const news = this.#layers.takeNews();
    if (news === 'moved' || (news && this.#desk.hasStale())) this.#desk.truthMoved();
    const dueMs = this.#layers.nextDeadlineMs();
    if (dueMs >= this.#tickAtMs) return;
    this.#tickAtMs = dueMs;
    this.#agenda.at(dueMs, () => {
      this.#tickAtMs = Number.POSITIVE_INFINITY;
    });
  }

  /** During an outage nobody tells anything; what was seen meanwhile is told when it is over. */
  #tell(tell: () => void): void {
    const { outage } = this.#archetype;
    if (outage && this.#isOut()) this.#agenda.at(outage.toMs, tell);
    else tell();
  }

  #probe(name: ProbeName): void {
    const nowMs = this.#agenda.nowMs;
    const day = dayOf(nowMs);
    const { layer, source, good } = PROBES[name];
    const { sees, past, sendOnly } = this.#archetype;
    const seen: Seen = {
      ...good(day),
      ...(name === 'scopes' && !past ? { senderAgeDays: day } : {}),
      ...(name === 'scopes' && sendOnly ? { canReadReplies: false, canSeeBounces: false } : {}),
      ...sees?.[name]?.(day),
    };
    this.#layers.observe(layer, source, observed(seen, nowMs), nowMs);
  }

  /** Told when it changes, as the continuity probe does. */
  #watchWindow(): void {
    const nowMs = this.#agenda.nowMs;
    const { open, windowReason, nextChangeAtMs, nextRunAtMs } = this.#windowAt(nowMs);
    const { cadenceSec } = this.#config.schedule;
    const seen = { 'window.open': open ?? null, windowReason, cadenceSec, nextRun: nextRunAtMs };
    this.#tell(() =>
      this.#layers.observe('continuity_window', 'main', observed(seen, nowMs), this.#agenda.nowMs),
    );
    const nextRunOverMs = nextRunAtMs === null ? Number.POSITIVE_INFINITY : nextRunAtMs + 1000;
    const againMs = Math.min(nextChangeAtMs ?? Number.POSITIVE_INFINITY, nextRunOverMs, nowMs + DAY_MS);
    this.#agenda.at(againMs, () => this.#watchWindow());
  }

  #windowAt(atMs: number) {
    const { quietHours: _none, ...schedule } = this.#config.schedule;
    return continuityWindow(schedule, atMs);
  }

  #freeze(): void {
    this.#desk.intervene('freeze');
    const nowMs = this.#agenda.nowMs;
    this.#layers.observe('governance', 'main', observed({ freeze: true }, nowMs), nowMs);
  }

  #visit(): void {
    const { approves, releases } = this.#archetype.person ?? {};
    if (releases) this.#release();
    if (approves) this.#approve();
  }

  #release(): void {
    const nowMs = this.#agenda.nowMs;
    for (const cause of Object.keys(this.#layers.source('pacing', MAILBOX).context.holds)) {
      this.#desk.intervene('release_layer', { layer: 'pacing', source: MAILBOX, cause });
      this.#layers.release('pacing', MAILBOX, cause, nowMs);
    }
  }

  #approve(): void {
    for (const dispatchId of this.#campaign.unapproved()) this.#desk.approve(dispatchId);
  }

  #planOutage({ fromMs, toMs }: NonNullable<Archetype['outage']>): void {
    const silentMs = fromMs + this.#policy.heartbeatMaxSec * 1000;
    this.#agenda.at(silentMs, () => this.#layers.windowHeartbeat(false, silentMs));
    this.#agenda.at(toMs, () => {
      this.#layers.windowHeartbeat(true, toMs);
      this.#desk.freshAgain();
    });
  }

  #isOut(): boolean {
    const { outage } = this.#archetype;
    return outage !== undefined && this.#agenda.nowMs >= outage.fromMs && this.#agenda.nowMs < outage.toMs;
  }

  /** Marks end with an outage. The last one is up to a cadence old by then. */
  #isFresh(atMs = this.#agenda.nowMs): boolean {
    const { cadenceSec, truthCadences } = this.#policy.dispatch;
    const { outage } = this.#archetype;
    if (!outage || atMs < outage.fromMs || atMs >= outage.toMs) return true;
    return atMs - outage.fromMs <= cadenceSec * (truthCadences - 1) * 1000;
  }

  /** A request that finds a stale truth waits a little for a fresh one before it is held for that. */
  #patientUntil(atMs: number): number {
    const { outage } = this.#archetype;
    if (!outage || this.#isFresh(atMs)) return atMs;
    return Math.min(atMs + this.#policy.dispatch.staleWaitSec * 1000, outage.toMs);
  }

  #wakeAt(dispatchId: string, atMs: number): void {
    this.#wakes.set(dispatchId, atMs);
    this.#agenda.at(atMs, () => {
      if (this.#wakes.get(dispatchId) !== atMs) return;
      this.#wakes.delete(dispatchId);
      this.#desk.releaseDue(dispatchId);
    });
  }

  #decided(record: DecisionRecorded): void {
    this.#book.decided(record, this.#layers.condition('pacing', MAILBOX, this.#agenda.nowMs));
    this.#campaign.decided(record);
    if (!dispatches(record.kind)) return;
    // A sender takes a moment; what it does is of the day on which it was released.
    this.#agenda.at(record.notBeforeMs ?? record.decidedAtMs, () => {
      this.#desk.outcome(record, this.#mail.send());
    });
  }
}

function observed(seen: Seen, observedAtMs: number): readonly Observation[] {
  return Object.entries(seen).flatMap(([fact, value]: [string, FactValue | null]) =>
    value === null ? [] : [{ fact, observedAtMs, outcome: { value } }],
  );
}
