import { describe, expect, test } from 'vitest';
import type { Facts } from './layer-source.test-support.ts';
import { answers, HOUR_MS, noAnswer, POLICY, SEC_MS, Story, T0 } from './layer-source.test-support.ts';

describe('an answer that is no news', () => {
  const ready = Story.ready('sending_domain').after(HOUR_MS);
  const told = (facts: Facts, late: Facts) =>
    ready.source.observe([...answers(facts, ready.atMs), ...answers(late, T0 - 1)], POLICY, ready.atMs);

  test('does not keep the others of its report from changing what it means [L28]', () => {
    expect(told({ spfLookups: 50 }, { spf: 'pass' }).condition(POLICY, ready.atMs)).toMatchObject({
      state: 'grace',
      reason: 'spf_too_many_lookups',
    });
    const tried = [...answers({ spfVoidLookups: 50 }, ready.atMs), noAnswer('spf', ready.atMs)];
    expect(ready.source.observe(tried, POLICY, ready.atMs).condition(POLICY, ready.atMs).reason).toBe(
      'spf_too_many_lookups',
    );
  });

  test('does nothing when it is past its own age before it arrives [L28]', () => {
    const limited = answers({ errorClass: 'rate_limited' }, T0);
    const late = Story.of('provider_health').source.observe(limited, POLICY, T0 + HOUR_MS);
    expect(late.context.cooldowns).toEqual({});
    expect(late.context.facts.errorClass).toMatchObject({ value: 'rate_limited', reason: 'expired' });
    expect(late.nextDeadlineMs()).toBeNull();
  });

  test('that was overtaken begins no count after a stop [L28]', () => {
    const seen = answers({ complaintsTotal: 0 }, T0);
    const stopped = Story.of('pacing')
      .tell({ complaintsTotal: 0 })
      .after(HOUR_MS)
      .tell({ complaintsTotal: 0 })
      .receive({ type: 'adverse_event', cause: 'x', untilMs: T0 })
      .tick();
    expect(stopped.source.context.servedStop?.counters).toEqual({});
    expect(stopped.source.observe(seen, POLICY, stopped.atMs).context).toEqual(stopped.source.context);
  });

  test('is not known again because a later try was in vain [L27]', () => {
    const skewed = Story.ready('billing')
      .after(POLICY.maxAgeSec.billing * SEC_MS)
      .tick();
    const tried = skewed.noAnswer('paymentMethod').tell({ subscriptionStatus: 'trialing', trialEndsAt: T0 });
    expect(tried.condition.facts.find(({ fact }) => fact === 'subscriptionStatus')?.verdict).toBe('pass');
  });

  test('from before a release does not count, also when the recheck is over [L22]', () => {
    const held = Story.ready('billing').after(SEC_MS).receive({ type: 'operator_hold', cause: 'x' });
    const released = held.after(HOUR_MS).receive({ type: 'operator_released', cause: 'x' });
    const over = released.after(SEC_MS).noAnswer('subscriptionStatus').noAnswer('paymentMethod');
    const again = over.source.observe(
      answers({ subscriptionStatus: 'active' }, T0 + SEC_MS),
      POLICY,
      over.atMs,
    );
    expect(again.context.facts.subscriptionStatus?.verdict).toBe('unknown');
    expect(over.tellAll().state).toBe('ready');
  });
});

test('what was seen and cannot be judged makes an older answer that comes later late [L27 L28]', () => {
  const ready = Story.ready('billing').after(HOUR_MS);
  const strange = ready.after(HOUR_MS).noAnswer('subscriptionStatus', 'unrecognised_value');
  const older = strange.source.observe(
    answers({ subscriptionStatus: 'active' }, ready.atMs),
    POLICY,
    strange.atMs,
  );
  expect(older.context.facts.subscriptionStatus?.reason).toBe('unrecognised_value');
});

test('a debt is not paid while the fact that owes it fails again [L19]', () => {
  const relapsed = Story.ready('pacing')
    .after(SEC_MS)
    .tell({ hardBounces30d: 40 })
    .after(SEC_MS)
    .tell({ hardBounces30d: 0 })
    .after(SEC_MS)
    .tell({ hardBounces30d: 40 });
  const paid = relapsed.receive({ type: 'probation_passed', cause: 'band' }).after(SEC_MS);
  expect(paid.tell({ hardBounces30d: 0 }).state).toBe('probation');
});
