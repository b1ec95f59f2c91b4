import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, POLICY, SEC_MS, Story, T0 } from './layer-source.test-support.ts';

describe('what expires and what does not', () => {
  test('a fact is unknown at its age and not a millisecond earlier [L29]', () => {
    const mailbox = Story.ready('mailbox');
    expect(mailbox.source.nextDeadlineMs()).toBe(T0 + HOUR_MS);
    expect(mailbox.condition.validUntilMs).toBe(T0 + HOUR_MS);
    expect(mailbox.after(HOUR_MS - 1).tick().state).toBe('ready');
    const expired = mailbox.after(HOUR_MS).tick();
    expect(expired.shows).toBe('unknown expired');
    const token = expired.condition.facts.find((fact) => fact.fact === 'token');
    expect(token).toMatchObject({ value: 'active', verdict: 'unknown', passingSinceMs: null });
    expect(expired.condition.validUntilMs).toBe(T0 + DAY_MS);
  });

  test('an optional fact expires without anybody noticing [L29]', () => {
    const optional = Story.ready('sending_domain').tell({ oneClickSigned: true }).after(SEC_MS).tellAll();
    expect(
      optional
        .after(7 * DAY_MS)
        .tellAll()
        .tick().state,
    ).toBe('ready');
  });

  test('a folded fact lives by the heartbeat of its source [L30]', () => {
    const window = Story.ready('continuity_window');
    expect(window.source.nextDeadlineMs()).toBeNull();
    const lost = window.source.loseHeartbeat(T0 + 1);
    expect(lost.condition(POLICY, T0 + 1)).toMatchObject({ state: 'unknown', reason: 'heartbeat_lost' });
    const back = lost.regainHeartbeat(POLICY, T0 + 2);
    expect(back.condition(POLICY, T0 + 2)).toMatchObject({ state: 'ready', validUntilMs: null });
    expect(window.source.regainHeartbeat(POLICY, T0 + 2)).toBe(window.source);
  });

  test('a heartbeat that is lost takes nothing that was observed elsewhere [L30]', () => {
    const lost = Story.ready('billing')
      .source.loseHeartbeat(T0 + 1)
      .condition(POLICY, T0 + 1);
    expect(lost.facts.map(({ fact, reason }) => `${fact} ${reason}`)).toEqual([
      'subscriptionStatus ok',
      'paymentMethod ok',
      'entitlementRemaining heartbeat_lost',
    ]);
  });

  test('what was closed while the heartbeat was lost is closed when it is back [L30]', () => {
    const closed = Story.ready('continuity_window').tell({
      'window.open': false,
      windowReason: 'holiday',
    }).source;
    const back = closed.loseHeartbeat(T0 + 1).regainHeartbeat(POLICY, T0 + 2);
    expect(back.condition(POLICY, T0 + 2)).toMatchObject({ state: 'scheduled', reason: 'holiday' });
  });

  test('a release does not bring back what a silent source told [L22 L30]', () => {
    const held = Story.ready('continuity_window').receive({ type: 'operator_hold', cause: 'incident' });
    const released = held.source
      .loseHeartbeat(T0 + 1)
      .receive({ type: 'operator_released', atMs: T0 + 2, cause: 'incident' }, POLICY)!;
    expect(released.refreshFolded(POLICY, T0 + 3).condition(POLICY, T0 + 3).state).not.toBe('ready');
  });
});
