import { describe, expect, test } from 'vitest';
import { REASONS } from '../condition.ts';
import { conditionWith, NOW_MS, POLICY } from '../dispatch-case.test-support.ts';
import { FACTS, type FactSpec, type FactValue } from '../facts.ts';
import { CANONICAL_BLOCKER_LAYERS, type CanonicalBlockerLayer, OWNERS, RISKS } from '../words.ts';
import { LAYER_RULES, ruleOf } from './index.ts';
import type { KnownFacts } from './layer-rule.ts';

const context = { policy: POLICY, atMs: NOW_MS };

function known(layer: CanonicalBlockerLayer, change: Record<string, FactValue>): KnownFacts {
  const { facts } = conditionWith(layer, { facts: change });
  return Object.fromEntries(facts.map((fact) => [fact.fact, fact.value])) as KnownFacts;
}

function judge(
  layer: CanonicalBlockerLayer,
  fact: string,
  value: FactValue,
  beside: Record<string, FactValue> = {},
) {
  return ruleOf(layer).judge(fact as never, known(layer, { ...beside, [fact]: value }), context);
}

function someValues(spec: FactSpec): readonly FactValue[] {
  if (spec.kind === 'enum') return spec.values;
  return spec.kind === 'boolean' ? [true, false] : [spec.min, 1, spec.max];
}

describe.each(CANONICAL_BLOCKER_LAYERS)('%s', (layer) => {
  const facts = Object.entries(FACTS[layer] as Record<string, FactSpec>);

  test('answers for itself [L6]', () => {
    expect(LAYER_RULES[layer].layer).toBe(layer);
    expect(OWNERS).toContain(ruleOf(layer).owner);
  });

  test.each(facts)('every value of %s has a judgement, with a closed reason [L6]', (fact, spec) => {
    const judged = someValues(spec).map((value) => judge(layer, fact, value));
    for (const { verdict, severity, reason } of judged) {
      expect(REASONS).toContain(reason);
      expect(severity === 'none').toBe(verdict !== 'fail');
      expect(reason === 'ok').toBe(verdict === 'pass');
    }
    if (spec.required) expect(judged.map((one) => one.verdict)).toContain('pass');
  });

  test('what it carries as a risk is a risk of its own [M7]', () => {
    for (const [fact, spec] of facts) {
      for (const value of someValues(spec)) {
        for (const risk of ruleOf(layer).risks?.(known(layer, { [fact]: value }), context) ?? []) {
          expect(RISKS[risk].layer).toBe(layer);
        }
      }
    }
  });
});

test('the layer that has each owner by default is the one that people expect [L7]', () => {
  expect(Object.fromEntries(CANONICAL_BLOCKER_LAYERS.map((layer) => [layer, ruleOf(layer).owner]))).toEqual({
    billing: 'client',
    sending_domain: 'client',
    mailbox: 'client',
    provider_health: 'orchestrate',
    governance: 'operator',
    continuity_window: 'orchestrate',
    pacing: 'orchestrate',
    campaign: 'client',
    data: 'client',
  });
});

test.each<[CanonicalBlockerLayer, string, FactValue, Record<string, FactValue>, string]>([
  [
    'billing',
    'subscriptionStatus',
    'trialing',
    { trialEndsAt: NOW_MS, paymentMethod: 'missing' },
    'hard trial_over',
  ],
  ['billing', 'subscriptionStatus', 'trialing', { trialEndsAt: NOW_MS, paymentMethod: 'valid' }, 'none ok'],
  [
    'billing',
    'subscriptionStatus',
    'trialing',
    { trialEndsAt: NOW_MS, paymentMethod: 'expiring_30d' },
    'none ok',
  ],
  ['billing', 'paymentMethod', 'expiring_30d', {}, 'soft payment_expiring'],
  ['billing', 'entitlementRemaining', 0, {}, 'hard entitlement_used_up'],
  ['sending_domain', 'spf', 'pass', { spfLookups: 10 }, 'none ok'],
  ['sending_domain', 'spf', 'pass', { spfLookups: 11 }, 'hard spf_too_many_lookups'],
  ['sending_domain', 'spf', 'pass', { spfVoidLookups: 3 }, 'hard spf_too_many_lookups'],
  ['sending_domain', 'dkim', 'weak', {}, 'soft dkim_weak'],
  ['sending_domain', 'dkim', 'revoked', {}, 'hard dkim_revoked'],
  ['sending_domain', 'dmarc', 'multiple', {}, 'hard dmarc_multiple'],
  ['mailbox', 'token', 'inactive_unspecified', {}, 'hard inactive_unspecified'],
  ['mailbox', 'canSeeBounces', false, {}, 'soft bounces_invisible'],
  ['provider_health', 'samples5m', 4, {}, 'none too_few_samples'],
  ['provider_health', 'p95Ms', 20_000, {}, 'none ok'],
  ['provider_health', 'p95Ms', 20_001, {}, 'soft slow'],
  ['provider_health', 'errorClass', 'spend_limit', {}, 'hard spend_limit'],
  ['governance', 'auditSink', 'down', {}, 'hard audit_sink_down'],
  ['continuity_window', 'windowReason', 'tz_unknown', {}, 'none tz_unknown'],
  ['continuity_window', 'clockSkewMs', 2001, {}, 'none clock_skew'],
  ['continuity_window', 'nextRun', NOW_MS - 7_200_001, { cadenceSec: 3600 }, 'hard run_overdue'],
  ['continuity_window', 'nextRun', NOW_MS - 7_200_000, { cadenceSec: 3600 }, 'none ok'],
  ['campaign', 'lint', 'warn', {}, 'soft lint_warn'],
  ['data', 'importState', 'done', { importDueAt: NOW_MS - 1 }, 'hard import_overdue'],
  ['data', 'suppressionSyncAgeSec', 301, {}, 'none suppression_stale'],
  ['data', 'verifiedShare', 0.89, {}, 'soft verified_share_low'],
])('%s: %s %s with %j means %s [L6]', (layer, fact, value, beside, meaning) => {
  const { severity, reason } = judge(layer, fact, value, beside);
  expect(`${severity} ${reason}`).toBe(meaning);
});

test('a failure that is ours is never shown as the work of the client [L7]', () => {
  const owner = (layer: CanonicalBlockerLayer, fact: string, value: FactValue, beside = {}) =>
    judge(layer, fact, value, beside).owner ?? ruleOf(layer).owner;
  expect(owner('data', 'importState', 'failed_internal')).toBe('orchestrate');
  expect(owner('data', 'importState', 'failed_client')).toBe('client');
  expect(owner('provider_health', 'errorClass', 'auth')).toBe('orchestrate');
  expect(owner('provider_health', 'errorClass', 'auth', { clientKey: true })).toBe('client');
  expect(owner('governance', 'lawfulBasis', 'none')).toBe('client');
});

test('two causes in one mailbox are two causes [L17]', () => {
  const causes = ruleOf('mailbox').causes?.(
    known('mailbox', { identityClass: 'app_only_unscoped', scopeDrift: true, quotaUsed: 100, quotaDay: 100 }),
    context,
  );
  expect(causes?.map((cause) => cause.cause)).toEqual(['identity_unscoped', 'scope_drift', 'quota_full']);
});
