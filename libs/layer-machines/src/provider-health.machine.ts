import { createLayerMachine } from './layer-machine.ts';

/** One per AI provider: reachable, fast enough, with money and credentials. */
export const providerHealthMachine = createLayerMachine({
  layer: 'provider_health',
  causes: {
    executing: null,
    cooling_down: 'overloaded, or rate limited',
    probation: 'after an overload or a rate limit',
    degraded: 'slow, failing often, or a fallback is in use',
    grace: null,
    provisioning: null,
    scheduled: null,
    client_action: "the client's own key is refused or has spent its limit",
  },
});
