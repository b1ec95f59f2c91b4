import { CANONICAL_BLOCKER_LAYERS, type CanonicalBlockerLayer } from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import { accepts } from './layer-machine.ts';
import { LAYER_MACHINES } from './layer-machines.ts';

const OWN_STATES: Record<CanonicalBlockerLayer, string> = {
  billing: 'degraded grace provisioning client_action',
  sending_domain: 'degraded grace provisioning client_action',
  mailbox: 'cooling_down probation degraded provisioning scheduled client_action',
  provider_health: 'cooling_down probation degraded client_action',
  governance: 'client_action',
  continuity_window: 'executing degraded provisioning scheduled',
  pacing: 'cooling_down probation degraded provisioning scheduled',
  campaign: 'executing cooling_down probation degraded provisioning scheduled client_action',
  data: 'degraded provisioning scheduled client_action',
};
const EVERY = ['unknown', 'verifying', 'operator_review', 'internal_fault', 'ready'];

describe.each(CANONICAL_BLOCKER_LAYERS)('%s [L12]', (layer) => {
  const machine = LAYER_MACHINES[layer];

  test('is a machine of its own and can be in these states only', () => {
    expect(machine.layer).toBe(layer);
    expect([...machine.states].toSorted()).toEqual([...EVERY, ...OWN_STATES[layer].split(' ')].toSorted());
  });

  test('refuses an event that could only lead where it can never be', () => {
    const can = (state: string) => OWN_STATES[layer].split(' ').includes(state);
    expect(accepts(machine, 'run_started')).toBe(can('executing'));
    expect(accepts(machine, 'adverse_event')).toBe(can('cooling_down'));
    expect(accepts(machine, 'window_closed')).toBe(can('scheduled'));
    expect(accepts(machine, 'setup_started')).toBe(can('provisioning'));
    expect(accepts(machine, 'probation_passed')).toBe(can('probation'));
    for (const event of ['check_passed', 'fact_expired', 'operator_hold', 'client_acted'] as const) {
      expect(accepts(machine, event)).toBe(true);
    }
    expect(accepts(machine, 'check_failed_soft')).toBe(can('degraded'));
  });

  test('refuses the end of what it never begins', () => {
    const can = (state: string) => OWN_STATES[layer].split(' ').includes(state);
    expect(accepts(machine, 'run_finished')).toBe(can('executing'));
    expect(accepts(machine, 'run_lost')).toBe(can('executing'));
    expect(accepts(machine, 'cooldown_elapsed')).toBe(can('cooling_down'));
    expect(accepts(machine, 'probation_failed')).toBe(can('probation'));
    expect(accepts(machine, 'window_opened')).toBe(can('scheduled'));
    expect(accepts(machine, 'setup_done')).toBe(can('provisioning'));
    expect(accepts(machine, 'grace_expired')).toBe(can('grace'));
  });
});
