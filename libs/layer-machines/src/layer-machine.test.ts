import {
  type FactReading,
  type LayerEventName,
  type ManagedExecutionState,
  NO_CAUSES,
} from '@orchestrate/canon';
import { describe, expect, test } from 'vitest';
import type { LayerContext } from './layer-context.ts';
import type { LayerEvent, LayerEventOf } from './layer-event.ts';
import { createLayerMachine } from './layer-machine.ts';
import { ANYWHERE } from './lone-contexts.test-support.ts';
import { settle } from './settle.ts';

/** A layer that can be anywhere, with two required facts: `f` may have grace, `p` owes probation when it was bad. */
const layer = createLayerMachine(ANYWHERE);

const reading = (fact: string): FactReading => ({
  fact,
  verdict: 'pass',
  severity: 'none',
  reason: 'ok',
  owner: 'client',
  required: true,
  observedAtMs: 0,
  expiresAtMs: null,
  everPassed: true,
  passingSinceMs: 0,
});
const READY: LayerContext = { ...NO_CAUSES, facts: { f: reading('f'), p: reading('p') } };

const told = (fact = 'f') =>
  ({ fact, value: true, band: undefined, reason: 'ok', expiresAtMs: null }) as const;
const failure = { owner: 'client', graceUntilMs: null, graceRestarts: false, requalify: false } as const;
/** What each event says when a story does not say it otherwise. */
const USUAL: { [E in LayerEventName]: (atMs: number) => Omit<LayerEventOf<E>, 'type' | 'atMs'> } = {
  check_started: () => ({ deadlineMs: 1e6 }),
  check_passed: (observedAtMs) => ({ ...told(), observedAtMs }),
  check_failed_soft: (observedAtMs) => ({ ...told(), ...failure, reason: 'lint_warn', observedAtMs }),
  check_failed_hard: (observedAtMs) => ({ ...told(), ...failure, reason: 'lint_fail', observedAtMs }),
  check_inconclusive: () => ({ fact: 'f', reason: 'timeout', answer: null }),
  fact_expired: () => ({ fact: 'f', reason: 'expired' }),
  check_exhausted: () => ({ ours: false }),
  setup_started: () => ({ id: 's', deadlineMs: 1e6 }),
  setup_done: () => ({ id: 's' }),
  run_started: () => ({ runId: 'r', untilMs: 1e6 }),
  run_finished: () => ({ runId: 'r' }),
  run_lost: () => ({ runId: 'r' }),
  window_closed: () => ({ cause: 'w', untilMs: null }),
  window_opened: () => ({ cause: 'w' }),
  adverse_event: () => ({ cause: 'x', untilMs: 0 }),
  cooldown_elapsed: () => ({ cause: 'x' }),
  probation_passed: () => ({ cause: 'x' }),
  probation_failed: () => ({ cause: 'x', untilMs: 1e6 }),
  grace_expired: () => ({ fact: 'f' }),
  operator_hold: () => ({ cause: 'h' }),
  operator_released: () => ({ cause: 'h' }),
  client_acted: () => ({ facts: ['f'] }),
};

type Told = { type: LayerEventName } & Record<string, unknown>;
type Step = LayerEventName | Told;

/** The states after each step; one millisecond passes between two. */
function play(...steps: Step[]): ManagedExecutionState[] {
  return stories(READY, steps).map((one) => settle(one));
}
function contextAfter(...steps: Step[]): LayerContext {
  return stories(READY, steps).at(-1)!;
}
function stories(context: LayerContext, steps: readonly Step[]): LayerContext[] {
  let snapshot = layer.machine.resolveState({ value: settle(context), context });
  return steps.map((step, index) => {
    const atMs = index + 1;
    const name = typeof step === 'string' ? step : step.type;
    const event = { ...USUAL[name](atMs), atMs, ...(typeof step === 'string' ? { type: step } : step) };
    snapshot = layer.step(snapshot, event as LayerEvent);
    expect(snapshot.value, `after ${name}`).toBe(settle(snapshot.context));
    return snapshot.context;
  });
}
const softP: Told = { type: 'check_failed_soft', fact: 'p', requalify: true, reason: 'band_watch' };
const passP: Told = { type: 'check_passed', fact: 'p' };

