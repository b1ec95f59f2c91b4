import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  FACTS,
  type FactSpec,
  type FactValue,
  LAYER_EVENTS,
  type ManagedExecutionState,
  requiredFacts,
  UNKNOWN_REASONS,
} from '@orchestrate/canon';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LayerEvent } from './layer-event.ts';
import { LAYER_MACHINES } from './layer-machines.ts';
import {
  answers,
  DAY_MS,
  type Facts,
  GOOD,
  HOUR_MS,
  POLICY,
  SEC_MS,
  Story,
  T0,
} from './layer-source.test-support.ts';
import { LayerSource } from './layer-source.ts';
import type { Observation } from './observation.ts';

describe.each(CANONICAL_BLOCKER_LAYERS)('%s', (layer) => {
  test('is unknown before anybody looked, and ready when every answer is good', () => {
    expect(Story.of(layer).state).toBe('unknown');
    expect(Story.ready(layer).shows).toBe('ready ok');
  });

  test('is not ready while any one required answer is missing', () => {
    for (const fact of requiredFacts(layer)) {
      const { [fact]: _missing, ...rest } = GOOD[layer];
      // The band of a mailbox is ours to compute, from the counts.
      const without = fact === 'band' ? { capToday: 50 } : rest;
      expect(Story.of(layer).tell(without).state, fact).not.toBe('ready');
    }
  });
});

type Row = [string, Facts, string];
const shows = (layer: CanonicalBlockerLayer, rows: Row[]) =>
  describe(`${layer} that was ready before`, () => {
    test.each(rows)('%s', (_, facts, expected) => {
      expect(Story.ready(layer).after(SEC_MS).tell(facts).shows).toBe(expected);
    });
  });
const never = (layer: CanonicalBlockerLayer, rows: Row[]) =>
  describe(`${layer} that never was ready`, () => {
    test.each(rows)('%s', (_, facts, expected) => {
      expect(Story.of(layer).tellAll(facts).shows).toBe(expected);
    });
  });

