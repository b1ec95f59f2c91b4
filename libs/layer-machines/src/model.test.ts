import { CANONICAL_BLOCKER_LAYERS, type CanonicalBlockerLayer, ruleOf } from '@orchestrate/canon';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventOf, observationsOf } from './history.test-support.ts';
import { DAY_MS, GOOD, HOUR_MS, POLICY, SEC_MS, T0 } from './layer-source.test-support.ts';
import { LayerSource } from './layer-source.ts';
import { type Input, NaiveModel } from './naive-model.test-support.ts';
import type { Observation } from './observation.ts';

const NUM_RUNS = 60;

/** An input comes after a while, and what it says was observed a while before it came. */
const waitMs = fc.constantFrom(0, 1, SEC_MS, HOUR_MS, DAY_MS, 8 * DAY_MS);
const delayMs = fc.constantFrom(0, 0, 1, SEC_MS, HOUR_MS);

interface Step {
  readonly waitMs: number;
  readonly delayMs: number;
  readonly said: Pick<Input, 'seen' | 'event'>;
}

/** Reports in full and in part, and events; a part of them comes again, or earlier than it was sent. */
function historyOf(layer: CanonicalBlockerLayer): fc.Arbitrary<readonly Step[]> {
  const derived = Object.keys(ruleOf(layer).derive?.(GOOD[layer], { policy: POLICY, atMs: T0 }) ?? {});
  const good: readonly Observation[] = Object.entries(GOOD[layer]).map(([fact, value]) => ({
    fact,
    observedAtMs: T0,
    outcome: { value },
  }));
  const seen = observationsOf(layer).map((all) => {
    const told = all.filter(({ fact }) => !derived.includes(fact));
    // A report names a fact once.
    return [...new Map(told.map((one) => [one.fact, one])).values()];
  });
  const said: fc.Arbitrary<Step['said']> = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ seen: good }) },
    { weight: 3, arbitrary: seen.map((some) => ({ seen: some })) },
    { weight: 2, arbitrary: eventOf(layer).map((event) => ({ event })) },
  );
  return fc
    .tuple(
      fc.array(fc.record({ waitMs, delayMs, said }), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 3 }),
    )
    .map(([steps, again]) =>
      again.reduce<Step[]>(
        (all, n) => (all.length === 0 ? all : all.toSpliced((n * 7) % all.length, 0, all[n % all.length]!)),
        steps,
      ),
    );
}

function given(source: LayerSource, { atMs, seen, event }: Input): LayerSource {
  if (seen) return source.observe(seen, POLICY, atMs);
  return event ? (source.receive(event, POLICY) ?? source) : source;
}

interface Moment {
  readonly source: LayerSource;
  readonly model: NaiveModel;
  readonly input: Input;
  readonly nowMs: number;
}

/** Plays a history to both; what is due at the time of an input happens before it and after it. */
function play(layer: CanonicalBlockerLayer, steps: readonly Step[], see: (moment: Moment) => void): void {
  let source = LayerSource.create({ tenantId: 'acme', layer, source: 'main', enabled: true });
  let model = new NaiveModel(layer);
  let nowMs = T0;
  for (const step of steps) {
    nowMs += step.waitMs;
    const { seen, event } = step.said;
    // What comes late comes alone.
    const observedAtMs = nowMs - (seen && seen.length > 1 ? 0 : step.delayMs);
    const input: Input = {
      atMs: nowMs,
      ...(seen && { seen: seen.map((one) => ({ ...one, observedAtMs })) }),
      ...(event && { event: { ...event, atMs: observedAtMs } }),
    };
    const due = source.tick(POLICY, nowMs);
    const next = given(due, input);
    const isTaken = !event || due.receive(input.event!, POLICY) !== null;
    if (isTaken) model = model.with(input);
    source = next.tick(POLICY, nowMs);
    see({ source, model, input, nowMs });
  }
}

describe.each(CANONICAL_BLOCKER_LAYERS)(
  '%s beside a model that keeps only the list of its inputs',
  (layer) => {
    const check = (see: (moment: Moment) => void) =>
      fc.assert(
        fc.property(historyOf(layer), (steps) => play(layer, steps, see)),
        { numRuns: NUM_RUNS },
      );

    test('is ready only when by the list every required fact passes, and nothing holds, cools, closes or is owed [L15]', () => {
      check(({ source, model, nowMs }) => {
        const condition = source.condition(POLICY, nowMs);
        if (condition.state !== 'ready') return;
        expect(model.whyNotReady(nowMs, condition)).toEqual([]);
        const { requalifications, latched, lease, setup, recheckSinceMs } = condition.causes;
        expect([requalifications, lease, setup]).toEqual([{}, null, null]);
        expect(Object.values(latched).map(({ phase }) => phase)).not.toContain('serving');
        const observed = condition.facts.filter(({ required }) => required).map((fact) => fact.observedAtMs!);
        expect(Math.min(...observed)).toBeGreaterThanOrEqual(recheckSinceMs ?? 0);
      });
    });

    test('shows no state that nothing in the list can be the cause of [L15]', () => {
      check(({ source, model, nowMs }) => {
        const condition = source.condition(POLICY, nowMs);
        const isSupported = model.supports(nowMs, condition)[condition.state];
        expect([condition.state, condition.reason, isSupported]).toEqual([
          condition.state,
          condition.reason,
          true,
        ]);
      });
    });

    test('makes nothing of what it is given twice, nor of an answer that was overtaken [L26 L28]', () => {
      check(({ source, model, input, nowMs }) => {
        const shown = source.condition(POLICY, nowMs).state;
        expect(given(source, input).tick(POLICY, nowMs).condition(POLICY, nowMs).state).toBe(shown);
        for (const { seen } of model.inputs) {
          if (!seen || !model.isOutdated(seen)) continue;
          expect(source.observe(seen, POLICY, nowMs).context).toEqual(source.context);
        }
      });
    });
  },
);
