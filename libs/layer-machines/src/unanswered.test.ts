import { describe, expect, test } from 'vitest';
import { GOOD, HOUR_MS, SEC_MS, Story, T0 } from './layer-source.test-support.ts';

describe('no delivered proof yet [L9]', () => {
  const { alignment: _proof, ...dns } = GOOD.sending_domain;

  test('is provisioning: it is on its way without anybody’s act', () => {
    expect(Story.of('sending_domain').tell(dns).shows).toBe('provisioning no_delivered_proof');
  });

  test('does not hide a resolver that could not answer', () => {
    expect(Story.of('sending_domain').tell(dns).noAnswer('spf', 'servfail').state).toBe('provisioning');
    const { spf: _spf, ...others } = dns;
    expect(Story.of('sending_domain').tell(others).noAnswer('spf', 'servfail').shows).toBe(
      'unknown servfail',
    );
  });

  test('is not said of other facts: nobody takes a sample of a token', () => {
    const { token: _token, ...rest } = GOOD.mailbox;
    expect(Story.of('mailbox').tell(rest).noAnswer('token', 'insufficient_sample').shows).toBe(
      'unknown no_answer',
    );
  });
});

test('a check that ran out while a person held the layer keeps no clock busy [L31]', () => {
  const held = Story.of('sending_domain')
    .receive({ type: 'check_started', deadlineMs: T0 + 30_000 })
    .receive({ type: 'operator_hold', cause: 'incident' })
    .after(30_000)
    .tick();
  expect(held.source.nextDeadlineMs()).toBeNull();
  const released = held.receive({ type: 'operator_released', cause: 'incident' });
  expect(released.source.nextDeadlineMs()).toBe(T0 + 30_000);
  expect(released.tick().source.nextDeadlineMs()).toBeNull();
});

describe('a client’s dead DNS', () => {
  const asked = Story.of('sending_domain').receive({ type: 'check_started', deadlineMs: T0 + 30_000 });

  test('shows the first check, then honestly unknown, and does not flicker at every further try [L31]', () => {
    expect(asked.state).toBe('verifying');
    const failed = asked.after(SEC_MS).noAnswer('spf', 'servfail');
    expect(failed.shows).toBe('unknown servfail');
    expect(failed.after(SEC_MS).receive({ type: 'check_started', deadlineMs: T0 + 60_000 }).state).toBe(
      'unknown',
    );
  });

  test('is nobody’s failure when the tries went on too long: unknown, with a call for a person [L31]', () => {
    const exhausted = asked.after(30_000).tick();
    expect(exhausted.state).toBe('unknown');
    expect(exhausted.condition.causes.attention).toBe(true);
    const retried = exhausted.receive({ type: 'check_started', deadlineMs: T0 + 90_000 });
    expect(retried.state).toBe('unknown');
    expect(retried.tellAll().condition).toMatchObject({ state: 'ready', causes: { attention: false } });
  });

  test('does not overwrite what it answered before, until that expires [L27]', () => {
    const silent = Story.ready('sending_domain')
      .after(HOUR_MS)
      .noAnswer('spf', 'timeout')
      .noAnswer('dkim', 'timeout');
    expect(silent.state).toBe('ready');
    expect(silent.after(23 * HOUR_MS - 1).tick().state).toBe('ready');
    expect(silent.after(23 * HOUR_MS).tick().shows).toBe('unknown expired');
  });
});