describe('no way round probation', () => {
  test('not by an answer that expires while the layer cools down [L19]', () => {
    expect(play('adverse_event', 'fact_expired', 'check_passed', 'cooldown_elapsed', 'check_passed')).toEqual(
      ['cooling_down', 'cooling_down', 'cooling_down', 'probation', 'probation'],
    );
  });

  test('not by an operator who holds and releases [L19]', () => {
    expect(
      play(
        'adverse_event',
        'operator_hold',
        'operator_released',
        'check_passed',
        passP,
        'cooldown_elapsed',
        'check_passed',
      ),
    ).toEqual([
      'cooling_down',
      'operator_review',
      'cooling_down',
      'cooling_down',
      'cooling_down',
      'probation',
      'probation',
    ]);
  });

  test('not by way of unknown: leaving a bad band owes probation [L19]', () => {
    const expired: Told = { type: 'fact_expired', fact: 'p' };
    expect(play(softP, expired, passP)).toEqual(['degraded', 'unknown', 'probation']);
    expect(play(softP, passP)).toEqual(['degraded', 'probation']);
    const stillUnknown: Told = {
      type: 'check_inconclusive',
      fact: 'p',
      reason: 'insufficient_sample',
      answer: { ...told('p'), observedAtMs: 9 },
    };
    expect(play(softP, expired, stillUnknown)).toEqual(['degraded', 'unknown', 'probation']);
  });

  test('a requalification that was passed for one cause is not passed for another [L17 L20]', () => {
    const both = [softP, 'adverse_event', 'cooldown_elapsed', passP, 'probation_passed'] as const;
    expect(play(...both)).toEqual(['degraded', 'cooling_down', 'probation', 'probation', 'probation']);
    expect(play(...both, { type: 'probation_passed', cause: 'p' }).at(-1)).toBe('ready');
    expect(contextAfter(...both).requalificationOwed).toBe('p');
  });

  test('a debt outlives a probation that was passed for something else while the band was still bad [L19]', () => {
    expect(play(softP, 'adverse_event', 'cooldown_elapsed', 'probation_passed', passP)).toEqual([
      'degraded',
      'cooling_down',
      'probation',
      'degraded',
      'probation',
    ]);
  });

  test('passing needs fresh facts in hand: late, or under an unknown, it does not count [L20]', () => {
    expect(play('adverse_event', 'probation_passed', 'cooldown_elapsed')).toEqual([
      'cooling_down',
      'cooling_down',
      'probation',
    ]);
    expect(
      play('adverse_event', 'cooldown_elapsed', 'fact_expired', 'probation_passed', 'check_passed').at(-1),
    ).toBe('probation');
    expect(play('adverse_event', 'cooldown_elapsed', 'probation_passed').at(-1)).toBe('ready');
  });

  test('a relapse cools down again, for one time more [L20]', () => {
    expect(play('adverse_event', 'cooldown_elapsed', 'probation_failed')).toEqual([
      'cooling_down',
      'probation',
      'cooling_down',
    ]);
    expect(contextAfter('adverse_event', 'cooldown_elapsed', 'probation_failed').cooldowns).toEqual({
      x: { untilMs: 1e6, ordinal: 2 },
    });
  });

  test('a timer that fires early ends nothing, and of two stops the later end counts [L21]', () => {
    const long: Told = { type: 'adverse_event', untilMs: 50 };
    expect(play(long, 'adverse_event', 'cooldown_elapsed').at(-1)).toBe('cooling_down');
    expect(contextAfter(long, 'adverse_event').cooldowns).toEqual({ x: { untilMs: 50, ordinal: 2 } });
  });
});

describe('looking again', () => {
  test('a refresh of fresh facts is invisible [L26]', () => {
    for (const before of [[], ['check_failed_soft'], ['run_started'], [softP, passP]] as Step[][]) {
      const states = play(...before, 'check_started');
      expect(states.at(-1)).toBe(before.length === 0 ? 'ready' : states.at(-2));
    }
  });

  test('a try without an answer never overwrites a fresh one, be it good or bad [L27]', () => {
    expect(play('check_inconclusive')).toEqual(['ready']);
    expect(play('check_failed_hard', 'check_inconclusive')).toEqual(['client_action', 'client_action']);
    expect(contextAfter('check_inconclusive').facts.f).toEqual(reading('f'));
  });

  test('an answer observed before the one in hand does not roll it back [L28]', () => {
    const late: Told = { type: 'check_failed_hard', observedAtMs: 1 };
    expect(
      play('check_started', 'check_passed', late, { type: 'check_failed_soft', observedAtMs: 0 }),
    ).toEqual(Array(4).fill('ready'));
  });

  test('an answer ends what was said of the way to it: our fault, and the call for a person [L31]', () => {
    const ours: Told = { type: 'check_exhausted', ours: true };
    expect(play('fact_expired', ours, 'check_passed')).toEqual(['unknown', 'internal_fault', 'ready']);
    expect(play('fact_expired', 'check_exhausted', 'check_passed')).toEqual(['unknown', 'unknown', 'ready']);
    expect(contextAfter('fact_expired', 'check_exhausted').attention).toBe(true);
    expect(contextAfter('fact_expired', 'check_exhausted', 'check_passed').attention).toBe(false);
  });
});

