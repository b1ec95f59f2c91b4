import { createLayerMachine } from './layer-machine.ts';

/** One per mailbox: counts over 30 days, the reputation band, today's cap. */
export const pacingMachine = createLayerMachine({
  layer: 'pacing',
  causes: {
    executing: null,
    cooling_down: 'the band is quarantined',
    probation: 'after a bad band or a quarantine',
    degraded: 'the band is watch or throttled',
    grace: null,
    provisioning: 'the sample is too small for a band',
    scheduled: "the day's cap is reached",
    client_action: null,
  },
});
