import {
  type LAYER_EVENTS,
  type LayerEventName,
  MANAGED_EXECUTION_STATES,
  type ManagedExecutionState,
} from '@orchestrate/canon';
import { expect, expectTypeOf, test } from 'vitest';
import { billingMachine } from './billing.machine.ts';
import { COMMON_STATES, type LayerSpec, OWN_STATES, type OwnState } from './layer-machine.ts';
import { outcomesOf } from './layer-table.ts';
import { type Cell, STATE_TABLE } from './state-table.ts';

type OneStateMore = ManagedExecutionState | 'hibernating';
type OneEventMore = LayerEventName | 'woken_up';

test('a new state or event does not compile until its row or column is written [L13]', () => {
  STATE_TABLE satisfies Record<ManagedExecutionState, Record<LayerEventName, Cell>>;
  // @ts-expect-error the row of the new state is missing
  STATE_TABLE satisfies Record<OneStateMore, Record<LayerEventName, Cell>>;
  // @ts-expect-error the column of the new event is missing
  STATE_TABLE satisfies Record<ManagedExecutionState, Record<OneEventMore, Cell>>;
  expectTypeOf<keyof typeof STATE_TABLE>().toEqualTypeOf<ManagedExecutionState>();
  expectTypeOf<keyof (typeof STATE_TABLE)['grace']>().toEqualTypeOf<(typeof LAYER_EVENTS)[number]>();
});

test('a state that is not everybody’s does not compile until each layer says whether it can be there [L12 L13]', () => {
  const { causes } = billingMachine;
  causes satisfies LayerSpec['causes'];
  // @ts-expect-error nothing is said of the new state
  causes satisfies Record<Exclude<OneStateMore, (typeof COMMON_STATES)[number]>, string | null>;
  expectTypeOf<keyof LayerSpec['causes']>().toEqualTypeOf<OwnState>();
  expect([...OWN_STATES, ...COMMON_STATES].toSorted()).toEqual(MANAGED_EXECUTION_STATES.toSorted());
});

test('no cell says one thing twice, and none names its own state where it means that it stays [L13]', () => {
  for (const [state, row] of Object.entries(STATE_TABLE)) {
    for (const [event, cell] of Object.entries<Cell>(row)) {
      if (cell === 'ignored') continue;
      const lists = [cell.shows, cell.insideGrace ?? [], cell.ofSample ?? []];
      for (const list of lists) expect(new Set(list).size, `${state} on ${event}`).toBe(list.length);
      expect(outcomesOf(cell), `${state} on ${event}`).not.toContain(state);
      expect(cell.shows.length).toBeGreaterThan(0);
    }
  }
});
