import { createLayerMachine } from './layer-machine.ts';

/** One per import: when it ran, how much of it is verified and of known origin, what is left. */
export const dataMachine = createLayerMachine({
  layer: 'data',
  states: ['degraded', 'provisioning', 'scheduled', 'client_action'],
});
