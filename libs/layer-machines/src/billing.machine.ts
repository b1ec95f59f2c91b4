import { createLayerMachine } from './layer-machine.ts';

/** Money: a payment that expires degrades, a subscription past due runs in grace. */
export const billingMachine = createLayerMachine({
  layer: 'billing',
  causes: {
    executing: null,
    cooling_down: null,
    probation: null,
    degraded: 'a payment method expires, or none is left while the subscription is paid',
    grace: 'a payment is past due, or a trial runs without a payment method',
    provisioning: 'the first payment is incomplete',
    scheduled: null,
    client_action: 'not paid, nothing left to send, or the trial is over unpaid',
  },
});
