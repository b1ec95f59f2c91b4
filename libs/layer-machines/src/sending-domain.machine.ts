import { createLayerMachine } from './layer-machine.ts';

/** One per domain: what DNS declares and what a delivered probe proved. */
export const sendingDomainMachine = createLayerMachine({
  layer: 'sending_domain',
  states: ['degraded', 'grace', 'provisioning', 'client_action'],
});
