import { CANONICAL_BLOCKER_LAYERS, LAYER_EVENTS } from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import { transition } from 'xstate';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';
import { createLayerMachine, type LayerMachine } from './layer-machine.ts';
import { LAYER_MACHINES } from './layer-machines.ts';
import { outcomesOf } from './layer-table.ts';
import { ANYWHERE, LoneContexts } from './lone-contexts.test-support.ts';
import { candidates, settle } from './settle.ts';
import type { Outcome } from './state-table.ts';

const MACHINES: readonly (readonly [string, LayerMachine])[] = [
  ['a layer that can be anywhere', createLayerMachine(ANYWHERE)],
  ...CANONICAL_BLOCKER_LAYERS.map((layer) => [layer, LAYER_MACHINES[layer]] as const),
];

describe.each(MACHINES)('%s', (_, layer) => {
  const lone = new LoneContexts(layer);

  test.each([...layer.table])(
    'in %s does with each of the 22 events what its table says [L13]',
    (state, row) => {
      const contexts = lone.of(state);
      expect(contexts.length).toBeGreaterThan(0);
      for (const context of contexts) expect(settle(context)).toBe(state);
      for (const event of LAYER_EVENTS) {
        const cell = row[event];
        if (cell === 'refused') continue;
        const events = lone.events(event);
        expect(events.length).toBeGreaterThan(0);
        const seen = new Set<Outcome>();
        for (const context of contexts) {
          for (const one of events) {
            const next = fold(layer, context, one);
            if (cell === 'ignored') expect(next.context, event).toBe(context);
            seen.add(next.value === state ? 'stays' : next.value);
          }
        }
        const named = cell === 'ignored' ? ['stays'] : outcomesOf(cell);
        expect([...seen].toSorted(), `${state} on ${event}`).toEqual([...named].toSorted());
      }
    },
  );

  test.each([...layer.states])('shows %s in these contexts for its own cause alone [L13]', (state) => {
    for (const context of lone.of(state)) {
      const standing = Object.entries(candidates(context)).flatMap(([name, stands]) =>
        stands ? [name] : [],
      );
      // A fault is raised by a check without an answer: that unknown stands beside it.
      const beside = Object.keys(context.faults).length > 0 ? ['unknown'] : [];
      expect(new Set(standing)).toEqual(new Set([state, 'ready', ...beside]));
    }
  });

  test('hears nothing of an answer older than the one in hand, wherever it is [L28]', () => {
    for (const state of layer.states) {
      for (const context of lone.of(state).filter(({ facts }) => Object.values(facts).every(wasObserved))) {
        for (const event of lone.events('check_passed').concat(lone.events('check_failed_hard'))) {
          if (!('fact' in event && event.fact in context.facts)) continue;
          const late = { ...event, observedAtMs: -1 } as LayerEvent;
          const next = fold(layer, context, late);
          expect([next.value, next.context]).toEqual([state, context]);
        }
      }
    }
  });
});

const wasObserved = ({ observedAtMs }: { observedAtMs: number | null }) => observedAtMs !== null;

function fold(layer: LayerMachine, context: LayerContext, event: LayerEvent) {
  const snapshot = layer.machine.resolveState({ value: settle(context), context });
  const next = layer.step(snapshot, event);
  // A step saves the actor that XState makes for each transition, and nothing else.
  const [own] = transition(layer.machine, snapshot, event);
  expect([next.value, next.context, next.status]).toEqual([own.value, own.context, own.status]);
  return { value: next.value as ReturnType<typeof settle>, context: next.context };
}
