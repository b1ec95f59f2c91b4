import { createLayerMachine } from './layer-machine.ts';

/** One per domain: what DNS declares and what a delivered probe proved. */
export const sendingDomainMachine = createLayerMachine({
  layer: 'sending_domain',
  causes: {
    executing: null,
    cooling_down: null,
    probation: null,
    degraded: 'a weak key, or one-click is not signed',
    grace: 'a record that passed before fails',
    provisioning: 'no delivered proof yet',
    scheduled: null,
    client_action: 'a record fails that never passed, or its grace is over',
  },
});
