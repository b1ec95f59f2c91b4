import { createLayerMachine } from './layer-machine.ts';

/** One per campaign: its state, what was approved, what the lint says, its bindings. */
export const campaignMachine = createLayerMachine({
  layer: 'campaign',
  causes: {
    executing: 'a run works on it',
    cooling_down: 'paused by us',
    probation: 'after such a pause',
    degraded: 'the lint warns, half the bindings, or no postal address',
    grace: null,
    provisioning: 'mailboxes are being bound',
    scheduled: 'paused by the client, or done',
    client_action: 'draft, not approved, unresolved variables, no opt-out, lint fails, or broken bindings',
  },
});
