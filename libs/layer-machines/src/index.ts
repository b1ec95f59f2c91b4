export type { LayerContext } from './layer-context.ts';
export type { LayerEvent, LayerEventOf } from './layer-event.ts';
export {
  accepts,
  createLayerMachine,
  type LayerMachine,
  type LayerSnapshot,
  OWN_STATES,
} from './layer-machine.ts';
export { LAYER_MACHINES } from './layer-machines.ts';
export { LayerSource } from './layer-source.ts';
export { type LayerCell, type LayerTable, outcomesOf } from './layer-table.ts';
export type { Observation } from './observation.ts';
export { REACTIONS, type Reaction } from './reaction-table.ts';
export { candidates, settle } from './settle.ts';
export type { SourceIdentity } from './source-identity.ts';
export { type Cell, type Outcome, STATE_TABLE } from './state-table.ts';
