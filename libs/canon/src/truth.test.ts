import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LayerCondition } from './condition.ts';
import {
  type Changes,
  conditionsWith,
  conditionWith,
  DAY_MS,
  lost,
  NOW_MS,
  POLICY,
  truthOf,
} from './dispatch-case.test-support.ts';
import { buildTruth, type CanonicalRuntimeTruth, sourceDigest } from './truth.ts';
import { CANONICAL_BLOCKER_LAYERS, STATES_WORST_FIRST } from './words.ts';

const good = conditionsWith();
const fingerprintWith = (changes: Changes): string => truthOf(conditionsWith(changes)).fingerprint;

test('a tenant with nothing wrong is ready in nine layers, with nothing unknown [T1]', () => {
  const truth = truthOf(good);
  expect(Object.keys(truth.layers)).toEqual([...CANONICAL_BLOCKER_LAYERS]);
  expect(Object.values(truth.layers).map((layer) => layer.state)).toEqual(Array(9).fill('ready'));
  expect(truth.unknowns).toEqual([]);
  expect(truth.mode.resolved).toBe('autonomous');
  expect(truth.epoch).toBe(1);
});

describe('the fingerprint', () => {
  const pool: LayerCondition[] = [
    ...good,
    conditionWith('mailbox', { source: 'ben', state: 'degraded', facts: { canReadReplies: false } }),
    conditionWith('mailbox', { source: 'cleo', enabled: false }),
    conditionWith('pacing', {
      source: 'ben',
      risks: [{ risk: 'reputation_watch', level: 'medium', phase: 'active' }],
    }),
    conditionWith('campaign', { source: 'autumn', state: 'client_action', facts: { approval: 'none' } }),
  ];

  test('is the same whatever the order of delivery, and however often something is delivered [T3]', () => {
    const expected = truthOf(pool);
    const delivery = fc
      .tuple(fc.shuffledSubarray(pool, { minLength: pool.length }), fc.shuffledSubarray(pool), fc.nat())
      .map(([all, again, at]) => all.toSpliced(at % all.length, 0, ...again));
    fc.assert(
      fc.property(delivery, (delivered) => {
        const truth = truthOf(delivered);
        expect(truth.fingerprint).toBe(expected.fingerprint);
        expect(truth.layers).toEqual(expected.layers);
      }),
    );
  });

  test('of two accounts of one source the worse one counts, in either order [T3]', () => {
    const fine = conditionWith('mailbox');
    const worse = conditionWith('mailbox', { state: 'client_action', facts: { token: 'invalid_grant' } });
    const rest = good.filter((condition) => condition.layer !== 'mailbox');
    for (const pair of [
      [fine, worse],
      [worse, fine],
    ]) {
      const { mailbox } = truthOf([...rest, ...pair]).layers;
      expect(mailbox.state).toBe('client_action');
      expect(mailbox.sources).toHaveLength(1);
    }
  });

  test.each<[string, Changes]>([
    ['a state', { billing: { state: 'grace' } }],
    ['a verdict and its reason', { sending_domain: { facts: { spf: lost('servfail') } } }],
    ['another reason for the same verdict', { sending_domain: { facts: { spf: lost('timeout') } } }],
    ['a severity', { sending_domain: { facts: { dkim: { verdict: 'fail', severity: 'soft' } } } }],
    ['a closed value', { governance: { facts: { jurisdiction: 'uk' } } }],
    ['a band of a number', { provider_health: { facts: { p95Ms: { band: 'slow' } } } }],
    ['an exact count', { sending_domain: { facts: { spfLookups: 7 } } }],
    ['a hold', { campaign: { causes: { holds: { digest_drift: { sinceMs: 1 } } } } }],
    ['a fault', { data: { causes: { faults: { check: { sinceMs: 1 } } } } }],
    ['a cooldown', { pacing: { causes: { cooldowns: { x: { untilMs: 1, ordinal: 1 } } } } }],
    ['its second time', { pacing: { causes: { cooldowns: { x: { untilMs: 1, ordinal: 2 } } } } }],
    [
      'a requalification',
      { pacing: { causes: { requalifications: { x: { ordinal: 1, from: null, count: 0 } } } } },
    ],
    ['a grace', { billing: { causes: { graces: { x: { untilMs: 1, spent: false } } } } }],
    ['its end', { billing: { causes: { graces: { x: { untilMs: 1, spent: true } } } } }],
    ['a closing', { campaign: { causes: { closures: { campaign_paused: { untilMs: null } } } } }],
    ['a set-up', { data: { causes: { setup: { id: 'import_running', deadlineMs: 1 } } } }],
    ['a lease', { campaign: { causes: { lease: { runId: 'r', untilMs: 1 } } } }],
    ['a debt', { pacing: { causes: { requalificationOwed: 'band' } } }],
    [
      'a latched risk',
      { pacing: { causes: { latched: { complaint_ge_0_10: { phase: 'serving', releaseOwed: false } } } } },
    ],
    ['a call for a person', { sending_domain: { causes: { attention: true } } }],
    ['a risk', { data: { risks: [{ risk: 'import_stale', level: 'medium', phase: 'active' }] } }],
    ['another source', { mailbox: { source: 'ben' } }],
    ['a source switched off', { mailbox: { enabled: false } }],
    ['a requested mode', { governance: { facts: { requestedMode: 'supervised' } } }],
    ['a fact that is gone', { data: { facts: { provenanceShare: null } } }],
  ])('moves with %s, and so does that of its layer alone [T5]', (_, changes) => {
    const before = truthOf(good);
    const after = truthOf(conditionsWith(changes));
    expect(after.fingerprint).not.toBe(before.fingerprint);
    const moved = CANONICAL_BLOCKER_LAYERS.filter(
      (layer) => before.layerFingerprints[layer] !== after.layerFingerprints[layer],
    );
    expect(moved).toEqual(Object.keys(changes));
  });

  test('moves with the policy [T5]', () => {
    const policyDigest = 'f'.repeat(64);
    const other = buildTruth({
      tenantId: 'acme',
      conditions: good,
      policy: POLICY,
      policyDigest,
      previous: null,
      atMs: 0,
    });
    expect(other.fingerprint).not.toBe(truthOf(good).fingerprint);
    expect(other.layerFingerprints).toEqual(truthOf(good).layerFingerprints);
  });

  const numbers: Changes = {
    billing: { facts: { entitlementRemaining: { value: 4711 }, trialEndsAt: { value: 5 } } },
    pacing: { facts: { delivered30d: { value: 4321 }, capToday: { value: 60 } } },
    data: { facts: { queueReady: { value: 7 }, verifiedShare: { value: 0.97 } } },
    provider_health: { facts: { p95Ms: { value: 901 }, samples5m: { value: 41 } } },
    mailbox: { facts: { senderAgeDays: { value: 401 } } },
  };

  test('never moves with a raw count [T6]', () => {
    const before = conditionsWith({ billing: { facts: { trialEndsAt: { value: 4 } } } });
    expect(truthOf(before).fingerprint).toBe(fingerprintWith(numbers));
  });

  test('never moves with a time [T6]', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -DAY_MS, max: DAY_MS }),
        fc.integer({ min: 0, max: DAY_MS }),
        (by, atMs) => {
          const causes = (at: number) => ({
            holds: { freeze: { sinceMs: at } },
            faults: { check: { sinceMs: at } },
            cooldowns: { x: { untilMs: at, ordinal: 1 } },
            graces: { spf: { untilMs: at, spent: false } },
            closures: { holiday: { untilMs: at } },
            setup: { id: 's', deadlineMs: at },
            lease: { runId: 'r', untilMs: at },
            check: { startedAtMs: at, deadlineMs: at },
            recheckSinceMs: at,
          });
          const at = (shift: number) =>
            good.map((condition) => ({
              ...condition,
              causes: { ...condition.causes, ...causes(NOW_MS + shift) },
              validUntilMs: NOW_MS + shift,
              facts: condition.facts.map((fact) => ({
                ...fact,
                observedAtMs: NOW_MS + shift,
                expiresAtMs: NOW_MS + shift,
                passingSinceMs: NOW_MS + shift,
                everPassed: shift > 0,
              })),
            }));
          expect(truthOf(at(by), null, atMs).fingerprint).toBe(truthOf(at(0)).fingerprint);
        },
      ),
    );
  });

  test('of a source does not depend on the order of its facts [T6]', () => {
    const condition = conditionWith('mailbox');
    const reversed = { ...condition, facts: condition.facts.toReversed() };
    expect(sourceDigest(reversed)).toBe(sourceDigest(condition));
  });
});

