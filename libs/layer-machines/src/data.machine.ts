import { createLayerMachine } from './layer-machine.ts';

/** One per import: when it ran, how much of it is verified and of known origin, what is left. */
export const dataMachine = createLayerMachine({
  layer: 'data',
  causes: {
    executing: null,
    cooling_down: null,
    probation: null,
    degraded: 'too few verified addresses, or too few of known origin',
    grace: null,
    provisioning: 'the first import runs',
    scheduled: 'the queue is empty',
    client_action: "never imported, overdue, or the import failed on the client's side",
  },
});
