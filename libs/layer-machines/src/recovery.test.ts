import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, POLICY, SEC_MS, Story } from './layer-source.test-support.ts';

const { probationDelivered, quarantineSec } = POLICY.pacing;
const counted = { deliveredTotal: 10_000, hardBouncesTotal: 40, complaintsTotal: 0 };
const established = Story.ready('pacing', counted);

describe('probation', () => {
  const watch = established.after(SEC_MS).tell({ hardBounces30d: 40 });
  const left = watch.after(DAY_MS).tell({ hardBounces30d: 0 });

  test('is passed with the last message of its sample and not before [L20]', () => {
    expect(left.state).toBe('probation');
    const short = left.after(DAY_MS).tell({ deliveredTotal: 10_000 + probationDelivered - 1 });
    expect(short.state).toBe('probation');
    expect(short.after(HOUR_MS).tell({ deliveredTotal: 10_000 + probationDelivered }).state).toBe('ready');
  });

  test('begins its sample anew after a relapse [L20]', () => {
    const relapsed = left
      .after(DAY_MS)
      .tell({ deliveredTotal: 10_090 })
      .after(HOUR_MS)
      .tell({ hardBounces30d: 40 })
      .after(HOUR_MS)
      .tell({ hardBounces30d: 0, deliveredTotal: 10_095 });
    expect(relapsed.after(HOUR_MS).tell({ deliveredTotal: 10_150 }).state).toBe('probation');
    expect(relapsed.after(HOUR_MS).tell({ deliveredTotal: 10_195 }).state).toBe('ready');
  });

  test('starts to count when its counter is first told [L20]', () => {
    const uncounted = Story.ready('pacing').after(SEC_MS).tell({ hardBounces30d: 40 });
    const told = uncounted
      .after(DAY_MS)
      .tell({ hardBounces30d: 0 })
      .after(DAY_MS)
      .tell({ deliveredTotal: 500 });
    expect(told.state).toBe('probation');
    expect(told.after(DAY_MS).tell({ deliveredTotal: 600 }).state).toBe('ready');
  });

  test('of a counter that was set anew begins anew, and owes nothing twice [L20]', () => {
    const reset = left
      .after(DAY_MS)
      .tell({ deliveredTotal: 10_050 })
      .after(DAY_MS)
      .tell({ deliveredTotal: 5 });
    expect(reset.after(DAY_MS).tell({ deliveredTotal: 104 }).state).toBe('probation');
    expect(reset.after(DAY_MS).tell({ deliveredTotal: 105 }).state).toBe('ready');
  });

  test('of an AI provider is passed by reports in which everything passes; one that is told again is one [L20]', () => {
    const { probationReports } = POLICY.providerHealth;
    let story = Story.ready('provider_health')
      .after(SEC_MS)
      .tell({ errorClass: 'overloaded', retryAfterSec: 10 });
    story = story
      .after(11 * SEC_MS)
      .tick()
      .tellAll();
    for (let report = 1; report < probationReports; report++) {
      expect(story.state).toBe('probation');
      story = story
        .tellAll()
        .tellAll()
        .after(30 * SEC_MS)
        .tellAll();
    }
    expect(story.state).toBe('ready');
  });

  test('a mailbox that its provider throttles stops until the provider says, and then requalifies [L20 L21]', () => {
    const throttled = Story.ready('mailbox').after(SEC_MS).tell({ throttled: true, retryAfterSec: 600 });
    expect(throttled.shows).toBe('cooling_down provider_throttles');
    expect(throttled.after(599 * SEC_MS).tick().state).toBe('cooling_down');
    const over = throttled
      .after(600 * SEC_MS)
      .tick()
      .tell({ throttled: false });
    expect(over.state).toBe('probation');
    expect(over.after(HOUR_MS).tellAll().after(HOUR_MS).tellAll().state).toBe('ready');
  });
});

describe('a stop that was served [L21]', () => {
  const bad = { complaints7d: 2, complaints30d: 2, complaintsTotal: 2, delivered30d: 900 };
  const stopped = Story.ready('pacing', { ...counted, delivered30d: 900 })
    .after(SEC_MS)
    .tell(bad);
  const served = stopped
    .after(quarantineSec * SEC_MS)
    .tick()
    .tell({ ...bad, complaints7d: 0 });

  test('is not served twice for the same messages, though the window still counts them', () => {
    expect(stopped.shows).toBe('cooling_down band_quarantined');
    expect(served.shows).toBe('probation requalifying');
    expect(served.risks).toEqual(['complaint_ge_0_10 (serving)']);
    const passed = served.after(5 * DAY_MS).tell({ deliveredTotal: 10_000 + probationDelivered });
    expect(passed.shows).toBe('ready ok');
    expect(passed.risks).toEqual([]);
  });

  test('makes nothing worse while it lasts: the window empties, and the same complaints weigh no more', () => {
    const emptier = stopped.after(3 * DAY_MS).tell({ ...bad, delivered30d: 600 });
    expect(emptier.shows).toBe('cooling_down band_quarantined');
    expect(emptier.after(DAY_MS).tell({ delivered30d: 500, complaints30d: 3 }).shows).toBe(
      'operator_review band_blocked',
    );
  });

  test('is served again for new ones', () => {
    const again = served
      .after(2 * DAY_MS)
      .tell({ deliveredTotal: 10_050, complaintsTotal: 4, complaints7d: 2 });
    expect(again.shows).toBe('cooling_down band_quarantined');
    expect(again.risks).toEqual(['complaint_ge_0_10']);
  });

  test('is forgotten when it left the window', () => {
    const later = served
      .after(31 * DAY_MS)
      .tell({ delivered30d: 2000, complaints30d: 10, deliveredTotal: 12_000 });
    expect(later.shows).toBe('operator_review band_blocked');
  });
});

