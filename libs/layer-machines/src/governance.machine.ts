import { createLayerMachine } from './layer-machine.ts';

/** Mode, sector, jurisdiction, lawful basis, freeze, audit sink. */
export const governanceMachine = createLayerMachine({
  layer: 'governance',
  causes: {
    executing: null,
    cooling_down: null,
    probation: null,
    degraded: null,
    grace: null,
    provisioning: null,
    scheduled: null,
    client_action: 'basis, jurisdiction or sector is not declared',
  },
});
