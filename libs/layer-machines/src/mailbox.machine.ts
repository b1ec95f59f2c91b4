import { createLayerMachine } from './layer-machine.ts';

/** One per mailbox: its token, what its scopes let us do and see, the provider's quota. */
export const mailboxMachine = createLayerMachine({
  layer: 'mailbox',
  causes: {
    executing: null,
    cooling_down: 'the provider throttles the account',
    probation: 'after a throttling',
    degraded: 'bounces or replies cannot be seen',
    grace: null,
    provisioning: 'the account is being connected',
    scheduled: "the day's quota is used up",
    client_action: 'the grant is gone, or sending is not allowed',
  },
});
