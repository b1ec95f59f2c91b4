import { createLayerMachine } from './layer-machine.ts';

/** When a tenant may run: open or closed and why, last and next run. */
export const continuityWindowMachine = createLayerMachine({
  layer: 'continuity_window',
  states: ['executing', 'degraded', 'provisioning', 'scheduled'],
});