shows('billing', [
  ['past due for three days', { subscriptionStatus: 'past_due', pastDueDays: 3 }, 'grace past_due'],
  ['past due for eight days', { subscriptionStatus: 'past_due', pastDueDays: 8 }, 'client_action past_due'],
  ['unpaid has no grace for having once been paid', { subscriptionStatus: 'unpaid' }, 'client_action unpaid'],
  ['canceled', { subscriptionStatus: 'canceled' }, 'client_action canceled'],
  ['a trial', { subscriptionStatus: 'trialing', trialEndsAt: T0 + DAY_MS }, 'ready ok'],
  [
    'a trial that cannot be paid',
    { subscriptionStatus: 'trialing', trialEndsAt: T0 + DAY_MS, paymentMethod: 'missing' },
    'grace payment_missing',
  ],
  [
    'a trial that is over',
    { subscriptionStatus: 'trialing', trialEndsAt: T0, paymentMethod: 'missing' },
    'client_action trial_over',
  ],
  ['payment about to expire', { paymentMethod: 'expiring_30d' }, 'degraded payment_expiring'],
  ['nothing left to send', { entitlementRemaining: 0 }, 'client_action entitlement_used_up'],
]);
never('billing', [
  ['incomplete', { subscriptionStatus: 'incomplete' }, 'provisioning incomplete'],
  [
    'incomplete and nothing left',
    { subscriptionStatus: 'incomplete', entitlementRemaining: 0 },
    'provisioning incomplete',
  ],
]);
shows('sending_domain', [
  ['a record that is gone', { spf: 'none' }, 'grace spf_none'],
  ['too many lookups', { spf: 'pass', spfLookups: 11 }, 'grace spf_too_many_lookups'],
  ['lookups told apart from their record', { spfLookups: 11 }, 'grace spf_too_many_lookups'],
  ['a weak key', { dkim: 'weak' }, 'degraded dkim_weak'],
  ['a weak key and no DMARC', { dkim: 'weak', dmarc: 'none' }, 'grace dmarc_none'],
]);
never('sending_domain', [
  ['no DMARC', { dmarc: 'none' }, 'client_action dmarc_none'],
  ['a probe that did not align', { alignment: 'misaligned' }, 'client_action misaligned'],
]);
shows('mailbox', [
  ['a grant taken back', { token: 'invalid_grant' }, 'client_action invalid_grant'],
  ['a send-only mailbox', { canSeeBounces: false, canReadReplies: false }, 'degraded replies_unreadable'],
  ['an unscoped application', { identityClass: 'app_only_unscoped' }, 'operator_review identity_unscoped'],
  ['a quota that is full', { quotaUsed: 100, quotaDay: 100 }, 'scheduled quota_full'],
]);
shows('provider_health', [
  ['not reached from here', { reachable: false }, 'unknown provider_unreachable'],
  ['too few samples', { samples5m: 4 }, 'unknown too_few_samples'],
  ['no money', { errorClass: 'spend_limit' }, 'internal_fault spend_limit'],
  ['the client’s own key', { errorClass: 'auth', clientKey: true }, 'client_action credential_refused'],
  ['overloaded', { errorClass: 'overloaded' }, 'cooling_down overloaded'],
  ['slow', { p95Ms: 20_001 }, 'degraded slow'],
  ['a fallback in use', { fallbackInUse: true }, 'degraded fallback_in_use'],
]);
shows('governance', [
  ['a freeze', { freeze: true }, 'operator_review freeze'],
  ['no basis', { lawfulBasis: 'none' }, 'client_action basis_absent'],
  ['no jurisdiction', { jurisdiction: 'undeclared' }, 'client_action jurisdiction_undeclared'],
  ['no sector', { sector: 'undeclared' }, 'client_action sector_undeclared'],
  ['no audit', { auditSink: 'down' }, 'internal_fault audit_sink_down'],
]);
shows('continuity_window', [
  ['closed', { 'window.open': false, windowReason: 'quiet_hours' }, 'scheduled quiet_hours'],
  ['never ran', { lastRunOutcome: 'never' }, 'provisioning never_ran'],
  ['a run that failed', { lastRunOutcome: 'failed' }, 'degraded last_run_failed'],
  ['an unknown time zone', { windowReason: 'tz_unknown' }, 'unknown tz_unknown'],
  ['a clock that is wrong', { clockSkewMs: 2001 }, 'unknown clock_skew'],
  ['a run long overdue', { nextRun: T0 - 3 * HOUR_MS, cadenceSec: 3600 }, 'internal_fault run_overdue'],
]);
shows('pacing', [
  ['a band to watch', { hardBounces30d: 40 }, 'degraded band_watch'],
  ['a throttled band', { hardBounces30d: 70 }, 'degraded band_throttled'],
  ['a quarantined band', { hardBounces30d: 100 }, 'cooling_down band_quarantined'],
  ['a blocked band', { hardBounces30d: 200 }, 'operator_review band_blocked'],
  ['today’s cap', { sentToday: 50 }, 'scheduled cap_reached'],
]);
never('pacing', [['too small a sample', { delivered30d: 99 }, 'provisioning insufficient_sample']]);
shows('campaign', [
  ['a draft', { campaignState: 'draft' }, 'client_action campaign_draft'],
  ['not approved yet', { approval: 'none' }, 'client_action not_approved'],
  ['changed after approval', { approval: 'drifted' }, 'operator_review digest_drift'],
  ['a finding of the lint', { lint: 'warn' }, 'degraded lint_warn'],
  ['half bound', { bindings: 'partial' }, 'degraded bindings_partial'],
  ['paused by us', { campaignState: 'auto_paused' }, 'cooling_down campaign_auto_paused'],
  ['paused by the client', { campaignState: 'paused' }, 'scheduled campaign_paused'],
  ['no way out', { optOut: false }, 'client_action no_opt_out'],
]);
shows('data', [
  ['an empty queue', { queueReady: 0 }, 'scheduled queue_empty'],
  ['a second import, which is background work', { importState: 'running' }, 'ready ok'],
  ['our own job failed', { importState: 'failed_internal' }, 'internal_fault import_failed_internal'],
  ['few verified addresses', { verifiedShare: 0.5 }, 'degraded verified_share_low'],
  ['an old suppression list', { suppressionSyncAgeSec: 301 }, 'unknown suppression_stale'],
  ['an import that is overdue', { importDueAt: T0 }, 'client_action import_overdue'],
]);
never('data', [
  ['no import ever', { importState: 'never' }, 'client_action no_import'],
  ['the first import', { importState: 'running' }, 'provisioning import_running'],
]);

