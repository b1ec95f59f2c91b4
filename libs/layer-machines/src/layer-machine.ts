import {
  type CanonicalBlockerLayer,
  type LayerEventName,
  MANAGED_EXECUTION_STATES,
  type ManagedExecutionState,
} from '@orchestrate/canon';
import { assign, type SnapshotFrom, setup } from 'xstate';
import { applyEffect } from './effects.ts';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';
import { REACTIONS } from './reaction-table.ts';
import { settle } from './settle.ts';

export interface LayerSpec {
  readonly layer: CanonicalBlockerLayer;
  /** States beside unknown, verifying, operator_review, internal_fault and ready, which every layer has. */
  readonly states: readonly ManagedExecutionState[];
}

const COMMON_STATES = ['ready', 'unknown', 'verifying', 'operator_review', 'internal_fault'] as const;

/** Which state an event can be the cause of; a layer that cannot be there refuses the event. */
const LEADS_TO: Partial<Record<LayerEventName, ManagedExecutionState>> = {
  run_started: 'executing',
  adverse_event: 'cooling_down',
  probation_passed: 'probation',
  probation_failed: 'cooling_down',
  cooldown_elapsed: 'cooling_down',
  window_closed: 'scheduled',
  setup_started: 'provisioning',
};

/**
 * One XState machine for a layer: an event folds into the context by its effect, then an eventless transition
 * moves to the state whose cause is worst. Used only through `transition()`: it acts on nothing and waits for
 * nothing, so `after` and actors have no place in it.
 */
export function createLayerMachine(spec: LayerSpec) {
  const states = new Set<ManagedExecutionState>([...COMMON_STATES, ...spec.states]);
  const machine = setup({
    types: {
      context: {} as LayerContext,
      events: {} as LayerEvent,
      input: {} as { context: LayerContext },
    },
  }).createMachine({
    id: spec.layer,
    context: ({ input }) => input.context,
    initial: 'unknown',
    states: Object.fromEntries(MANAGED_EXECUTION_STATES.map((state) => [state, stateNode(state)])),
  });
  return { ...spec, machine, states };
}
export type LayerMachine = ReturnType<typeof createLayerMachine>;
export type LayerSnapshot = SnapshotFrom<LayerMachine['machine']>;

const fold = assign<LayerContext, LayerEvent, undefined, LayerEvent, never>(({ context, event }) =>
  applyEffect(context, event),
);

function stateNode(state: ManagedExecutionState) {
  const listened = Object.entries(REACTIONS[state]).filter(([, reaction]) => reaction === 'fold');
  return {
    on: Object.fromEntries(listened.map(([event]) => [event, { actions: fold }])),
    always: MANAGED_EXECUTION_STATES.filter((target) => target !== state).map((target) => ({
      target,
      guard: ({ context }: { context: LayerContext }) => settledOnce(context) === target,
    })),
  };
}

/** Twelve guards ask the same question of one context: it is answered once. */
const settled = new WeakMap<LayerContext, ManagedExecutionState>();
function settledOnce(context: LayerContext): ManagedExecutionState {
  let state = settled.get(context);
  if (state === undefined) {
    state = settle(context);
    settled.set(context, state);
  }
  return state;
}

/** Whether this event can lead anywhere in this layer; if not it is somebody's mistake and belongs to REJECTED. */
export function accepts(layer: LayerMachine, event: LayerEvent['type']): boolean {
  const target = LEADS_TO[event];
  return target === undefined || layer.states.has(target);
}
