import { createLayerMachine } from './layer-machine.ts';

/** Mode, sector, jurisdiction, lawful basis, freeze, audit sink. */
export const governanceMachine = createLayerMachine({
  layer: 'governance',
  states: ['client_action'],
});
