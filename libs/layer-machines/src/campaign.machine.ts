import { createLayerMachine } from './layer-machine.ts';

/** One per campaign: its state, what was approved, what the lint says, its bindings. */
export const campaignMachine = createLayerMachine({
  layer: 'campaign',
  states: [
    'executing',
    'cooling_down',
    'probation',
    'degraded',
    'provisioning',
    'scheduled',
    'client_action',
  ],
});
