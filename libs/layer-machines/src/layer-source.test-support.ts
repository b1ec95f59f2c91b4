import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CanonicalBlockerLayer,
  type FactValue,
  type ManagedExecutionState,
  type Policy,
  policySchema,
  type Reason,
  type UnknownReason,
} from '@orchestrate/canon';
import type { LayerEvent } from './layer-event.ts';
import { LayerSource } from './layer-source.ts';
import type { Observation } from './observation.ts';

export const T0 = Date.parse('2026-03-02T10:00:00Z');
export const SEC_MS = 1000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

const file = join(import.meta.dirname, '../../../policies/default.json');
export const POLICY: Policy = policySchema.parse(JSON.parse(readFileSync(file, 'utf8')));

export type Facts = Readonly<Record<string, FactValue>>;

/** Answers with which each layer is ready. */
export const GOOD: Readonly<Record<CanonicalBlockerLayer, Facts>> = {
  billing: { subscriptionStatus: 'active', paymentMethod: 'valid', entitlementRemaining: 5000 },
  sending_domain: { spf: 'pass', dkim: 'valid', dmarc: 'present', alignment: 'aligned' },
  mailbox: {
    identityClass: 'user',
    token: 'active',
    canSend: true,
    canReadReplies: true,
    canSeeBounces: true,
  },
  provider_health: { reachable: true, p95Ms: 900, errorRatio5m: 0, samples5m: 40, errorClass: 'none' },
  governance: {
    requestedMode: 'autonomous',
    sector: 'technology',
    jurisdiction: 'eu',
    lawfulBasis: 'consent',
    freeze: false,
  },
  continuity_window: { 'window.open': true, windowReason: 'in_hours', lastRunOutcome: 'completed' },
  pacing: { capToday: 50, delivered30d: 2000, hardBounces30d: 0, complaints30d: 0, complaints7d: 0 },
  campaign: {
    campaignState: 'active',
    approval: 'current',
    lint: 'pass',
    unresolvedVars: 0,
    optOut: true,
    bindings: 'bound',
  },
  data: { importState: 'done', queueReady: 100 },
};

export const answers = (facts: Facts, observedAtMs: number): readonly Observation[] =>
  Object.entries(facts).map(([fact, value]) => ({ fact, observedAtMs, outcome: { value } }));

export const noAnswer = (
  fact: string,
  observedAtMs: number,
  unknown: UnknownReason = 'timeout',
): Observation => ({
  fact,
  observedAtMs,
  outcome: { unknown },
});

/** A source whose story is told step by step; each step says when it happens. */
export class Story {
  readonly source: LayerSource;
  readonly atMs: number;

  constructor(source: LayerSource, atMs = T0) {
    this.source = source;
    this.atMs = atMs;
  }

  static of(layer: CanonicalBlockerLayer): Story {
    return new Story(LayerSource.create({ tenantId: 'acme', layer, source: 'main', enabled: true }));
  }

  /** A source of this layer with nothing wrong. */
  static ready(layer: CanonicalBlockerLayer, facts: Facts = {}): Story {
    return Story.of(layer).tell({ ...GOOD[layer], ...facts });
  }

  after(ms: number): Story {
    return new Story(this.source, this.atMs + ms);
  }

  tell(facts: Facts): Story {
    return this.#with(this.source.observe(answers(facts, this.atMs), POLICY, this.atMs));
  }

  /** All the good answers of the layer again, but for these. */
  tellAll(facts: Facts = {}): Story {
    return this.tell({ ...GOOD[this.source.layer], ...facts });
  }

  noAnswer(fact: string, reason: UnknownReason = 'timeout'): Story {
    return this.#with(this.source.observe([noAnswer(fact, this.atMs, reason)], POLICY, this.atMs));
  }

  receive(event: EventWithoutTime): Story {
    const next = this.source.receive({ ...event, atMs: this.atMs } as LayerEvent, POLICY);
    if (!next) throw new Error(`${this.source.layer} refuses ${event.type}`);
    return this.#with(next);
  }

  tick(): Story {
    return this.#with(this.source.tick(POLICY, this.atMs));
  }

  get condition() {
    return this.source.condition(POLICY, this.atMs);
  }

  get state(): ManagedExecutionState {
    return this.condition.state;
  }

  /** State and reason in one word each, as a person reads them. */
  get shows(): `${ManagedExecutionState} ${Reason}` {
    const { state, reason } = this.condition;
    return `${state} ${reason}`;
  }

  get risks(): readonly string[] {
    return this.condition.risks.map(({ risk, phase }) => (phase === 'active' ? risk : `${risk} (${phase})`));
  }

  #with(source: LayerSource): Story {
    return new Story(source, this.atMs);
  }
}

type EventWithoutTime = {
  [E in LayerEvent['type']]: Omit<Extract<LayerEvent, { type: E }>, 'atMs'>;
}[LayerEvent['type']];