test('the epoch counts every change: A, B, A is 3, and saying the same again is none [T10]', () => {
  const other = conditionsWith({ billing: { state: 'grace' } });
  let truth: CanonicalRuntimeTruth | null = null;
  const epochs = [good, good, other, good, good].map((conditions) => {
    truth = truthOf(conditions, truth);
    return truth.epoch;
  });
  expect(epochs).toEqual([1, 1, 2, 3, 3]);
});

test('a layer that nobody speaks for is unknown, ours to find out, and valid until somebody does [T4]', () => {
  const { billing } = truthOf([]).layers;
  expect(billing).toEqual({
    state: 'unknown',
    bucket: 'orchestrate_working',
    owner: 'orchestrate',
    reason: 'never_observed',
    sources: [],
    validUntilMs: null,
  });
});

test('what cannot expire is valid until it changes [T4]', () => {
  const folded = conditionsWith().map((condition) => ({ ...condition, validUntilMs: null }));
  expect(Object.values(truthOf(folded).layers).map((layer) => layer.validUntilMs)).toEqual(
    Array(9).fill(null),
  );
});

describe('a layer of several sources [T4]', () => {
  test('shows its worst enabled one, and the earliest expiry of the enabled ones', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...STATES_WORST_FIRST), fc.boolean(), fc.nat(1000)), {
          minLength: 1,
          maxLength: 5,
        }),
        (sources) => {
          const conditions = sources.map(([state, enabled, validUntilMs], index) => ({
            ...conditionWith('mailbox', { source: `m${index}`, state, enabled }),
            validUntilMs,
          }));
          const { mailbox } = truthOf(conditions).layers;
          const enabled = sources.filter((source) => source[1]);
          const worst = STATES_WORST_FIRST.find((state) => enabled.some((source) => source[0] === state));
          expect(mailbox.state).toBe(worst ?? 'unknown');
          expect(mailbox.validUntilMs).toBe(
            enabled.length === 0 ? null : Math.min(...enabled.map((source) => source[2])),
          );
          expect(mailbox.sources).toHaveLength(sources.length);
        },
      ),
    );
  });

  test('of two equally bad sources the first by name gives the reason', () => {
    const bad = (source: string, reason: LayerCondition['reason']) => ({
      ...conditionWith('mailbox', { source, state: 'client_action' }),
      reason,
    });
    const { mailbox } = truthOf([bad('zoe', 'cannot_send'), bad('anna', 'invalid_grant')]).layers;
    expect(mailbox.reason).toBe('invalid_grant');
  });
});

