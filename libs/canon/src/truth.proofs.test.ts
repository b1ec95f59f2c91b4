import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Causes, type FactReading, type LayerCondition, type LayerRisk, REASONS } from './condition.ts';
import {
  conditionsWith,
  conditionWith,
  lost,
  NOW_MS,
  POLICY,
  truthOf,
} from './dispatch-case.test-support.ts';
import { FACTS, type FactSpec, type FactValue } from './facts.ts';
import type { ResolvedMode } from './mode.ts';
import { buildTruth, type CanonicalRuntimeTruth, fingerprintOf } from './truth.ts';
import {
  CANONICAL_BLOCKER_LAYERS,
  CHECK_VERDICTS,
  GOVERNANCE_MODES,
  MANAGED_EXECUTION_STATES,
  OWNERS,
  READINESS_BUCKETS,
  RISK_LEVELS,
  RISK_NAMES,
  RISK_PHASES,
} from './words.ts';

const good = conditionsWith();

describe('the same conditions end in the same fingerprint', () => {
  const pool: readonly LayerCondition[] = [
    ...good,
    conditionWith('mailbox', { source: 'ben', state: 'degraded', facts: { canReadReplies: false } }),
    conditionWith('mailbox', { source: 'ben', state: 'client_action', facts: { token: 'invalid_grant' } }),
    // Two that are equally bad and say different things: which of them counts must not depend on the order.
    conditionWith('campaign', { source: 'autumn', state: 'client_action', facts: { approval: 'none' } }),
    conditionWith('campaign', { source: 'autumn', state: 'client_action', facts: { lint: 'fail' } }),
    conditionWith('sending_domain', { source: 'b-example', facts: { spf: lost('servfail') } }),
    conditionWith('data', { source: 'crm2', enabled: false }),
    conditionWith('pacing', {
      source: 'ben',
      risks: [{ risk: 'reputation_watch', level: 'medium', phase: 'active' }],
    }),
  ];

  /** Delivered one by one: in any order, some dropped at first and delivered after the others, some twice. */
  const deliveries = fc
    .tuple(
      fc.shuffledSubarray([...pool], { minLength: pool.length }),
      fc.shuffledSubarray([...pool]),
      fc.shuffledSubarray([...pool]),
    )
    .map(([all, dropped, twice]) => [
      ...all.filter((condition) => !dropped.includes(condition)),
      ...twice,
      ...dropped,
    ]);

  test('in any order, delivered twice, dropped and delivered again, each one folded as it comes [T3]', () => {
    const expected = truthOf(pool);
    fc.assert(
      fc.property(deliveries, (delivered) => {
        let truth: CanonicalRuntimeTruth | null = null;
        const fingerprints: string[] = [];
        delivered.forEach((_, index) => {
          truth = truthOf(delivered.slice(0, index + 1), truth, NOW_MS + index);
          fingerprints.push(truth.fingerprint);
        });
        const changes = fingerprints.filter((one, index) => one !== fingerprints[index - 1]);
        expect(truth).toEqual({
          ...expected,
          epoch: changes.length,
          builtAtMs: NOW_MS + delivered.length - 1,
        });
      }),
    );
  });

  test('in whatever order their facts, causes and risks are listed [T6]', () => {
    const full = conditionWith('mailbox', {
      facts: { token: lost('unreachable'), canSend: lost('no_answer'), canSeeBounces: lost('no_answer') },
      causes: causesOf('b', 'a'),
      risks: [
        { risk: 'weak_dkim', level: 'medium', phase: 'active' },
        { risk: 'billing_grace', level: 'medium', phase: 'active' },
      ],
    });
    const turned = {
      ...full,
      facts: full.facts.toReversed(),
      risks: full.risks.toReversed(),
      causes: { ...full.causes, ...causesOf('a', 'b') },
    };
    const others = good.filter((condition) => condition.layer !== 'mailbox');
    const [one, other] = [truthOf([...others, full]), truthOf([...others, turned])];
    expect(other.fingerprint).toBe(one.fingerprint);
    expect(other.unknowns).toEqual(one.unknowns);
    expect(other.unknowns).toHaveLength(3);
  });
});

function causesOf(...keys: readonly string[]): Partial<Causes> {
  const keyed = <T>(value: T) => Object.fromEntries(keys.map((key) => [key, value]));
  return {
    holds: keyed({ sinceMs: 1 }),
    faults: keyed({ sinceMs: 1 }),
    cooldowns: keyed({ untilMs: 1, ordinal: 1 }),
    requalifications: keyed({ ordinal: 1, from: null, count: 0 }),
    graces: keyed({ untilMs: 1, spent: false }),
    closures: keyed({ untilMs: 1 }),
    latched: keyed({ phase: 'active' as const, releaseOwed: false }),
  };
}

