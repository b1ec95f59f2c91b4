import { describe, expect, test } from 'vitest';
import { SEC_MS, Story } from './layer-source.test-support.ts';

describe('a hold that facts raised [L22]', () => {
  const unscoped = Story.ready('mailbox').after(SEC_MS).tell({ identityClass: 'app_only_unscoped' });
  const release = { type: 'operator_released', cause: 'identity_unscoped' } as const;

  test('is not ended by the fact, only by its owner', () => {
    const fixed = unscoped.after(SEC_MS).tell({ identityClass: 'app_only_scoped' });
    expect(fixed.shows).toBe('operator_review identity_unscoped');
    expect(fixed.after(SEC_MS).receive(release).state).toBe('verifying');
    const looked = fixed.after(SEC_MS).receive(release).tellAll({ identityClass: 'app_only_scoped' });
    expect(looked.state).toBe('probation');
  });

  test('rises again when it is released while the fact still fails', () => {
    expect(unscoped.after(SEC_MS).receive(release).shows).toBe('operator_review identity_unscoped');
  });

  test('is one of two that are released one by one', () => {
    const both = unscoped.tell({ scopeDrift: true });
    const fixed = both.after(SEC_MS).tell({ identityClass: 'user', scopeDrift: false });
    const one = fixed.after(SEC_MS).receive(release);
    expect(one.shows).toBe('operator_review scope_drift');
    expect(one.receive({ type: 'operator_released', cause: 'scope_drift' }).state).toBe('verifying');
  });

  test('by an operator’s own word shows a closed reason', () => {
    expect(Story.ready('billing').receive({ type: 'operator_hold', cause: 'Ticket-4711' }).shows).toBe(
      'operator_review operator_hold',
    );
  });
});