describe('a risk that outlives its facts [M5]', () => {
  const drifted = Story.ready('mailbox').after(SEC_MS).tell({ scopeDrift: true });

  test('is active while a stop lasts, whatever the facts say by now', () => {
    const cooling = established
      .after(SEC_MS)
      .tell({ hardBounces30d: 100 })
      .after(DAY_MS)
      .tell({ hardBounces30d: 0 });
    expect(cooling.state).toBe('cooling_down');
    expect(cooling.risks).toEqual(['hard_bounce_ge_5']);
    expect(cooling.after(6 * DAY_MS).tick().risks).toEqual(['hard_bounce_ge_5 (serving)']);
  });

  test('is active while nobody can tell any more whether it is over', () => {
    const expired = drifted.after(POLICY.maxAgeSec.scopes * SEC_MS).tick();
    expect(expired.condition.facts.find((fact) => fact.fact === 'scopeDrift')?.reason).toBe('expired');
    expect(expired.risks).toContain('identity_unscoped_or_scope_changed');
  });

  test('is served in a probation that a person’s release does not spare it', () => {
    const fixed = drifted.after(SEC_MS).tell({ scopeDrift: false });
    expect(fixed.state).toBe('operator_review');
    const released = fixed.after(SEC_MS).receive({ type: 'operator_released', cause: 'scope_drift' });
    expect(released.state).toBe('verifying');
    const looked = released.tellAll({ scopeDrift: false });
    expect([looked.state, looked.risks]).toEqual([
      'probation',
      ['identity_unscoped_or_scope_changed (serving)'],
    ]);
  });
});

describe('two high risks that stood together [M6]', () => {
  const both = established.after(SEC_MS).tell({
    hardBounces30d: 120,
    complaints30d: 3,
    delivered30d: 2000,
  });
  const over = both
    .after(DAY_MS)
    .tell({ hardBounces30d: 0, complaints30d: 0 })
    .after(quarantineSec * SEC_MS)
    .tick();

  test('are not served before a person released them', () => {
    expect(both.risks).toEqual(['complaint_ge_0_10', 'hard_bounce_ge_5']);
    expect(both.state).toBe('cooling_down');
    expect(over.shows).toBe('operator_review risks_compound');
    expect(over.risks).toEqual(['complaint_ge_0_10', 'hard_bounce_ge_5']);
    const released = over
      .tell({ complaints30d: 0, complaints7d: 0 })
      .after(HOUR_MS)
      .receive({ type: 'operator_released', cause: 'risks_compound' });
    expect(released.risks).toEqual(['complaint_ge_0_10 (serving)', 'hard_bounce_ge_5 (serving)']);
    expect(released.tellAll({ ...counted, band: 'healthy' }).state).toBe('probation');
  });

  test('stay active until then, however long it takes', () => {
    expect(
      over
        .after(30 * DAY_MS)
        .tick()
        .tellAll(counted).risks,
    ).toEqual(['complaint_ge_0_10', 'hard_bounce_ge_5']);
  });
});

describe('tries without an answer [L31]', () => {
  const tries = (count: number, reason: 'timeout' | 'probe_fault') => {
    let story = Story.ready('sending_domain')
      .after(POLICY.maxAgeSec.dns * SEC_MS)
      .tick();
    for (let n = 0; n < count; n++) story = story.after(SEC_MS).noAnswer('spf', reason);
    return story;
  };

  test('call a person after five, and are the fault of nobody for that', () => {
    expect(tries(POLICY.check.triesMax - 1, 'timeout').condition.causes.attention).toBe(false);
    const called = tries(POLICY.check.triesMax, 'timeout');
    expect([called.state, called.condition.causes.attention]).toEqual(['unknown', true]);
  });

  test('are our fault where we say so, until an answer comes', () => {
    const ours = tries(POLICY.check.triesMax, 'probe_fault');
    expect(ours.state).toBe('internal_fault');
    expect(ours.tellAll().state).toBe('ready');
  });

  test('call a person after half an hour, however few they were', () => {
    const once = tries(1, 'timeout');
    const early = once.after(POLICY.check.exhaustedSec * SEC_MS - 1).noAnswer('dkim');
    expect(early.condition.causes.attention).toBe(false);
    expect(early.after(1).noAnswer('spf').condition.causes.attention).toBe(true);
  });
});

describe('what was seen and cannot be judged', () => {
  test('takes an earlier answer back, as a try that failed does not [L27]', () => {
    const ready = Story.ready('billing').after(SEC_MS);
    expect(ready.noAnswer('subscriptionStatus').state).toBe('ready');
    expect(ready.noAnswer('subscriptionStatus', 'unrecognised_value').shows).toBe(
      'unknown unrecognised_value',
    );
  });

  test('leaves a mailbox without a band when nobody sees its bounces, and that is a sample, not a fault [L9]', () => {
    const blind = established.after(SEC_MS).noAnswer('hardBounces30d', 'unobservable');
    expect(blind.shows).toBe('provisioning unobservable');
  });
});

describe('a run [L34]', () => {
  const running = Story.ready('campaign').after(SEC_MS).tell({ run: 'running' });

  test('holds its campaign from its start to its end', () => {
    expect(running.shows).toBe('executing run_holds_it');
    expect(running.after(HOUR_MS / 10).tell({ run: 'idle' }).state).toBe('ready');
  });

  test('that nobody ends is lost when its lease is over', () => {
    const lost = running.after(POLICY.campaign.leaseSec * SEC_MS).tick();
    expect(lost.shows).toBe('unknown run_lost');
  });
});
