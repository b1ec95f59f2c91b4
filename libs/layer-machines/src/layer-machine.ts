import {
  type CanonicalBlockerLayer,
  MANAGED_EXECUTION_STATES,
  type ManagedExecutionState,
} from '@orchestrate/canon';
import { type AnyActorScope, assign, createActor, type SnapshotFrom, setup } from 'xstate';
import { applyEffect } from './effects.ts';
import { emptyContext, type LayerContext } from './layer-context.ts';
import type { LayerEvent } from './layer-event.ts';
import { layerTable, takenEvents } from './layer-table.ts';
import { REACTIONS } from './reaction-table.ts';
import { settle } from './settle.ts';

/** States that every layer can be in; how it comes to be in any other one is the layer's own affair. */
export const COMMON_STATES = [
  'ready',
  'unknown',
  'verifying',
  'operator_review',
  'internal_fault',
] as const satisfies readonly ManagedExecutionState[];
export type OwnState = Exclude<ManagedExecutionState, (typeof COMMON_STATES)[number]>;
export const OWN_STATES = MANAGED_EXECUTION_STATES.filter(
  (state): state is OwnState => !COMMON_STATES.some((common) => common === state),
);

export interface LayerSpec {
  readonly layer: CanonicalBlockerLayer;
  /** What brings the layer into each state that is not everybody's; null: it is never there. */
  readonly causes: Readonly<Record<OwnState, string | null>>;
}

/**
 * One XState machine for a layer: an event folds into the context by its effect, then an eventless transition
 * moves to the state whose cause is worst. Used only through `step`: it acts on nothing and waits for nothing, so
 * `after` and actors have no place in it.
 */
export function createLayerMachine(spec: LayerSpec) {
  const states: ReadonlySet<ManagedExecutionState> = new Set(
    MANAGED_EXECUTION_STATES.filter((state) => !isOwn(state) || spec.causes[state] !== null),
  );
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
  const scope = inertScope(createActor(machine, { input: { context: emptyContext([]) } }));
  const step = (snapshot: SnapshotFrom<typeof machine>, event: LayerEvent) =>
    machine.transition(snapshot, event, scope);
  return { ...spec, machine, step, states, table: layerTable(states), takes: takenEvents(states) };
}

/**
 * What a machine needs around it to make a step and nothing else. XState's own `transition()` makes an actor for each
 * event, which costs more than the step.
 */
function inertScope(self: AnyActorScope['self']): AnyActorScope {
  const nothing = () => {};
  return {
    self,
    system: self.system,
    id: self.id,
    sessionId: self.sessionId,
    logger: nothing,
    defer: nothing,
    emit: nothing,
    stopChild: nothing,
    actionExecutor: nothing,
  };
}

const isOwn = (state: ManagedExecutionState): state is OwnState => OWN_STATES.some((own) => own === state);

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

/** Twelve guards ask the same question of one context, one after the other: it is answered once. */
let lastSettled: { readonly context: LayerContext; readonly state: ManagedExecutionState } | null = null;

function settledOnce(context: LayerContext): ManagedExecutionState {
  if (lastSettled?.context !== context) lastSettled = { context, state: settle(context) };
  return lastSettled.state;
}

/** Whether this event can lead anywhere in this layer; if not it is somebody's mistake and belongs to REJECTED. */
export function accepts(layer: LayerMachine, event: LayerEvent['type']): boolean {
  return layer.takes.has(event);
}