describe('what a person holds [L22]', () => {
  test('is given back by a person and by nothing else, and is then verified', () => {
    const nothingHelps = [
      'check_passed',
      'fact_expired',
      'client_acted',
      'cooldown_elapsed',
      'window_opened',
      'probation_passed',
      'check_exhausted',
    ] as const;
    expect(new Set(play('operator_hold', ...nothingHelps))).toEqual(new Set(['operator_review']));
    expect(play('operator_hold', 'operator_released', 'check_passed', passP)).toEqual([
      'operator_review',
      'verifying',
      'verifying',
      'ready',
    ]);
  });

  test('twice is given back twice', () => {
    const second: Told = { type: 'operator_hold', cause: 'other' };
    expect(play('operator_hold', second, 'operator_released').at(-1)).toBe('operator_review');
    expect(
      play('operator_hold', second, 'operator_released', { type: 'operator_released', cause: 'other' }).at(
        -1,
      ),
    ).toBe('verifying');
  });

  test('an answer from before the release does not count', () => {
    const old: Told = { type: 'check_passed', observedAtMs: 1 };
    expect(play('operator_hold', 'operator_released', old).at(-1)).toBe('verifying');
  });

  test('a recheck without an answer is unknown, and does not vouch for what it did not ask', () => {
    const story = ['operator_hold', 'operator_released', 'check_inconclusive', 'check_passed'] as const;
    expect(play(...story)).toEqual(['operator_review', 'verifying', 'unknown', 'unknown']);
    expect(contextAfter(...story).facts.p).toMatchObject({
      verdict: 'unknown',
      reason: 'recheck_requested',
    });
    expect(play(...story, passP).at(-1)).toBe('ready');
  });
});

describe('a client who acted [L23]', () => {
  test('turns a refusal into a recheck, never into a pass', () => {
    expect(play('check_failed_hard', 'client_acted', 'check_passed', passP)).toEqual([
      'client_action',
      'verifying',
      'verifying',
      'ready',
    ]);
    expect(contextAfter('check_failed_hard', 'client_acted').facts.f).toMatchObject({
      verdict: 'unknown',
      reason: 'recheck_requested',
      value: true,
    });
  });

  test('inside a grace stops nothing by asking for help', () => {
    const inGrace: Told = { type: 'check_failed_hard', graceUntilMs: 100 };
    expect(
      play(inGrace, { ...softP, requalify: false }, { type: 'client_acted', facts: ['f', 'p'] }),
    ).toEqual(Array(3).fill('grace'));
  });

  test('about nothing that is wrong changes nothing', () => {
    const failed: Told = { type: 'client_acted', facts: ['p', 'no_such_fact'] };
    expect(play('check_failed_hard', failed)).toEqual(['client_action', 'client_action']);
  });

  test('needs nobody: a fix that is seen is seen', () => {
    expect(play('check_failed_hard', 'check_passed')).toEqual(['client_action', 'ready']);
  });
});

