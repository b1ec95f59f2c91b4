import { createLayerMachine } from './layer-machine.ts';

/** When a tenant may run: open or closed and why, last and next run. */
export const continuityWindowMachine = createLayerMachine({
  layer: 'continuity_window',
  causes: {
    executing: 'a run is under way',
    cooling_down: null,
    probation: null,
    degraded: 'the last run failed, stopped half-way or was missed',
    grace: null,
    provisioning: 'never ran yet',
    scheduled: 'the window is closed',
    client_action: null,
  },
});