/** Whether a change of this field alone is a change of substance, and what it may be. */
interface Field<T> {
  readonly counts: boolean;
  readonly values: fc.Arbitrary<T>;
  /** Of a field with parts of its own: what of it is compared here; its parts stand in a table of their own. */
  outline(value: T): unknown;
}
/** Complete: a new field of `T` does not compile until it is said here whether it counts. */
type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

const whole = (value: unknown) => value;
const byName = (a: string, b: string) => (a < b ? -1 : 1);
const substance = <T>(values: fc.Arbitrary<T>): Field<T> => ({ counts: true, values, outline: whole });
const beside = <T>(values: fc.Arbitrary<T>): Field<T> => ({ counts: false, values, outline: whole });

function recordOf<T>(fields: Fields<T>): fc.Arbitrary<T> {
  const entries = Object.entries<Field<unknown>>(fields as Record<string, Field<unknown>>);
  return fc.record(Object.fromEntries(entries.map(([name, { values }]) => [name, values]))) as never;
}
/** Entries by cause: here it is the causes that count. */
const keyed = <T>(fields: Fields<T>): Field<Readonly<Record<string, T>>> => ({
  counts: true,
  values: fc.dictionary(anyWord, recordOf(fields), { maxKeys: 2 }),
  outline: (record) => Object.keys(record).sort(byName),
});
/** A list of named things: here it is the names that count. */
const listed = <T>(fields: Fields<T>, nameOf: (item: T) => string): Field<readonly T[]> => ({
  counts: true,
  values: fc.uniqueArray(recordOf(fields), { selector: nameOf, maxLength: 2 }),
  outline: (list) => list.map(nameOf).sort(byName),
});
/** There or not: here that alone counts. */
const there = <T>(fields: Fields<T>): Field<T | null> => ({
  counts: true,
  values: orNull(recordOf(fields)),
  outline: (value) => value === null,
});

const anyTimeMs = fc.nat();
const anyOrdinal = fc.integer({ min: 1, max: 9 });
const anyWord = fc.constantFrom('w1', 'w2', 'w3');
const anyReason = fc.constantFrom(...REASONS);
const anyMode = fc.constantFrom(...GOVERNANCE_MODES);
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const orAbsent = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });

