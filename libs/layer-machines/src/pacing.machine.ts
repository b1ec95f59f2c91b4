import { createLayerMachine } from './layer-machine.ts';

/** One per mailbox: counts over 30 days, the reputation band, today's cap. */
export const pacingMachine = createLayerMachine({
  layer: 'pacing',
  states: ['cooling_down', 'probation', 'degraded', 'provisioning', 'scheduled'],
});
