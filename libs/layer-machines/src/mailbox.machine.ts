import { createLayerMachine } from './layer-machine.ts';

/** One per mailbox: its token, what its scopes let us do and see, the provider's quota. */
export const mailboxMachine = createLayerMachine({
  layer: 'mailbox',
  states: ['cooling_down', 'probation', 'degraded', 'provisioning', 'scheduled', 'client_action'],
});