describe('a grace [L24]', () => {
  const inGrace: Told = { type: 'check_failed_hard', graceUntilMs: 4 };

  test('runs out under an unknown as well, and is remembered', () => {
    expect(play(inGrace, 'fact_expired', 'check_inconclusive', 'grace_expired', inGrace)).toEqual([
      'grace',
      'unknown',
      'unknown',
      'unknown',
      'client_action',
    ]);
  });

  test('is not wound up by failing again, nor by passing for a moment', () => {
    const again: Told = { type: 'check_failed_hard', graceUntilMs: 1000 };
    expect(play(inGrace, again, 'check_passed', 'grace_expired', again)).toEqual([
      'grace',
      'grace',
      'ready',
      'ready',
      'client_action',
    ]);
  });

  test('starts anew after a long unbroken pass only', () => {
    const anew: Told = { type: 'check_failed_hard', graceUntilMs: 1000, graceRestarts: true };
    expect(play(inGrace, 'check_passed', anew).at(-1)).toBe('grace');
    expect(contextAfter(inGrace, 'check_passed', anew).graces.f).toEqual({ untilMs: 1000, spent: false });
    expect(contextAfter(inGrace, anew).graces.f).toEqual({ untilMs: 4, spent: false });
  });

  test('does not cover a failure that has none', () => {
    expect(play(inGrace, 'check_failed_hard', inGrace)).toEqual(['grace', 'client_action', 'client_action']);
  });

  test('that is over when it is told is none', () => {
    expect(play({ type: 'check_failed_hard', graceUntilMs: 0 })).toEqual(['client_action']);
  });
});

describe('runs, windows and set-ups', () => {
  test('a run that is lost leaves an unknown, one that finished leaves none [L34]', () => {
    expect(play('run_started', 'run_finished')).toEqual(['executing', 'ready']);
    expect(contextAfter('run_started', 'run_lost').lease).toBeNull();
    const window = { ...READY, facts: { ...READY.facts, lastRunOutcome: reading('lastRunOutcome') } };
    expect(stories(window, ['run_started', 'run_lost']).map(settle)).toEqual(['executing', 'unknown']);
    const campaign = { ...READY, facts: { ...READY.facts, campaignState: reading('campaignState') } };
    expect(
      stories(campaign, ['run_started', 'run_lost', { type: 'check_passed', fact: 'campaignState' }]).map(
        settle,
      ),
    ).toEqual(['executing', 'unknown', 'ready']);
  });

  test('the end of another run ends nothing [L34]', () => {
    expect(
      play('run_started', { type: 'run_finished', runId: 'other' }, { type: 'run_lost', runId: 'other' }),
    ).toEqual(Array(3).fill('executing'));
  });

  test('a closing window does not kill a run, and a run does not start where none may [L34]', () => {
    expect(play('run_started', 'window_closed', 'run_finished', 'window_opened')).toEqual([
      'executing',
      'scheduled',
      'scheduled',
      'ready',
    ]);
    expect(contextAfter('check_failed_hard', 'run_started').lease).toBeNull();
  });

  test('each closing is opened by its own cause [L33]', () => {
    expect(play('window_closed', { type: 'window_closed', cause: 'cap' }, 'window_opened')).toEqual(
      Array(3).fill('scheduled'),
    );
  });

  test('a second set-up does not stop a working layer [L32]', () => {
    expect(play('setup_started')).toEqual(['ready']);
    expect(play('fact_expired', 'setup_started', 'check_passed', 'setup_done')).toEqual([
      'unknown',
      'provisioning',
      'provisioning',
      'ready',
    ]);
  });
});

test('clearing one cause never clears another [L17]', () => {
  const raised: Step[] = [
    'operator_hold',
    { type: 'operator_hold', cause: 'other' },
    'window_closed',
    { type: 'window_closed', cause: 'cap' },
    'adverse_event',
    { type: 'adverse_event', cause: 'y', untilMs: 1000 },
  ];
  const all = contextAfter(...raised);
  expect(contextAfter(...raised, 'operator_released')).toEqual({ ...all, holds: { other: { sinceMs: 2 } } });
  expect(contextAfter(...raised, 'window_opened')).toEqual({ ...all, closures: { cap: { untilMs: null } } });
  expect(contextAfter(...raised, 'cooldown_elapsed')).toEqual({
    ...all,
    cooldowns: { y: { untilMs: 1000, ordinal: 1 } },
    requalifications: { x: { ordinal: 1, from: null, count: 0 } },
  });
});

test('two failing facts are two failures: the first one that passes hides nothing [L17]', () => {
  const softToo: Told = { type: 'check_failed_soft', fact: 'p' };
  expect(play('check_failed_soft', softToo, 'check_passed', passP)).toEqual([
    'degraded',
    'degraded',
    'degraded',
    'ready',
  ]);
  const hardToo: Told = { type: 'check_failed_hard', fact: 'p' };
  expect(play('check_failed_hard', hardToo, 'check_passed', passP)).toEqual([
    'client_action',
    'client_action',
    'client_action',
    'ready',
  ]);
});
