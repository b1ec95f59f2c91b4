import { createLayerMachine } from './layer-machine.ts';

/** Money: a payment that expires degrades, a subscription past due runs in grace. */
export const billingMachine = createLayerMachine({
  layer: 'billing',
  states: ['degraded', 'grace', 'provisioning', 'client_action'],
});
