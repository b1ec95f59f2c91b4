import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LayerCondition, NO_CAUSES } from './condition.ts';
import { conditionsWith, conditionWith, lost, POLICY, truthOf } from './dispatch-case.test-support.ts';
import { buildTruth, type CanonicalRuntimeTruth, layerFingerprint } from './truth.ts';
import { CANONICAL_BLOCKER_LAYERS, MANAGED_EXECUTION_STATES, stateToBucket } from './words.ts';

const SOURCES: readonly LayerCondition[] = [
  ...conditionsWith(),
  conditionWith('mailbox', { source: 'ben' }),
  conditionWith('mailbox', { source: 'cleo', enabled: false }),
  conditionWith('pacing', { source: 'ben' }),
  conditionWith('campaign', { source: 'autumn', state: 'client_action', facts: { approval: 'none' } }),
];

/** What may happen to the condition of one source; every result but the first is another object. */
const CHANGES: readonly ((condition: LayerCondition) => LayerCondition)[] = [
  (condition) => condition,
  (condition) => ({ ...condition }),
  (condition) => structuredClone(condition),
  (condition) => ({ ...condition, enabled: !condition.enabled }),
  (condition) => ({ ...condition, validUntilMs: (condition.validUntilMs ?? 0) + 1 }),
  (condition) => ({ ...condition, facts: condition.facts.slice(1) }),
  (condition) => ({
    ...condition,
    facts: condition.facts.map((fact, index) => (index === 0 ? { ...fact, ...lost('timeout') } : fact)),
  }),
  (condition) => ({ ...condition, causes: { ...condition.causes, attention: !condition.causes.attention } }),
  ...MANAGED_EXECUTION_STATES.map((state) => (condition: LayerCondition) => ({
    ...condition,
    state,
    bucket: stateToBucket(state),
  })),
];

const step = fc.record({
  at: fc.nat(SOURCES.length - 1),
  change: fc.constantFrom(...CHANGES),
  /** From what the source said first, from what it says now, or gone altogether. */
  from: fc.constantFrom('first', 'now', 'gone'),
  told: fc.shuffledSubarray(SOURCES.map((_, index) => index)),
});

test('after any sequence of changes a truth is what it would be if it were built from nothing [T9]', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const now: (LayerCondition | undefined)[] = [...SOURCES];
      let truth: CanonicalRuntimeTruth = truthOf(SOURCES);
      let anew: CanonicalRuntimeTruth = truthOf(structuredClone(SOURCES));
      for (const { at, change, from, told } of steps) {
        const source = from === 'now' ? (now[at] ?? SOURCES[at]!) : SOURCES[at]!;
        now[at] = from === 'gone' ? undefined : change(source);
        // in any order, some of them twice
        const conditions = [...told, ...now.keys()].flatMap((index) => now[index] ?? []);
        truth = truthOf(conditions, truth);
        anew = truthOf(structuredClone(conditions), anew);
        expect(truth).toEqual(anew);
        for (const layer of CANONICAL_BLOCKER_LAYERS) {
          expect(truth.layerFingerprints[layer]).toBe(layerFingerprint(truth.layers[layer]));
        }
      }
    }),
  );
});

test('a source that changed costs its own layer: the others are the very ones of before [T9]', () => {
  const before = truthOf(SOURCES);
  const changed = SOURCES.map((condition) =>
    condition.source === 'ben' && condition.layer === 'mailbox' ? { ...condition } : condition,
  );
  const after = truthOf(changed.toReversed(), before);
  const anew = CANONICAL_BLOCKER_LAYERS.filter((layer) => after.layers[layer] !== before.layers[layer]);
  expect(anew).toEqual(['mailbox']);
  expect(after.fingerprint).toBe(before.fingerprint);
});

test('a source that left or came is not overlooked where the others stayed [T9]', () => {
  const before = truthOf(SOURCES);
  const without = truthOf(
    SOURCES.filter((condition) => condition.source !== 'ben'),
    before,
  );
  expect(without.layers.mailbox.sources.map(({ source }) => source)).toEqual(['anna', 'cleo']);
  const again = truthOf(SOURCES, without);
  expect(again.layers.mailbox).toEqual(before.layers.mailbox);
  expect([without.epoch, again.epoch]).toEqual([2, 3]);
  expect(again.fingerprint).toBe(before.fingerprint);
});

test('a copy that was changed is not taken for what it was copied from [T9]', () => {
  const before = truthOf(SOURCES);
  for (const [index, condition] of SOURCES.entries()) {
    if (!condition.enabled) continue;
    const after = truthOf(SOURCES.with(index, { ...condition, reason: 'operator_hold' }), before);
    expect(after.layerFingerprints[condition.layer]).not.toBe(before.layerFingerprints[condition.layer]);
  }
});

test('the fingerprints of truths on record are what this version computes, byte for byte [T9]', () => {
  const billing: LayerCondition = {
    tenantId: 'acme',
    layer: 'billing',
    source: 'main',
    enabled: true,
    state: 'grace',
    bucket: 'degraded',
    owner: 'client',
    reason: 'past_due',
    facts: [
      {
        fact: 'subscriptionStatus',
        value: 'past_due',
        verdict: 'fail',
        severity: 'hard',
        reason: 'past_due',
        owner: 'client',
        required: true,
        observedAtMs: 1,
        expiresAtMs: 2,
        everPassed: true,
        passingSinceMs: null,
      },
    ],
    causes: { ...NO_CAUSES, graces: { subscriptionStatus: { untilMs: 3, spent: false } } },
    risks: [{ risk: 'billing_grace', level: 'medium', phase: 'active' }],
    validUntilMs: 2,
  };
  const { layerFingerprints, fingerprint } = buildTruth({
    tenantId: 'acme',
    conditions: [
      billing,
      { ...billing, layer: 'data', source: 'crm', facts: [], causes: NO_CAUSES, risks: [] },
    ],
    policy: POLICY,
    policyDigest: 'f'.repeat(64),
    previous: null,
    atMs: 4,
  });
  expect({ billing: layerFingerprints.billing, data: layerFingerprints.data, fingerprint }).toEqual({
    billing: 'c6e7dd19b576c9896443e770c86af80c4f49acdc97d4993d119032308133fece',
    data: 'ae9af041b0ec63218203656a481ba8a4cd31397879ced68b417e3123bc87f03a',
    fingerprint: 'f559cc1171cd8f0d648fadbcb8599595d12ac5822a05d42feb86c776cc632f63',
  });
});
