import {
  FACTS,
  type FactReading,
  type LayerEventName,
  type ManagedExecutionState,
  NEW_SAMPLE,
  NO_CAUSES,
  requiredFacts,
  ruleOf,
} from '@orchestrate/canon';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent, LayerEventOf } from './layer-event.ts';
import { type LayerMachine, type LayerSpec, OWN_STATES, type OwnState } from './layer-machine.ts';

/** A layer that can be anywhere: the state table is that of this one. */
export const ANYWHERE: LayerSpec = {
  layer: 'campaign',
  causes: Object.fromEntries(OWN_STATES.map((state) => [state, 'told'])) as Record<OwnState, string>,
};

/** When the events of a cell happen: after all that the contexts remember. */
const NOW_MS = 50;
const OBSERVED_MS = 10;
const RECHECK_SINCE_MS = 20;
const LATER_MS = 100;

const soft = { verdict: 'fail', severity: 'soft', reason: 'lint_warn' } as const;
const hard = { verdict: 'fail', severity: 'hard', reason: 'lint_fail' } as const;
const expired = { verdict: 'unknown', reason: 'expired' } as const;
const sample = { verdict: 'unknown', reason: 'insufficient_sample' } as const;
const rechecked = { observedAtMs: RECHECK_SINCE_MS + 1 } as const;
const running = { untilMs: LATER_MS, spent: false } as const;

/**
 * Contexts of one layer in which a state shows and nothing else has a cause, and what an event can say to them.
 * Three of its facts take part: two that are required, and one that only informs.
 */
export class LoneContexts {
  readonly #machine: LayerMachine;
  readonly #first: string;
  readonly #second: string;
  readonly #optional: string;
  readonly #required: readonly string[];