const FACT: Fields<FactReading> = {
  fact: substance(fc.constantFrom('f1', 'f2', 'f3')),
  // A number counts by its band alone; see the test of all numbers below.
  value: substance(orAbsent(fc.constantFrom<FactValue>('pass', 'fail', 'none', true, false))),
  // That a value is history follows from its verdict and its reason.
  isHistory: beside(orAbsent(fc.constant(true as const))),
  band: substance(orAbsent(fc.constantFrom('low', 'some', 'none'))),
  verdict: substance(fc.constantFrom(...CHECK_VERDICTS)),
  severity: substance(fc.constantFrom<FactReading['severity']>('none', 'soft', 'hard')),
  reason: substance(anyReason),
  // Whose work a fact is follows from its reason and from other facts. That it is required stands in the catalogue,
  // and counts by the share of what is unknown alone.
  owner: beside(fc.constantFrom(...OWNERS)),
  required: beside(fc.boolean()),
  observedAtMs: beside(orNull(anyTimeMs)),
  expiresAtMs: beside(orNull(anyTimeMs)),
  everPassed: beside(fc.boolean()),
  passingSinceMs: beside(orNull(anyTimeMs)),
};
const RISK: Fields<LayerRisk> = {
  risk: substance(fc.constantFrom(...RISK_NAMES)),
  level: substance(fc.constantFrom(...RISK_LEVELS)),
  phase: substance(fc.constantFrom(...RISK_PHASES)),
};
const HOLD: Fields<Causes['holds'][string]> = { sinceMs: beside(anyTimeMs) };
const FAULT: Fields<Causes['faults'][string]> = { sinceMs: beside(anyTimeMs) };
const COOLDOWN: Fields<Causes['cooldowns'][string]> = {
  untilMs: beside(anyTimeMs),
  ordinal: substance(anyOrdinal),
};
// How far a sample has come is a count: that it is owed counts, and then that it is not.
const REQUALIFICATION: Fields<Causes['requalifications'][string]> = {
  ordinal: substance(anyOrdinal),
  from: beside(orNull(anyTimeMs)),
  count: beside(fc.nat()),
};
const GRACE: Fields<Causes['graces'][string]> = {
  untilMs: beside(anyTimeMs),
  spent: substance(fc.boolean()),
};
const CLOSURE: Fields<Causes['closures'][string]> = { untilMs: beside(orNull(anyTimeMs)) };
const LATCHED: Fields<Causes['latched'][string]> = {
  phase: substance(fc.constantFrom(...RISK_PHASES)),
  // Follows from two risks that were active together, and shows as a hold.
  releaseOwed: beside(fc.boolean()),
};
const SETUP: Fields<NonNullable<Causes['setup']>> = {
  id: substance(anyWord),
  deadlineMs: beside(anyTimeMs),
};
// That a run holds the layer counts; which one, and that somebody is looking, is told by other records.
const LEASE: Fields<NonNullable<Causes['lease']>> = { runId: beside(anyWord), untilMs: beside(anyTimeMs) };
const CHECK: Fields<NonNullable<Causes['check']>> = {
  startedAtMs: beside(anyTimeMs),
  deadlineMs: beside(anyTimeMs),
};
const CAUSES: Fields<Causes> = {
  holds: keyed(HOLD),
  faults: keyed(FAULT),
  cooldowns: keyed(COOLDOWN),
  requalifications: keyed(REQUALIFICATION),
  graces: keyed(GRACE),
  closures: keyed(CLOSURE),
  latched: keyed(LATCHED),
  setup: there(SETUP),
  lease: there(LEASE),
  check: beside(orNull(recordOf(CHECK))),
  recheckSinceMs: beside(orNull(anyTimeMs)),
  answersSinceMs: beside(orNull(anyTimeMs)),
  servedStop: beside(orNull(fc.constant({ atMs: 1, counters: { deliveredTotal: 1 } }))),
  unanswered: beside(
    fc.dictionary(anyWord, fc.constant({ sinceMs: 1, lastMs: 1, tries: 1 }), { maxKeys: 2 }),
  ),
  requalificationOwed: substance(orNull(anyWord)),
  attention: substance(fc.boolean()),
};
const CONDITION: Fields<LayerCondition> = {
  // One fingerprint is of one tenant: it is never compared with another's.
  tenantId: beside(anyWord),
  layer: substance(fc.constantFrom(...CANONICAL_BLOCKER_LAYERS)),
  source: substance(anyWord),
  enabled: substance(fc.boolean()),
  state: substance(fc.constantFrom(...MANAGED_EXECUTION_STATES)),
  bucket: substance(fc.constantFrom(...READINESS_BUCKETS)),
  owner: substance(fc.constantFrom(...OWNERS)),
  reason: substance(anyReason),
  facts: listed(FACT, ({ fact }) => fact),
  causes: { counts: true, values: recordOf(CAUSES), outline: () => null },
  risks: listed(RISK, ({ risk }) => risk),
  validUntilMs: beside(orNull(anyTimeMs)),
};
const MODE: Fields<ResolvedMode> = {
  requested: substance(anyMode),
  sectorFloor: substance(anyMode),
  operatorFloor: substance(anyMode),
  riskFloor: substance(anyMode),
  resolved: substance(anyMode),
  risks: CONDITION.risks,
};

interface Case {
  readonly title: string;
  readonly counts: boolean;
  /** Two that differ in the one field only. */
  readonly pairs: fc.Arbitrary<readonly [LayerCondition, LayerCondition]>;
}

function casesOf<T extends object>(
  what: string,
  fields: Fields<T>,
  put: (part: T, condition: LayerCondition) => LayerCondition,
): readonly Case[] {
  return Object.entries<Field<unknown>>(fields as Record<string, Field<unknown>>).flatMap(
    ([name, { counts, values, outline }]) => {
      const said = (value: unknown) => JSON.stringify(outline(value)) ?? 'absent';
      const pairs = fc
        .tuple(recordOf(CONDITION), recordOf(fields), values, values)
        .filter(([, , one, other]) => said(one) !== said(other))
        .map(([condition, part, one, other]) =>
          [one, other].map((value) => put({ ...part, [name]: value }, condition)),
        ) as unknown as Case['pairs'];
      return name === 'causes' ? [] : [{ title: `${what} ${name}`, counts, pairs }];
    },
  );
}

