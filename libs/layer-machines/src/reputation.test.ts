import { describe, expect, test } from 'vitest';
import { answers, DAY_MS, GOOD, POLICY, SEC_MS, Story, T0 } from './layer-source.test-support.ts';

describe('reputation', () => {
  const bad = { hardBounces30d: 100 };
  const quarantined = Story.ready('pacing').after(SEC_MS).tell(bad);

  test('quarantine cools down for seven days, told again or not, and then owes probation [L21]', () => {
    const told = quarantined
      .after(3 * DAY_MS)
      .tell(bad)
      .after(4 * DAY_MS - 1)
      .tick();
    expect(told.shows).toBe('cooling_down band_quarantined');
    expect(told.after(1).tick().tell({ hardBounces30d: 0 }).shows).toBe('probation requalifying');
  });

  test('a bad band is left by way of probation, also when it became unknown in between [L19]', () => {
    const watch = Story.ready('pacing').after(SEC_MS).tell({ hardBounces30d: 40 });
    const healthy = watch.after(SEC_MS).tell({ hardBounces30d: 0 });
    expect(healthy.state).toBe('probation');
    const lost = watch.source.loseHeartbeat(T0 + 2 * SEC_MS);
    const back = lost.observe(answers({ ...GOOD.pacing }, T0 + 3 * SEC_MS), POLICY, T0 + 3 * SEC_MS);
    expect(back.condition(POLICY, T0 + 3 * SEC_MS).state).toBe('probation');
    expect(healthy.receive({ type: 'probation_passed', cause: 'band' }).state).toBe('ready');
  });

  test('a sample too small while requalification is owed is probation, not provisioning [L20]', () => {
    const small = Story.ready('pacing')
      .after(SEC_MS)
      .tell({ hardBounces30d: 40 })
      .after(SEC_MS)
      .tell({ delivered30d: 50, hardBounces30d: 0 });
    expect(small.state).toBe('probation');
  });

  test('a high risk is served before it is gone [M5]', () => {
    expect(quarantined.risks).toContain('hard_bounce_ge_5');
    const cooling = quarantined.after(DAY_MS).tell({ hardBounces30d: 0 });
    expect(cooling.risks).toEqual(['hard_bounce_ge_5']);
    const probation = cooling.after(6 * DAY_MS).tick();
    expect(probation.state).toBe('probation');
    expect(probation.condition.risks).toEqual([
      { risk: 'hard_bounce_ge_5', level: 'medium', phase: 'serving' },
    ]);
    const passed = probation
      .receive({ type: 'probation_passed', cause: 'band_quarantined' })
      .receive({ type: 'probation_passed', cause: 'band' });
    expect([passed.state, passed.risks]).toEqual(['ready', []]);
  });

  test('late counts move nothing [L28]', () => {
    const before = quarantined.after(SEC_MS);
    const late = before.source.observe(answers({ hardBounces30d: 0 }, T0 - 1), POLICY, before.atMs);
    expect(late.context).toEqual(before.source.context);
  });
});
