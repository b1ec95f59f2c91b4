import { CANONICAL_BLOCKER_LAYERS, type ManagedExecutionState, requiredFacts } from '@orchestrate/canon';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { historyOf, lives, observationsOf } from './history.test-support.ts';
import { LAYER_MACHINES } from './layer-machines.ts';
import { HOUR_MS, POLICY, T0 } from './layer-source.test-support.ts';
import { LayerSource } from './layer-source.ts';

describe.each(CANONICAL_BLOCKER_LAYERS)('any history of %s', (layer) => {
  const states: ReadonlySet<ManagedExecutionState> = LAYER_MACHINES[layer].states;
  const check = (see: (source: LayerSource, atMs: number) => void) =>
    fc.assert(
      fc.property(historyOf(layer), (steps) => lives(layer, steps, see)),
      { numRuns: 150 },
    );

  test('never shows a state that the layer cannot be in, nor a reason without its owner [L12]', () => {
    check((source, atMs) => {
      const condition = source.condition(POLICY, atMs);
      expect([...states]).toContain(condition.state);
      if (condition.state === 'client_action') expect(condition.owner).toBe('client');
      if (condition.state === 'internal_fault') expect(condition.owner).not.toBe('client');
    });
  });

  test('shows ready only when every required fact passes and nothing else stands [L15]', () => {
    check((source, atMs) => {
      const { state, facts, causes } = source.condition(POLICY, atMs);
      const required = facts.filter((fact) => fact.required);
      expect(required.map((fact) => fact.fact).toSorted()).toEqual(requiredFacts(layer).toSorted());
      if (state !== 'ready') return;
      expect(required.map((fact) => fact.verdict)).toEqual(required.map(() => 'pass'));
      const { holds, faults, cooldowns, requalifications, closures, setup, lease, recheckSinceMs } = causes;
      expect({ ...holds, ...faults, ...cooldowns, ...requalifications, ...closures }).toEqual({});
      expect([setup, lease]).toEqual([null, null]);
      for (const fact of required) expect(fact.observedAtMs).toBeGreaterThanOrEqual(recheckSinceMs ?? 0);
    });
  });

  test('comes back from its own condition as it was, and says the same of itself [L36]', () => {
    check((source, atMs) => {
      const condition = source.condition(POLICY, atMs);
      const restored = LayerSource.restore(JSON.parse(JSON.stringify(condition)));
      expect(restored.condition(POLICY, atMs)).toEqual(condition);
    });
  });

  test('leaves nothing due after its time has come: a clock that asks again at once would never stop [L35]', () => {
    check((source, atMs) => {
      for (const now of [atMs, atMs + HOUR_MS, source.nextDeadlineMs() ?? atMs]) {
        const next = source.tick(POLICY, now).nextDeadlineMs();
        if (next !== null) expect(next).toBeGreaterThan(now);
      }
    });
  });

  test('told the same again, holds the same of it: a report that is redelivered moves nothing [L26]', () => {
    fc.assert(
      fc.property(observationsOf(layer), observationsOf(layer), (first, seen) => {
        const created = LayerSource.create({ tenantId: 'acme', layer, source: 'main', enabled: true });
        const once = created.observe(first, POLICY, T0).observe(seen, POLICY, T0 + 1);
        const again = once.observe(seen, POLICY, T0 + 1);
        expect(again.condition(POLICY, T0 + 1)).toEqual(once.condition(POLICY, T0 + 1));
      }),
      { numRuns: 100 },
    );
  });
});

test('a band that is told with a time to come does not stand beside the one that is worked out [L26]', () => {
  const told = (facts: Readonly<Record<string, number | string>>, observedAtMs = T0) =>
    Object.entries(facts).map(([fact, value]) => ({ fact, observedAtMs, outcome: { value } }));
  const clean = { delivered30d: 2000, hardBounces30d: 0, complaints30d: 0, complaints7d: 0 };
  const seen = [...told({ hardBounces30d: 5000 }), ...told({ band: 'quarantined' }, T0 + 2)];
  const created = LayerSource.create({ tenantId: 'acme', layer: 'pacing', source: 'main', enabled: true });
  const once = created.observe(told(clean), POLICY, T0).observe(seen, POLICY, T0 + 1);
  expect(once.context.facts.band).toMatchObject({ value: 'blocked', reason: 'band_blocked' });
  const again = once.observe(seen, POLICY, T0 + 1);
  expect(again.condition(POLICY, T0 + 1)).toEqual(once.condition(POLICY, T0 + 1));
});