  constructor(machine: LayerMachine) {
    this.#machine = machine;
    const required = requiredFacts(machine.layer);
    const informing = Object.keys(FACTS[machine.layer]).filter((fact) => !required.includes(fact));
    // Where a layer has one required fact, one of the others is taken for a second: a machine cannot tell.
    this.#required = required.length > 1 ? required : [...required, informing.pop()!];
    [this.#first, this.#second, this.#optional] = [this.#required[0]!, this.#required[1]!, informing[0]!];
  }

  of(state: ManagedExecutionState): readonly LayerContext[] {
    const [f, g, o] = [this.#first, this.#second, this.#optional];
    const owing = this.#owing();
    switch (state) {
      case 'ready':
        return [
          this.#context(),
          ...(this.#can('grace')
            ? [
                this.#context({ graces: { [f]: running } }),
                this.#context({ graces: { [f]: { ...running, spent: true } } }),
              ]
            : []),
        ];
      case 'executing':
        return [this.#context({ lease: { runId: 'r', untilMs: LATER_MS } })];
      case 'cooling_down': {
        const x = { untilMs: NOW_MS, ordinal: 1 };
        return [this.#context({ cooldowns: { x } }), this.#context({ cooldowns: { x, y: x } })];
      }
      case 'probation': {
        const x = { ordinal: 1, ...NEW_SAMPLE };
        return [this.#context({ requalifications: { x } }), this.#context({ requalifications: { x, y: x } })];
      }
      case 'degraded':
        return [
          ...owing.map((memory) => this.#context(memory, { [f]: soft })),
          this.#context({}, { [f]: soft, [g]: soft }),
          this.#context({}, { [o]: soft }),
        ];
      case 'grace':
        return [[f], [f, g], [o]].map((facts) =>
          this.#context({ graces: each(facts, running) }, each(facts, hard)),
        );
      case 'unknown':
        return [
          ...owing.map((memory) => this.#context(memory, { [f]: expired })),
          this.#context({}, { [f]: expired, [g]: expired }),
          this.#context({}, this.#neverObserved()),
        ];
      case 'verifying': {
        const recheckSinceMs = RECHECK_SINCE_MS;
        const others = each(this.#required, rechecked);
        return [
          this.#context({ check: { startedAtMs: 0, deadlineMs: LATER_MS } }, this.#neverObserved()),
          this.#context({ recheckSinceMs }),
          ...owing.map((memory) => this.#context({ recheckSinceMs, ...memory }, { ...others, [f]: soft })),
        ];
      }
      case 'provisioning': {
        const set = { setup: { id: 's', deadlineMs: LATER_MS } };
        const unproven = { ...hard, everPassed: false };
        return [
          this.#context(set),
          this.#context(set, { [f]: expired }),
          this.#context({ ...set, check: { startedAtMs: 0, deadlineMs: LATER_MS } }, this.#neverObserved()),
          this.#context(set, { [f]: sample }),
          ...this.#owners().map((owner) => this.#context(set, { [f]: { ...unproven, owner } })),
          ...owing.map((memory) => this.#context(memory, { [f]: sample })),
          this.#context({}, { [f]: sample, [g]: sample }),
        ];
      }
      case 'scheduled': {
        const w = { untilMs: null };
        return [this.#context({ closures: { w } }), this.#context({ closures: { w, v: w } })];
      }
      case 'client_action':
        return this.#failing({ ...hard, owner: 'client' });
      case 'operator_review': {
        const h = { sinceMs: 0 };
        return [this.#context({ holds: { h } }), this.#context({ holds: { h, k: h } })];
      }
      case 'internal_fault': {
        // What raises a fault is a check that never got its answer, so that answer is missing beside it.
        const faults = { check: { sinceMs: 0 } };
        return [
          ...this.#failing({ ...hard, owner: 'orchestrate' }),
          ...owing.map((memory) => this.#context({ faults, ...memory }, { [f]: expired })),
        ];
      }
    }
  }

  /** Everything that an event of this name can say in this layer. */
  events(name: LayerEventName): readonly LayerEvent[] {
    const facts = [this.#first, this.#second, this.#optional];
    const say = <E extends LayerEventName>(type: E, ...said: Omit<LayerEventOf<E>, 'type' | 'atMs'>[]) =>
      said.map((one) => ({ type, atMs: NOW_MS, ...one }) as unknown as LayerEvent);
    const answer = (fact: string) =>
      ({
        fact,
        value: true,
        band: undefined,
        observedAtMs: NOW_MS,
        expiresAtMs: null,
        reason: 'ok',
      }) as const;
    switch (name) {
      case 'check_started':
        return say(name, { deadlineMs: LATER_MS });
      case 'check_passed':
        return say(name, ...facts.map(answer));
      case 'check_failed_soft':
      case 'check_failed_hard': {
        const severity = name === 'check_failed_soft' ? soft : hard;
        const graces = this.#can('grace') && name === 'check_failed_hard' ? [null, LATER_MS] : [null];
        return facts.flatMap((fact) =>
          this.#owners().flatMap((owner) =>
            say(
              name,
              ...graces.map((graceUntilMs) => ({
                ...answer(fact),
                reason: severity.reason,
                owner,
                graceUntilMs,
                graceRestarts: false,
                requalify: false,
              })),
            ),
          ),
        );
      }
      case 'check_inconclusive': {
        // A sample is only ever said to be too small of a fact that is required.
        const reasons = (fact: string) =>
          this.#can('provisioning') && this.#isRequired(fact)
            ? (['clock_skew', sample.reason] as const)
            : (['clock_skew'] as const);
        return facts.flatMap((fact) =>
          reasons(fact).flatMap((reason) =>
            say(name, { fact, reason, answer: null }, { fact, reason, answer: { ...answer(fact), reason } }),
          ),
        );
      }
      case 'fact_expired':
        return say(name, ...facts.map((fact) => ({ fact, reason: 'expired' as const })));
      case 'check_exhausted':
        return say(name, { ours: false }, { ours: true });
      case 'setup_started':
        return say(name, ...['s', 't'].map((id) => ({ id, deadlineMs: LATER_MS })));
      case 'setup_done':
        return say(name, { id: 's' }, { id: 't' });
      case 'run_started':
        return say(name, { runId: 'r', untilMs: LATER_MS });
      case 'run_finished':
      case 'run_lost':
        return say(name, { runId: 'r' }, { runId: 'q' });
      case 'window_closed':
        return say(name, ...['w', 'v'].map((cause) => ({ cause, untilMs: null })));
      case 'window_opened':
      case 'operator_hold':
      case 'operator_released':
        return say(name, ...['w', 'v', 'h', 'k'].map((cause) => ({ cause })));
      case 'cooldown_elapsed':
      case 'probation_passed':
        return say(name, ...['x', 'y'].map((cause) => ({ cause })));
      case 'adverse_event':
      case 'probation_failed':
        return say(name, ...['x', 'y'].map((cause) => ({ cause, untilMs: LATER_MS })));
      case 'grace_expired':
        return facts.map((fact) => ({ type: name, atMs: LATER_MS, fact }));
      case 'client_acted':
        return say(name, ...facts.map((fact) => ({ facts: [fact] })), { facts });
    }
  }

  #can(state: ManagedExecutionState): boolean {
    return this.#machine.states.has(state);
  }

  /** Leaving a failure may owe probation, where a layer has that. */
  #owing(): readonly Partial<LayerContext>[] {
    return this.#can('probation') ? [{}, { requalificationOwed: this.#first }] : [{}];
  }

  #owners() {
    return this.#can('client_action') ? (['client', 'orchestrate'] as const) : (['orchestrate'] as const);
  }

  #failing(failure: Partial<FactReading>): LayerContext[] {
    const [f, g, o] = [this.#first, this.#second, this.#optional];
    return [
      ...this.#owing().map((memory) => this.#context(memory, { [f]: failure })),
      this.#context({}, { [f]: { ...failure, everPassed: false } }),
      this.#context({}, { [f]: failure, [g]: failure }),
      this.#context({}, { [o]: failure }),
    ];
  }

  #neverObserved(): Readonly<Record<string, Partial<FactReading>>> {
    return each(this.#required, {
      verdict: 'unknown',
      reason: 'never_observed',
      observedAtMs: null,
      everPassed: false,
      passingSinceMs: null,
    });
  }

  #isRequired(fact: string): boolean {
    return this.#required.includes(fact);
  }

  #context(
    memory: Partial<LayerContext> = {},
    changed: Readonly<Record<string, Partial<FactReading>>> = {},
  ): LayerContext {
    const { layer } = this.#machine;
    const names = new Set([...this.#required, ...Object.keys(changed)]);
    const reading = (fact: string): FactReading => ({
      fact,
      value: true,
      verdict: 'pass',
      severity: 'none',
      reason: 'ok',
      owner: ruleOf(layer).owner,
      required: this.#isRequired(fact),
      observedAtMs: OBSERVED_MS,
      expiresAtMs: null,
      everPassed: true,
      passingSinceMs: changed[fact]?.verdict === undefined ? OBSERVED_MS : null,
      ...changed[fact],
    });
    return {
      ...NO_CAUSES,
      ...memory,
      facts: Object.fromEntries([...names].map((fact) => [fact, reading(fact)])),
    };
  }
}

function each<V>(names: readonly string[], value: V): Readonly<Record<string, V>> {
  return Object.fromEntries(names.map((name) => [name, value]));
}