describe('no delivered proof yet', () => {
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

test('a check that ran out while a person held the layer keeps no clock busy', () => {
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

  test('shows the first check, then honestly unknown, and does not flicker at every further try', () => {
    expect(asked.state).toBe('verifying');
    const failed = asked.after(SEC_MS).noAnswer('spf', 'servfail');
    expect(failed.shows).toBe('unknown servfail');
    expect(failed.after(SEC_MS).receive({ type: 'check_started', deadlineMs: T0 + 60_000 }).state).toBe(
      'unknown',
    );
  });

  test('is nobody’s failure when the tries went on too long: unknown, with a call for a person', () => {
    const exhausted = asked.after(30_000).tick();
    expect(exhausted.state).toBe('unknown');
    expect(exhausted.condition.causes.attention).toBe(true);
    const retried = exhausted.receive({ type: 'check_started', deadlineMs: T0 + 90_000 });
    expect(retried.state).toBe('unknown');
    expect(retried.tellAll().condition).toMatchObject({ state: 'ready', causes: { attention: false } });
  });

  test('does not overwrite what it answered before, until that expires', () => {
    const silent = Story.ready('sending_domain')
      .after(HOUR_MS)
      .noAnswer('spf', 'timeout')
      .noAnswer('dkim', 'timeout');
    expect(silent.state).toBe('ready');
    expect(silent.after(23 * HOUR_MS - 1).tick().state).toBe('ready');
    expect(silent.after(23 * HOUR_MS).tick().shows).toBe('unknown expired');
  });
});

describe('the grace of a domain', () => {
  const broken = Story.ready('sending_domain').after(HOUR_MS).tell({ dmarc: 'none' });

  test('lasts 72 hours to the millisecond', () => {
    const watched = [1, 2].reduce((story) => story.after(DAY_MS).tellAll({ dmarc: 'none' }), broken);
    const last = watched
      .after(DAY_MS - 1)
      .tellAll({ dmarc: 'none' })
      .tick();
    expect(last.shows).toBe('grace dmarc_none');
    expect(last.after(1).tick().shows).toBe('client_action dmarc_none');
  });

  test('is a medium risk while it runs and a high one after', () => {
    expect(broken.risks).toEqual(['domain_grace']);
    const over = broken
      .after(3 * DAY_MS)
      .tellAll({ dmarc: 'none' })
      .tick();
    expect(over.risks).toEqual(['domain_auth_failing']);
  });

  test('of one record does not soften another that was never proven', () => {
    const unproven = Story.of('sending_domain')
      .tellAll({ dkim: 'missing' })
      .after(SEC_MS)
      .tell({ spf: 'none' });
    expect(unproven.shows).toBe('client_action dkim_missing');
    expect(unproven.risks).toEqual(['domain_auth_failing']);
  });

  test('is not had again by a record that flaps', () => {
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

  test('is had again after seven days of unbroken pass, and not a moment before', () => {
    expect(
      passingFor(6)
        .after(DAY_MS - 1)
        .tellAll({ dmarc: 'none' }).state,
    ).toBe('client_action');
    expect(passingFor(6).after(DAY_MS).tellAll({ dmarc: 'none' }).shows).toBe('grace dmarc_none');
  });

  test('was never had by a record that failed from the start, however often it is looked at', () => {
    const first = Story.of('sending_domain').tellAll({ dmarc: 'none' });
    expect(first.after(HOUR_MS).tellAll({ dmarc: 'none' }).state).toBe('client_action');
  });
});

describe('the grace of a bill', () => {
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

describe('a trial that ends', () => {
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

describe('what expires and what does not', () => {
  test('a fact is unknown at its age and not a millisecond earlier', () => {
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

  test('an optional fact expires without anybody noticing', () => {
    const optional = Story.ready('sending_domain').tell({ oneClickSigned: true }).after(SEC_MS).tellAll();
    expect(
      optional
        .after(7 * DAY_MS)
        .tellAll()
        .tick().state,
    ).toBe('ready');
  });

  test('a folded fact lives by the heartbeat of its source', () => {
    const window = Story.ready('continuity_window');
    expect(window.source.nextDeadlineMs()).toBeNull();
    const lost = window.source.loseHeartbeat(T0 + 1);
    expect(lost.condition(POLICY, T0 + 1)).toMatchObject({ state: 'unknown', reason: 'heartbeat_lost' });
    const back = lost.regainHeartbeat(POLICY, T0 + 2);
    expect(back.condition(POLICY, T0 + 2)).toMatchObject({ state: 'ready', validUntilMs: null });
    expect(window.source.regainHeartbeat(POLICY, T0 + 2)).toBe(window.source);
  });

  test('a heartbeat that is lost takes nothing that was observed elsewhere', () => {
    const lost = Story.ready('billing')
      .source.loseHeartbeat(T0 + 1)
      .condition(POLICY, T0 + 1);
    expect(lost.facts.map(({ fact, reason }) => `${fact} ${reason}`)).toEqual([
      'subscriptionStatus ok',
      'paymentMethod ok',
      'entitlementRemaining heartbeat_lost',
    ]);
  });

  test('what was closed while the heartbeat was lost is closed when it is back', () => {
    const closed = Story.ready('continuity_window').tell({
      'window.open': false,
      windowReason: 'holiday',
    }).source;
    const back = closed.loseHeartbeat(T0 + 1).regainHeartbeat(POLICY, T0 + 2);
    expect(back.condition(POLICY, T0 + 2)).toMatchObject({ state: 'scheduled', reason: 'holiday' });
  });

  test('a release does not bring back what a silent source told', () => {
    const held = Story.ready('continuity_window').receive({ type: 'operator_hold', cause: 'incident' });
    const released = held.source
      .loseHeartbeat(T0 + 1)
      .receive({ type: 'operator_released', atMs: T0 + 2, cause: 'incident' }, POLICY)!;
    expect(released.refreshFolded(POLICY, T0 + 3).condition(POLICY, T0 + 3).state).not.toBe('ready');
  });
});

describe('a hold that facts raised', () => {
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

describe('reputation', () => {
  const bad = { hardBounces30d: 100 };
  const quarantined = Story.ready('pacing').after(SEC_MS).tell(bad);

  test('quarantine cools down for seven days, told again or not, and then owes probation', () => {
    const told = quarantined
      .after(3 * DAY_MS)
      .tell(bad)
      .after(4 * DAY_MS - 1)
      .tick();
    expect(told.shows).toBe('cooling_down band_quarantined');
    expect(told.after(1).tick().tell({ hardBounces30d: 0 }).shows).toBe('probation requalifying');
  });

  test('a bad band is left by way of probation, also when it became unknown in between', () => {
    const watch = Story.ready('pacing').after(SEC_MS).tell({ hardBounces30d: 40 });
    const healthy = watch.after(SEC_MS).tell({ hardBounces30d: 0 });
    expect(healthy.state).toBe('probation');
    const lost = watch.source.loseHeartbeat(T0 + 2 * SEC_MS);
    const back = lost.observe(answers({ ...GOOD.pacing }, T0 + 3 * SEC_MS), POLICY, T0 + 3 * SEC_MS);
    expect(back.condition(POLICY, T0 + 3 * SEC_MS).state).toBe('probation');
    expect(healthy.receive({ type: 'probation_passed', cause: 'band' }).state).toBe('ready');
  });

  test('a sample too small while requalification is owed is probation, not provisioning', () => {
    const small = Story.ready('pacing')
      .after(SEC_MS)
      .tell({ hardBounces30d: 40 })
      .after(SEC_MS)
      .tell({ delivered30d: 50, hardBounces30d: 0 });
    expect(small.state).toBe('probation');
  });

  test('a high risk is served before it is gone', () => {
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

  test('late counts move nothing', () => {
    const before = quarantined.after(SEC_MS);
    const late = before.source.observe(answers({ hardBounces30d: 0 }, T0 - 1), POLICY, before.atMs);
    expect(late.context).toEqual(before.source.context);
  });
});

describe('set-ups and closings that somebody told', () => {
  test('end by their own event or time, not because the facts do not speak of them', () => {
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

  test('that facts raised end with them', () => {
    const full = Story.ready('mailbox').tell({ quotaUsed: 9, quotaDay: 9 });
    expect(full.after(SEC_MS).tell({ quotaUsed: 0 }).state).toBe('ready');
    const running = Story.of('data').tellAll({ importState: 'running' });
    expect(running.after(SEC_MS).tellAll({ importState: 'done' }).state).toBe('ready');
  });

  test('that went on too long end, and call for a person', () => {
    const late = Story.of('billing')
      .tellAll({ subscriptionStatus: 'incomplete' })
      .after(23 * HOUR_MS)
      .tick();
    expect(late.shows).toBe('client_action incomplete');
    expect(late.condition.causes.attention).toBe(true);
  });
});

test('a layer refuses an event that could only lead where it can never be', () => {
  expect(
    Story.ready('billing').source.receive(
      { type: 'adverse_event', atMs: T0, cause: 'x', untilMs: T0 },
      POLICY,
    ),
  ).toBeNull();
});

test('a source that is switched off keeps its condition and says so', () => {
  const { source } = Story.ready('mailbox');
  expect(source.withEnabled(true)).toBe(source);
  expect(source.withEnabled(false).condition(POLICY, T0)).toEqual({
    ...source.condition(POLICY, T0),
    enabled: false,
  });
});

test('a fact that became required since the last condition is unknown, not forgotten', () => {
  const { condition } = Story.ready('campaign');
  const older = { ...condition, facts: condition.facts.filter((fact) => fact.fact !== 'bindings') };
  expect(LayerSource.restore(older).condition(POLICY, T0)).toMatchObject({
    state: 'unknown',
    reason: 'never_observed',
  });
});

// Random histories: what a layer may be told, in an order that nobody chose.

type Happening =
  | { readonly kind: 'observe'; readonly seen: readonly Observation[] }
  | { readonly kind: 'receive'; readonly event: LayerEvent }
  | { readonly kind: 'tick' | 'lose' | 'regain' | 'refresh' };
interface Step {
  readonly waitMs: number;
  readonly happening: Happening;
}

const wait = fc.constantFrom(0, 1, SEC_MS, 30 * SEC_MS, HOUR_MS, DAY_MS, 8 * DAY_MS);
const cause = fc.constantFrom('x', 'freeze', 'band', 'band_quarantined', 'quota_full', 'maintenance');

function someValue(spec: FactSpec): fc.Arbitrary<FactValue> {
  if (spec.kind === 'enum') return fc.constantFrom(...spec.values);
  if (spec.kind === 'boolean') return fc.boolean();
  return spec.unit === 'ms since epoch'
    ? fc.nat(2 * DAY_MS).map((ms) => T0 + ms)
    : fc.constantFrom(0, 1, 50, 100, 5000, spec.max);
}

function observationsOf(layer: CanonicalBlockerLayer): fc.Arbitrary<readonly Observation[]> {
  const facts = FACTS[layer] as Record<string, FactSpec>;
  const good = Object.entries(GOOD[layer]);
  const one = fc.constantFrom(...Object.keys(facts)).chain((fact) => {
    const observedAtMs = fc.integer({ min: -DAY_MS, max: 10 * DAY_MS }).map((ms) => T0 + ms);
    const unknown = fc.constantFrom(...UNKNOWN_REASONS).map((reason) => ({ unknown: reason }));
    const answer = someValue(facts[fact]!).map((value) => ({ value }));
    return fc.record({
      fact: fc.constant(fact),
      observedAtMs,
      outcome: fc.oneof({ weight: 3, arbitrary: answer }, unknown),
    });
  });
  const allGood = fc
    .nat(10 * DAY_MS)
    .map((ms) => good.map(([fact, value]) => ({ fact, observedAtMs: T0 + ms, outcome: { value } })));
  return fc.oneof(fc.array(one, { minLength: 1, maxLength: 4 }), allGood);
}

function eventOf(layer: CanonicalBlockerLayer): fc.Arbitrary<LayerEvent> {
  const fact = fc.constantFrom(...Object.keys(FACTS[layer]));
  const any = fc.record({
    type: fc.constantFrom(
      ...LAYER_EVENTS.filter((name) => !/^check_(passed|failed|inconclusive)/.test(name)),
    ),
    atMs: fc.constant(0),
    cause,
    fact,
    facts: fc.array(fact, { maxLength: 2 }),
    reason: fc.constantFrom('expired', 'handler_fault'),
    id: fc.constantFrom('s', 'import_running'),
    runId: fc.constantFrom('r1', 'r2'),
    ours: fc.boolean(),
    untilMs: fc.nat(3 * DAY_MS).map((ms) => T0 + ms),
    deadlineMs: fc.nat(3 * DAY_MS).map((ms) => T0 + ms),
  });
  return any as unknown as fc.Arbitrary<LayerEvent>;
}

const historyOf = (layer: CanonicalBlockerLayer): fc.Arbitrary<readonly Step[]> => {
  const happening: fc.Arbitrary<Happening> = fc.oneof(
    { weight: 4, arbitrary: observationsOf(layer).map((seen): Happening => ({ kind: 'observe', seen })) },
    { weight: 3, arbitrary: eventOf(layer).map((event): Happening => ({ kind: 'receive', event })) },
    { weight: 2, arbitrary: fc.constant<Happening>({ kind: 'tick' }) },
    fc.constantFrom<Happening>({ kind: 'lose' }, { kind: 'regain' }, { kind: 'refresh' }),
  );
  const step = fc.record({ waitMs: wait, happening });
  // Deliveries are repeated and swapped as a redelivering stream would.
  return fc
    .tuple(fc.array(step, { maxLength: 14 }), fc.array(fc.nat(), { maxLength: 4 }))
    .map(([steps, again]) =>
      again.reduce<Step[]>(
        (all, n) => (all.length === 0 ? all : all.toSpliced((n * 7) % all.length, 0, all[n % all.length]!)),
        steps,
      ),
    );
};

function live(source: LayerSource, { happening }: Step, atMs: number): LayerSource {
  switch (happening.kind) {
    case 'observe':
      return source.observe(happening.seen, POLICY, atMs);
    case 'receive':
      return source.receive({ ...happening.event, atMs }, POLICY) ?? source;
    case 'tick':
      return source.tick(POLICY, atMs);
    case 'lose':
      return source.loseHeartbeat(atMs);
    case 'regain':
      return source.regainHeartbeat(POLICY, atMs);
    case 'refresh':
      return source.refreshFolded(POLICY, atMs);
  }
}

function lives(
  layer: CanonicalBlockerLayer,
  steps: readonly Step[],
  see: (source: LayerSource, atMs: number) => void,
): void {
  let source = LayerSource.create({ tenantId: 'acme', layer, source: 'main', enabled: true });
  let atMs = T0;
  for (const step of steps) {
    atMs += step.waitMs;
    source = live(source, step, atMs);
    see(source, atMs);
  }
}

describe.each(CANONICAL_BLOCKER_LAYERS)('any history of %s', (layer) => {
  const states: ReadonlySet<ManagedExecutionState> = LAYER_MACHINES[layer].states;
  const check = (see: (source: LayerSource, atMs: number) => void) =>
    fc.assert(
      fc.property(historyOf(layer), (steps) => lives(layer, steps, see)),
      { numRuns: 150 },
    );

  test('never shows a state that the layer cannot be in, nor a reason without its owner', () => {
    check((source, atMs) => {
      const condition = source.condition(POLICY, atMs);
      expect([...states]).toContain(condition.state);
      if (condition.state === 'client_action') expect(condition.owner).toBe('client');
      if (condition.state === 'internal_fault') expect(condition.owner).not.toBe('client');
    });
  });

  test('shows ready only when every required fact passes and nothing else stands', () => {
    check((source, atMs) => {
      const { state, facts, causes } = source.condition(POLICY, atMs);
      const required = facts.filter((fact) => fact.required);
      expect(required.map((fact) => fact.fact).toSorted()).toEqual(requiredFacts(layer).toSorted());
      if (state !== 'ready') return;
      expect(required.map((fact) => fact.verdict)).toEqual(required.map(() => 'pass'));
      const { holds, faults, cooldowns, requalifications, closures, setup, lease, recheckSinceMs } = causes;
      expect({ ...holds, ...faults, ...cooldowns, ...requalifications, ...closures }).toEqual({});
      expect([setup, lease]).toEqual([null, null]);
      for (const fact of required) expect(fact.observedAtMs).toBeGreaterThanOrEqual(recheckSinceMs ?? 0);
    });
  });

  test('comes back from its own condition as it was, and says the same of itself', () => {
    check((source, atMs) => {
      const condition = source.condition(POLICY, atMs);
      const restored = LayerSource.restore(JSON.parse(JSON.stringify(condition)));
      expect(restored.condition(POLICY, atMs)).toEqual(condition);
    });
  });

  test('leaves nothing due after its time has come: a clock that asks again at once would never stop', () => {
    check((source, atMs) => {
      for (const now of [atMs, atMs + HOUR_MS, source.nextDeadlineMs() ?? atMs]) {
        const next = source.tick(POLICY, now).nextDeadlineMs();
        if (next !== null) expect(next).toBeGreaterThan(now);
      }
    });
  });

  test('told the same again, holds the same of it: a report that is redelivered moves nothing', () => {
    fc.assert(
      fc.property(observationsOf(layer), observationsOf(layer), (first, seen) => {
        const created = LayerSource.create({ tenantId: 'acme', layer, source: 'main', enabled: true });
        const once = created.observe(first, POLICY, T0).observe(seen, POLICY, T0 + 1);
        const again = once.observe(seen, POLICY, T0 + 1);
        expect(again.condition(POLICY, T0 + 1)).toEqual(once.condition(POLICY, T0 + 1));
      }),
      { numRuns: 100 },
    );
  });
});
