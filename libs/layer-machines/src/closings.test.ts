import { describe, expect, test } from 'vitest';
import { HOUR_MS, SEC_MS, Story, T0 } from './layer-source.test-support.ts';

describe('set-ups and closings that somebody told', () => {
  test('end by their own event or time, not because the facts do not speak of them [L32 L33]', () => {
    const connecting = Story.of('mailbox').receive({
      type: 'setup_started',
      id: 'connecting',
      deadlineMs: T0 + HOUR_MS,
    });
    expect(connecting.tell({ canSend: true }).shows).toBe('provisioning connecting');
    expect(connecting.receive({ type: 'setup_done', id: 'connecting' }).state).toBe('unknown');
    const closed = Story.ready('pacing').receive({
      type: 'window_closed',
      cause: 'maintenance',
      untilMs: T0 + HOUR_MS,
    });
    expect(closed.tellAll().shows).toBe('scheduled maintenance');
    expect(closed.after(HOUR_MS).tick().state).toBe('ready');
  });

  test('that facts raised end with them [L33]', () => {
    const full = Story.ready('mailbox').tell({ quotaUsed: 9, quotaDay: 9 });
    expect(full.after(SEC_MS).tell({ quotaUsed: 0 }).state).toBe('ready');
    const running = Story.of('data').tellAll({ importState: 'running' });
    expect(running.after(SEC_MS).tellAll({ importState: 'done' }).state).toBe('ready');
  });

  test('that went on too long end, and call for a person [L32]', () => {
    const late = Story.of('billing')
      .tellAll({ subscriptionStatus: 'incomplete' })
      .after(23 * HOUR_MS)
      .tick();
    expect(late.shows).toBe('client_action incomplete');
    expect(late.condition.causes.attention).toBe(true);
  });
});