test('a tenant that uses no AI provider has none to wait for; a layer that nobody observed is unknown [T4]', () => {
  const conditions = conditionsWith({ provider_health: { enabled: false, state: 'unknown' } }).filter(
    (condition) => condition.layer !== 'data',
  );
  const { layers } = truthOf(conditions);
  expect(layers.provider_health).toMatchObject({
    state: 'ready',
    reason: 'not_required',
    validUntilMs: null,
  });
  expect(layers.data).toMatchObject({
    state: 'unknown',
    reason: 'never_observed',
    bucket: 'orchestrate_working',
  });
  expect(truthOf([]).layers.provider_health.state).toBe('unknown');
});

describe('honest unknowns', () => {
  test('lists every required fact without an answer, of enabled sources only, in layer order [T11]', () => {
    const truth = truthOf([
      ...conditionsWith({
        sending_domain: { facts: { spf: lost('servfail'), dkim: lost('timeout') } },
        pacing: { facts: { band: lost('insufficient_sample') } },
        campaign: { facts: { cta: lost('expired') } },
        continuity_window: { facts: { clockSkewMs: 5000 } },
      }),
      conditionWith('mailbox', { source: 'off', enabled: false, facts: { token: lost('expired') } }),
    ]);
    expect(truth.unknowns.map(({ layer, fact, reason }) => `${layer}.${fact}: ${reason}`)).toEqual([
      'sending_domain.dkim: timeout',
      'sending_domain.spf: servfail',
      'continuity_window.clockSkewMs: clock_skew',
      'pacing.band: insufficient_sample',
    ]);
  });

  const allLost = (
    layer: 'mailbox' | 'campaign' | 'sending_domain',
    reason: 'expired' | 'no_delivered_proof',
  ) => ({
    facts: Object.fromEntries(
      conditionWith(layer)
        .facts.filter((fact) => fact.required)
        .map((fact) => [fact.fact, lost(reason)]),
    ),
  });

  test('a quarter of the required facts unknown is a high risk; less, or a sample that still grows, is none [M9]', () => {
    const risksWith = (changes: Changes) =>
      truthOf(conditionsWith(changes)).mode.risks.map((risk) => risk.risk);
    const required = good.flatMap((condition) => condition.facts.filter((fact) => fact.required)).length;
    const nine = (reason: 'expired' | 'no_delivered_proof') => ({
      mailbox: allLost('mailbox', reason),
      sending_domain: allLost('sending_domain', reason),
    });
    expect(9 / required).toBe(POLICY.risk.unknownShareMax);
    expect(risksWith(nine('expired'))).toEqual(['unknown_share_ge_25pct']);
    expect(risksWith(nine('no_delivered_proof'))).toEqual([]);
    expect(risksWith({ campaign: allLost('campaign', 'expired') })).toEqual([]);
  });
});