const withCauses = (condition: LayerCondition, causes: Partial<Causes>): LayerCondition => ({
  ...condition,
  causes: { ...condition.causes, ...causes },
});
const entry = <K extends keyof Causes>(kind: K) => {
  const put = (part: object, condition: LayerCondition) => {
    const others = condition.causes[kind] as Readonly<Record<string, unknown>>;
    return withCauses(condition, { [kind]: { ...others, w1: part } });
  };
  return put;
};
const CASES = [
  ...casesOf('condition', CONDITION, (condition) => condition),
  ...casesOf('fact', FACT, (fact, condition) => ({
    ...condition,
    facts: [fact, ...condition.facts.filter((other) => !['f1', 'f2', 'f3'].includes(other.fact))],
  })),
  ...casesOf('risk', RISK, (risk, condition) => ({ ...condition, risks: [risk] })),
  ...casesOf('causes', CAUSES, (causes, condition) => withCauses(condition, causes)),
  ...casesOf('hold', HOLD, entry('holds')),
  ...casesOf('fault', FAULT, entry('faults')),
  ...casesOf('cooldown', COOLDOWN, entry('cooldowns')),
  ...casesOf('requalification', REQUALIFICATION, entry('requalifications')),
  ...casesOf('grace', GRACE, entry('graces')),
  ...casesOf('closure', CLOSURE, entry('closures')),
  ...casesOf('latched risk', LATCHED, entry('latched')),
  ...casesOf('set-up', SETUP, (setup, condition) => withCauses(condition, { setup })),
  ...casesOf('lease', LEASE, (lease, condition) => withCauses(condition, { lease })),
  ...casesOf('check', CHECK, (check, condition) => withCauses(condition, { check })),
];
/** Enough beside it that what is unknown in it is no quarter of what is required. */
const some = good.filter(({ layer }) => ['mailbox', 'governance', 'campaign'].includes(layer));
const fingerprintBeside = (condition: LayerCondition) => truthOf([...some, condition]).fingerprint;
/** Two values are told apart at once or never. */
const FEW = { numRuns: 20 };
const titled = (counts: boolean) =>
  CASES.filter((one) => one.counts === counts).map(({ title, pairs }) => [title, pairs] as const);

describe('a change of one field alone', () => {
  test.each(titled(true))('moves the fingerprint: %s [T5]', (_, pairs) => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        expect(fingerprintBeside(other)).not.toBe(fingerprintBeside(one));
      }),
      FEW,
    );
  });

  test.each(titled(false))('does not move the fingerprint: %s [T6]', (_, pairs) => {
    fc.assert(
      fc.property(pairs, ([one, other]) => {
        expect(fingerprintBeside(other)).toBe(fingerprintBeside(one));
      }),
      FEW,
    );
  });

  test.each(Object.entries<Field<unknown>>(MODE))('moves the fingerprint: mode %s [T5]', (name, field) => {
    const truth = truthOf(good);
    const said = (value: unknown) => JSON.stringify(field.outline(value));
    fc.assert(
      fc.property(recordOf(MODE), field.values, field.values, (mode, one, other) => {
        fc.pre(said(one) !== said(other));
        const withMode = (value: unknown) => fingerprintOf({ ...truth, mode: { ...mode, [name]: value } });
        expect(withMode(other)).not.toBe(withMode(one));
      }),
    );
  });
});

describe.each(CANONICAL_BLOCKER_LAYERS)('the values of %s', (layer) => {
  const facts = Object.entries(FACTS[layer] as Record<string, FactSpec>);
  const others = good.filter((condition) => condition.layer !== layer);
  const fingerprintWith = (fact: string, change: Partial<FactReading>) => {
    const condition = conditionWith(layer, { facts: { [fact]: change } });
    return truthOf([...others, condition]).fingerprint;
  };

  test('that are closed words or yes and no count, every one of them [T5]', () => {
    for (const [fact, spec] of facts) {
      if (spec.kind === 'number') continue;
      const values: readonly FactValue[] = spec.kind === 'enum' ? spec.values : [true, false];
      const found = new Set(values.map((value) => fingerprintWith(fact, { value })));
      expect(found.size, fact).toBe(values.length);
    }
  });

  test('that are numbers count by their band alone, but for those that change only when DNS does [T6 T8]', () => {
    const exact = ['spfLookups', 'spfVoidLookups', 'dkimKeyBits'];
    for (const [fact, spec] of facts) {
      if (spec.kind !== 'number') continue;
      const band = 'some';
      const before = fingerprintWith(fact, { value: 0.25, band });
      expect(fingerprintWith(fact, { value: 0.75, band }) !== before, fact).toBe(exact.includes(fact));
      expect(fingerprintWith(fact, { value: 0.25, band: 'low' }), fact).not.toBe(before);
    }
  });
});

test('neither the tenant nor the time nor what came before moves the fingerprint; the policy does [T5 T6]', () => {
  type Input = Parameters<typeof buildTruth>[0];
  const input: Input = {
    tenantId: 'acme',
    conditions: good,
    policy: POLICY,
    policyDigest: 'a',
    previous: null,
    atMs: 0,
  };
  const { fingerprint } = buildTruth(input);
  const counts: { readonly [K in keyof Input]: readonly [Input[K], boolean] } = {
    tenantId: ['other', false],
    conditions: [good.slice(1), true],
    // What a policy means is in its digest and in the mode that follows from it.
    policy: [{ ...POLICY, name: 'other' }, false],
    policyDigest: ['b', true],
    previous: [truthOf([]), false],
    atMs: [NOW_MS, false],
  };
  for (const [name, [value, moves]] of Object.entries(counts)) {
    expect(buildTruth({ ...input, [name]: value }).fingerprint !== fingerprint, name).toBe(moves);
  }
});
