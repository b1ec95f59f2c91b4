import { LAYER_EVENTS, type LayerEventName, type ManagedExecutionState } from '@orchestrate/canon';
import { type Cell, type Outcome, STATE_TABLE } from './state-table.ts';

/** `refused`: in this layer the event can never lead anywhere, so whoever sent it is mistaken. */
export type LayerCell = Cell | 'refused';
export type LayerTable = ReadonlyMap<ManagedExecutionState, Readonly<Record<LayerEventName, LayerCell>>>;

/** The whole table of a layer: the state table without the states that it can never be in. */
export function layerTable(states: ReadonlySet<ManagedExecutionState>): LayerTable {
  const taken = takenEvents(states);
  const row = (state: ManagedExecutionState) =>
    Object.fromEntries(
      LAYER_EVENTS.map((event): [LayerEventName, LayerCell] => [
        event,
        taken.has(event) ? narrowed(STATE_TABLE[state][event], states) : 'refused',
      ]),
    ) as Record<LayerEventName, LayerCell>;
  return new Map([...states].map((state) => [state, row(state)]));
}

/**
 * The events that have a place in a layer with these states. One that could only lead where the layer can never be
 * has none, and neither has one that never leads anywhere.
 */
export function takenEvents(states: ReadonlySet<ManagedExecutionState>): ReadonlySet<LayerEventName> {
  const hasPlace = (event: LayerEventName) => {
    const folded = [...states].flatMap((state) => {
      const cell = narrowed(STATE_TABLE[state][event], states);
      return cell === 'ignored' ? [] : [outcomesOf(cell)];
    });
    const leadsOn = folded.some((outcomes) => outcomes.some((outcome) => outcome !== 'stays'));
    return leadsOn && folded.every((outcomes) => outcomes.length > 0);
  };
  return new Set(LAYER_EVENTS.filter(hasPlace));
}

/** Everything that a cell names; nothing where the event is not folded. */
export function outcomesOf(cell: LayerCell): readonly Outcome[] {
  if (typeof cell === 'string') return [];
  const { shows, insideGrace = [], ofSample = [] } = cell;
  return [...new Set([...shows, ...insideGrace, ...ofSample])];
}

function narrowed(cell: Cell, states: ReadonlySet<ManagedExecutionState>): Cell {
  if (cell === 'ignored') return cell;
  const possible = (outcomes: readonly Outcome[]) =>
    outcomes.filter((outcome) => outcome === 'stays' || states.has(outcome));
  const { shows, insideGrace = [], ofSample = [] } = cell;
  return {
    shows: possible(shows),
    ...(states.has('grace') && { insideGrace: possible(insideGrace) }),
    ...(states.has('provisioning') && { ofSample: possible(ofSample) }),
  };
}
