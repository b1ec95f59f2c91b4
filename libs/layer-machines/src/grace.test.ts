import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, SEC_MS, Story, T0 } from './layer-source.test-support.ts';

describe('the grace of a domain', () => {
  const broken = Story.ready('sending_domain').after(HOUR_MS).tell({ dmarc: 'none' });

  test('lasts 72 hours to the millisecond [L24]', () => {
    const watched = [1, 2].reduce((story) => story.after(DAY_MS).tellAll({ dmarc: 'none' }), broken);
    const last = watched
      .after(DAY_MS - 1)
      .tellAll({ dmarc: 'none' })
      .tick();
    expect(last.shows).toBe('grace dmarc_none');
    expect(last.after(1).tick().shows).toBe('client_action dmarc_none');
  });

  test('is a medium risk while it runs and a high one after [L24 M7]', () => {
    expect(broken.risks).toEqual(['domain_grace']);
    const over = broken
      .after(3 * DAY_MS)
      .tellAll({ dmarc: 'none' })
      .tick();
    expect(over.risks).toEqual(['domain_auth_failing']);
  });

  test('of one record does not soften another that was never proven [L24]', () => {
    const unproven = Story.of('sending_domain')
      .tellAll({ dkim: 'missing' })
      .after(SEC_MS)
      .tell({ spf: 'none' });
    expect(unproven.shows).toBe('client_action dkim_missing');
    expect(unproven.risks).toEqual(['domain_auth_failing']);
  });

  test('is not had again by a record that flaps [L24]', () => {
    const flapping = [1, 2, 3, 4, 5, 6].reduce(
      (story, day) =>
        story
          .after(DAY_MS)
          .tick()
          .tellAll({ dmarc: day % 2 === 0 ? 'none' : 'present' }),
      broken,
    );
    expect(flapping.shows).toBe('client_action dmarc_none');
  });

  const passingFor = (days: number) =>
    Array.from({ length: days }).reduce<Story>(
      (story) => story.after(DAY_MS).tellAll().tick(),
      broken.after(SEC_MS).tellAll(),
    );

  test('is had again after seven days of unbroken pass, and not a moment before [L24]', () => {
    expect(
      passingFor(6)
        .after(DAY_MS - 1)
        .tellAll({ dmarc: 'none' }).state,
    ).toBe('client_action');
    expect(passingFor(6).after(DAY_MS).tellAll({ dmarc: 'none' }).shows).toBe('grace dmarc_none');
  });

  test('was never had by a record that failed from the start, however often it is looked at [L24]', () => {
    const first = Story.of('sending_domain').tellAll({ dmarc: 'none' });
    expect(first.after(HOUR_MS).tellAll({ dmarc: 'none' }).state).toBe('client_action');
  });
});

describe('the grace of a bill [L25]', () => {
  const pastDue = Story.ready('billing')
    .after(DAY_MS)
    .tellAll({ subscriptionStatus: 'past_due', pastDueDays: 0 });

  test('ends when the seventh day is over, also when nobody looks', () => {
    const reported = [1, 2, 3, 4, 5, 6].reduce(
      (story, pastDueDays) => story.after(DAY_MS).tellAll({ subscriptionStatus: 'past_due', pastDueDays }),
      pastDue,
    );
    expect(reported.after(DAY_MS - 1).tick().state).toBe('grace');
    expect(
      reported
        .after(DAY_MS - 1)
        .tellAll({ subscriptionStatus: 'past_due', pastDueDays: 7 })
        .after(1)
        .tick().state,
    ).toBe('client_action');
  });

  test('is over at once when the subscription is', () => {
    expect(pastDue.after(SEC_MS).tellAll({ subscriptionStatus: 'unpaid' }).shows).toBe(
      'client_action unpaid',
    );
  });

  test('is had again by the next bill, months later', () => {
    const paid = pastDue
      .after(DAY_MS)
      .tellAll()
      .after(8 * DAY_MS)
      .tick();
    expect(paid.tellAll({ subscriptionStatus: 'past_due', pastDueDays: 0 }).shows).toBe('grace past_due');
  });
});

describe('a trial that ends [L25]', () => {
  const trial = Story.ready('billing', {
    subscriptionStatus: 'trialing',
    trialEndsAt: T0 + HOUR_MS,
    paymentMethod: 'missing',
  });

  test('is seen by the clock alone', () => {
    expect(trial.shows).toBe('grace payment_missing');
    expect(trial.after(HOUR_MS - 1).tick().state).toBe('grace');
    expect(trial.after(HOUR_MS).tick().state).toBe('client_action');
  });

  test('with a payment method that arrived is none the worse', () => {
    expect(
      trial
        .after(HOUR_MS + 1)
        .tick()
        .tell({ paymentMethod: 'valid' }).state,
    ).toBe('ready');
  });

  test('does not keep the clock busy for ever after', () => {
    const over = trial.after(HOUR_MS + 1).tick();
    expect(over.source.nextDeadlineMs()).toBe(T0 + DAY_MS);
  });
});
