import type { CanonicalBlockerLayer } from '@orchestrate/canon';
import { billingMachine } from './billing.machine.ts';
import { campaignMachine } from './campaign.machine.ts';
import { continuityWindowMachine } from './continuity-window.machine.ts';
import { dataMachine } from './data.machine.ts';
import { governanceMachine } from './governance.machine.ts';
import type { LayerMachine } from './layer-machine.ts';
import { mailboxMachine } from './mailbox.machine.ts';
import { pacingMachine } from './pacing.machine.ts';
import { providerHealthMachine } from './provider-health.machine.ts';
import { sendingDomainMachine } from './sending-domain.machine.ts';

/** Nine layers, nine machines, each answering for itself. */
export const LAYER_MACHINES: Readonly<Record<CanonicalBlockerLayer, LayerMachine>> = {
  billing: billingMachine,
  sending_domain: sendingDomainMachine,
  mailbox: mailboxMachine,
  provider_health: providerHealthMachine,
  governance: governanceMachine,
  continuity_window: continuityWindowMachine,
  pacing: pacingMachine,
  campaign: campaignMachine,
  data: dataMachine,
};
