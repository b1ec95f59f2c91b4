export type { LayerContext } from './layer-context.ts';
export type { LayerEvent, LayerEventOf } from './layer-event.ts';
export { accepts, createLayerMachine, type LayerMachine, type LayerSnapshot } from './layer-machine.ts';
export { LAYER_MACHINES } from './layer-machines.ts';
export { LayerSource } from './layer-source.ts';
export type { Observation } from './observation.ts';
export { REACTIONS, type Reaction } from './reaction-table.ts';
export { candidates, settle } from './settle.ts';
export type { SourceIdentity } from './source-identity.ts';