describe('the mode', () => {
  const modeWith = (changes: Changes) => truthOf(conditionsWith(changes)).mode;

  test('a tenant whose choice or sector nobody knows needs a person [M8]', () => {
    expect(modeWith({ governance: { facts: { requestedMode: lost('expired') } } }).resolved).toBe(
      'approval_required',
    );
    expect(modeWith({ governance: { facts: { sector: null } } }).resolved).toBe('approval_required');
    expect(modeWith({ governance: { facts: { sector: lost('expired') } } }).resolved).toBe(
      'approval_required',
    );
    expect(truthOf([]).mode.resolved).toBe('approval_required');
  });

  test('where nobody set a floor it says so, and an undeclared sector has the floor of its own [M8]', () => {
    expect(modeWith({}).operatorFloor).toBe('autonomous');
    expect(modeWith({ governance: { facts: { sector: { value: 'space' } } } }).sectorFloor).toBe(
      'approval_required',
    );
    const policy = { ...POLICY, sectorFloors: { ...POLICY.sectorFloors, undeclared: 'draft_only' as const } };
    const built = buildTruth({
      tenantId: 'acme',
      conditions: conditionsWith({ governance: { facts: { sector: null } } }),
      policy,
      policyDigest: 'a',
      previous: null,
      atMs: NOW_MS,
    });
    expect(built.mode).toMatchObject({ sectorFloor: 'draft_only', resolved: 'draft_only' });
  });

  test('risks are listed by name, and the share of unknowns is one that stands now [M8]', () => {
    const risk = (name: 'weak_dkim' | 'billing_grace' | 'import_stale') =>
      ({ risk: name, level: 'medium', phase: 'active' }) as const;
    const { risks } = modeWith({
      data: { risks: [risk('weak_dkim'), risk('billing_grace'), risk('import_stale')] },
    });
    expect(risks.map((one) => one.risk)).toEqual(['billing_grace', 'import_stale', 'weak_dkim']);
    const lostAll = Object.fromEntries(
      ['mailbox', 'sending_domain', 'campaign'].map((layer) => [
        layer,
        {
          facts: Object.fromEntries(
            conditionWith(layer as 'mailbox').facts.map((one) => [one.fact, lost('expired')]),
          ),
        },
      ]),
    ) as Changes;
    expect(modeWith(lostAll).risks).toEqual([
      { risk: 'unknown_share_ge_25pct', level: 'high', phase: 'active' },
    ]);
  });

  test('a floor of the operator stands while nobody can see it [M8]', () => {
    const floor = { operatorFloor: 'draft_only' };
    expect(modeWith({ governance: { facts: floor } }).resolved).toBe('draft_only');
    const unseen = { operatorFloor: { value: 'draft_only', ...lost('handler_fault') } };
    expect(modeWith({ governance: { facts: unseen } }).resolved).toBe('draft_only');
  });

  test('risks of all layers are united: the same one twice is one, two different high ones allow drafts only [M9]', () => {
    const high = { risk: 'hard_bounce_ge_5', level: 'high', phase: 'active' } as const;
    const twice = truthOf([
      ...conditionsWith({ pacing: { risks: [high] } }),
      conditionWith('pacing', { source: 'ben', risks: [{ ...high, level: 'medium', phase: 'serving' }] }),
    ]);
    expect(twice.mode.risks).toEqual([high]);
    expect(twice.mode.resolved).toBe('approval_required');
    const two = modeWith({
      pacing: { risks: [high] },
      data: { risks: [{ risk: 'suppression_sync_stale', level: 'high', phase: 'active' }] },
    });
    expect(two.resolved).toBe('draft_only');
  });

  test('a regulated sector needs approval whatever the tenant asked for [M8]', () => {
    expect(modeWith({ governance: { facts: { sector: 'finance' } } })).toMatchObject({
      requested: 'autonomous',
      sectorFloor: 'approval_required',
      resolved: 'approval_required',
    });
  });
});
