import {
  LAYER_EVENTS,
  type LayerEventName,
  MANAGED_EXECUTION_STATES,
  type ManagedExecutionState,
} from '@orchestrate/canon';
import { STATE_TABLE } from './state-table.ts';

export type Reaction = 'fold' | 'ignore';

/** Whether a state listens to an event at all, as the state table says. */
export const REACTIONS = byName(MANAGED_EXECUTION_STATES, (state: ManagedExecutionState) =>
  byName(
    LAYER_EVENTS,
    (event: LayerEventName): Reaction => (STATE_TABLE[state][event] === 'ignored' ? 'ignore' : 'fold'),
  ),
);

function byName<K extends string, V>(names: readonly K[], valueAt: (name: K) => V): Readonly<Record<K, V>> {
  return Object.fromEntries(names.map((name) => [name, valueAt(name)])) as Record<K, V>;
}
