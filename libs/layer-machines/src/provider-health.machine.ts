import { createLayerMachine } from './layer-machine.ts';

/** One per AI provider: reachable, fast enough, with money and credentials. */
export const providerHealthMachine = createLayerMachine({
  layer: 'provider_health',
  states: ['cooling_down', 'probation', 'degraded', 'client_action'],
});
