import type { LayerEventName, ManagedExecutionState } from '@orchestrate/canon';

/**
 * Whether a state listens to an event at all. `fold` changes the context by the event's effect and lets the worst
 * cause show; `ignore` leaves the context untouched: a late timer, or another state's business. Complete on
 * purpose: a new state or event does not compile until its row is written.
 *
 * Answers, expiries, closings, holds and adverse events are folded in every state, also in the one that they lead
 * to: the second failing fact of a degraded layer must be known when the first one passes again. Inside a grace a
 * client's act is not: messages still go out, and asking for help must not stop them.
 */
export type Reaction = 'fold' | 'ignore';

const ALWAYS = {
  check_started: 'fold',
  check_passed: 'fold',
  check_failed_soft: 'fold',
  check_failed_hard: 'fold',
  check_inconclusive: 'fold',
  fact_expired: 'fold',
  setup_done: 'fold',
  run_finished: 'fold',
  run_lost: 'fold',
  window_closed: 'fold',
  window_opened: 'fold',
  adverse_event: 'fold',
  grace_expired: 'fold',
  operator_hold: 'fold',
} as const;

const NEVER = {
  check_exhausted: 'ignore',
  setup_started: 'ignore',
  run_started: 'ignore',
  cooldown_elapsed: 'ignore',
  probation_passed: 'ignore',
  probation_failed: 'ignore',
  operator_released: 'ignore',
  client_acted: 'ignore',
} as const;

export const REACTIONS: Readonly<Record<ManagedExecutionState, Readonly<Record<LayerEventName, Reaction>>>> =
  {
    ready: { ...ALWAYS, ...NEVER, run_started: 'fold' },
    executing: { ...ALWAYS, ...NEVER },
    cooling_down: { ...ALWAYS, ...NEVER, cooldown_elapsed: 'fold', probation_failed: 'fold' },
    probation: {
      ...ALWAYS,
      ...NEVER,
      run_started: 'fold',
      probation_passed: 'fold',
      probation_failed: 'fold',
    },
    degraded: { ...ALWAYS, ...NEVER, run_started: 'fold' },
    grace: { ...ALWAYS, ...NEVER, run_started: 'fold' },
    unknown: {
      ...ALWAYS,
      ...NEVER,
      check_exhausted: 'fold',
      setup_started: 'fold',
      probation_failed: 'fold',
      client_acted: 'fold',
    },
    verifying: {
      ...ALWAYS,
      ...NEVER,
      check_exhausted: 'fold',
      setup_started: 'fold',
      probation_failed: 'fold',
    },
    provisioning: { ...ALWAYS, ...NEVER, check_exhausted: 'fold', setup_started: 'fold' },
    scheduled: { ...ALWAYS, ...NEVER, probation_failed: 'fold' },
    client_action: {
      ...ALWAYS,
      ...NEVER,
      setup_started: 'fold',
      cooldown_elapsed: 'fold',
      client_acted: 'fold',
    },
    operator_review: { ...ALWAYS, ...NEVER, cooldown_elapsed: 'fold', operator_released: 'fold' },
    internal_fault: {
      ...ALWAYS,
      ...NEVER,
      check_exhausted: 'fold',
      setup_started: 'fold',
      cooldown_elapsed: 'fold',
    },
  };
