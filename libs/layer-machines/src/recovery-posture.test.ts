import { CANONICAL_BLOCKER_LAYERS, LAYER_EVENTS, type ManagedExecutionState } from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';
import { createLayerMachine, type LayerMachine } from './layer-machine.ts';
import { LAYER_MACHINES } from './layer-machines.ts';
import { outcomesOf } from './layer-table.ts';
import { ANYWHERE, LoneContexts } from './lone-contexts.test-support.ts';
import { settle } from './settle.ts';

const ALL = [createLayerMachine(ANYWHERE), ...CANONICAL_BLOCKER_LAYERS.map((layer) => LAYER_MACHINES[layer])];
const thatCanBe = (state: ManagedExecutionState) => ALL.filter((layer) => layer.states.has(state));

describe.each(['cooling_down', 'operator_review'] as const)('%s [L18]', (state) => {
  test('never becomes ready in one step, neither by the table nor by any event that a layer takes', () => {
    for (const layer of thatCanBe(state)) {
      for (const cell of Object.values(layer.table.get(state)!))
        expect(outcomesOf(cell)).not.toContain('ready');
      const seen = everyStep(layer, state).map(({ next }) => settle(next));
      expect(seen.length).toBeGreaterThan(LAYER_EVENTS.length);
      expect(seen).not.toContain('ready');
    }
  });
});

test('the end of the last cooldown shows probation, and the last release a recheck [L18]', () => {
  for (const layer of thatCanBe('cooling_down')) {
    const elapsed = fold(layer, lone(layer, 'cooling_down'), {
      type: 'cooldown_elapsed',
      atMs: 99,
      cause: 'x',
    });
    expect(settle(elapsed)).toBe('probation');
    expect(Object.keys(elapsed.requalifications)).toEqual(['x']);
  }
  for (const layer of thatCanBe('operator_review')) {
    const released = fold(layer, lone(layer, 'operator_review'), {
      type: 'operator_released',
      atMs: 99,
      cause: 'h',
    });
    expect([settle(released), released.recheckSinceMs]).toEqual(['verifying', 99]);
  }
});

test('each hold and each cooldown has its own key: an event that ends one leaves every other as it was [L17]', () => {
  for (const layer of ALL) {
    for (const { before, event, next } of everyStep(layer, 'operator_review')) {
      const ended = Object.keys(before.holds).filter((cause) => !(cause in next.holds));
      const isRelease = event.type === 'operator_released' && event.cause in before.holds;
      expect(ended, event.type).toEqual(isRelease ? [event.cause] : []);
      for (const cause of Object.keys(next.holds).filter((one) => one in before.holds)) {
        expect(next.holds[cause]).toEqual(before.holds[cause]);
      }
    }
  }
  for (const layer of thatCanBe('cooling_down')) {
    for (const { before, event, next } of everyStep(layer, 'cooling_down')) {
      const ended = Object.keys(before.cooldowns).filter((cause) => !(cause in next.cooldowns));
      const isEnd = event.type === 'cooldown_elapsed' && event.cause in before.cooldowns;
      expect(ended, event.type).toEqual(isEnd ? [event.cause] : []);
      const raised = event.type === 'adverse_event' ? event.cause : null;
      for (const cause of Object.keys(before.cooldowns).filter(
        (one) => one !== raised && !ended.includes(one),
      )) {
        expect(next.cooldowns[cause]).toEqual(before.cooldowns[cause]);
      }
    }
  }
});

const lone = (layer: LayerMachine, state: ManagedExecutionState) => new LoneContexts(layer).of(state)[0]!;

/** One step from each context in which the state shows for its own cause alone, by each event of the layer. */
function everyStep(layer: LayerMachine, state: ManagedExecutionState) {
  const contexts = new LoneContexts(layer);
  return LAYER_EVENTS.filter((name) => layer.takes.has(name)).flatMap((name) =>
    contexts
      .events(name)
      .flatMap((event) =>
        contexts.of(state).map((before) => ({ before, event, next: fold(layer, before, event) })),
      ),
  );
}

function fold(layer: LayerMachine, context: LayerContext, event: LayerEvent): LayerContext {
  const snapshot = layer.machine.resolveState({ value: settle(context), context });
  return layer.step(snapshot, event).context;
}
