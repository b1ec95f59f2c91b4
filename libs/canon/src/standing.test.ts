import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FactReading, LayerCondition } from './condition.ts';
import { decide } from './decide.ts';
import {
  caseWith,
  conditionsWith,
  conditionWith,
  HOUR_MS,
  lost,
  NOW_MS,
  POLICY,
  truthOf,
} from './dispatch-case.test-support.ts';
import type { DispatchAction, DispatchCase } from './gates/gate.ts';
import { GATES } from './gates/index.ts';
import type { Policy } from './policy.ts';
import { standing } from './standing.ts';
import type { CanonicalRuntimeTruth } from './truth.ts';
import { TruthReading } from './truth-reading.ts';

/** Seldom two at one moment, so that each has to be thought of for itself. */
const endMs = fc.integer({ min: 1, max: 50 }).map((hours) => NOW_MS + hours * HOUR_MS);

const STRICTER: Policy = {
  ...POLICY,
  dispatch: { ...POLICY.dispatch, touchesMax: 1 },
  degradations: {
    ...POLICY.degradations,
    not_entitled_grace: { maxLinks: 0 },
    identity_soft: { maxLinks: 0 },
    identity_grace_proven: { maxLinks: 0 },
    mailbox_limited: { plainTextOnly: true },
    reputation_watch: { maxToday: 3 },
    reputation_sample_unknown_budgeted: { maxToday: 3 },
    context_no_ai: { aiGeneration: 'off' },
  },
};

/** What is wrong with one source each, if anything; several of them in grace. */
const WRONGS: Readonly<
  Record<LayerCondition['layer'], readonly NonNullable<Parameters<typeof conditionWith>[1]>[]>
> = {
  billing: [{ facts: { subscriptionStatus: 'past_due', pastDueDays: 1 } }],
  sending_domain: [
    {},
    { facts: { dkim: 'weak' } },
    { facts: { spf: 'none' } },
    { facts: { spf: { verdict: 'fail', severity: 'hard', reason: 'spf_fail', observedAtMs: 0 } } },
    { enabled: false },
  ],
  mailbox: [{ facts: { canReadReplies: false } }, { facts: { token: 'invalid_grant' } }],
  provider_health: [{ enabled: false }, { facts: { reachable: false } }],
  governance: [
    {},
    { facts: { freeze: true } },
    { facts: { lawfulBasis: 'none' } },
    { facts: { requestedMode: 'approval_required' } },
    { causes: { holds: { freeze_all: { sinceMs: 0 } } } },
  ],
  continuity_window: [{ facts: { 'window.open': false, nextRun: NOW_MS + HOUR_MS } }],
  pacing: [
    {},
    { facts: { band: lost('insufficient_sample') } },
    { facts: { band: 'watch' } },
    { causes: { cooldowns: { band_quarantined: { untilMs: NOW_MS + HOUR_MS, ordinal: 1 } } } },
  ],
  campaign: [
    {},
    { facts: { campaignState: 'paused' } },
    { facts: { tone: 'pressure_lint' } },
    { facts: { cta: 'breakup' } },
  ],
  data: [{ facts: { importState: 'never' } }],
};

/** One fact of the source expires at a time, and what fails is in grace until another. */
function conditionOf(layer: LayerCondition['layer'], source?: string): fc.Arbitrary<LayerCondition> {
  return fc
    .record({
      wrong: fc.oneof(
        { weight: 3, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.constantFrom(...WRONGS[layer]) },
      ),
      expiring: fc.constantFrom(true, false, false),
      which: fc.nat(),
      expiresAtMs: endMs,
      graceUntilMs: endMs,
      spent: fc.constantFrom(false, false, true),
    })
    .map(({ wrong, expiring, which, expiresAtMs, graceUntilMs, spent }) => {
      const condition = conditionWith(layer, { ...wrong, ...(source === undefined ? {} : { source }) });
      const facts = condition.facts.map((fact, index): FactReading => {
        const isExpiring = expiring && index === which % condition.facts.length;
        return { ...fact, expiresAtMs: isExpiring ? expiresAtMs : null };
      });
      const failing = facts.filter((fact) => fact.severity === 'hard').map((fact) => fact.fact);
      const graces = Object.fromEntries(failing.map((fact) => [fact, { untilMs: graceUntilMs, spent }]));
      return { ...condition, facts, causes: { ...condition.causes, graces } };
    });
}

const truth = fc
  .tuple(
    ...conditionsWith().map(({ layer }) => conditionOf(layer)),
    conditionOf('sending_domain', 'other-example'),
    conditionOf('mailbox', 'ben'),
    conditionOf('pacing', 'ben'),
    conditionOf('campaign', 'summer'),
    conditionOf('data', 'events'),
  )
  .map((conditions) => frozen(truthOf(conditions)));

/** The start and every moment at which a fact expires or a grace ends. */
function momentsOf({ layers }: CanonicalRuntimeTruth): readonly number[] {
  const sources = Object.values(layers).flatMap((layer) => layer.sources);
  return [
    NOW_MS,
    ...sources.flatMap(({ facts }) => facts.flatMap(({ expiresAtMs }) => expiresAtMs ?? [])),
    ...sources.flatMap(({ causes }) => Object.values(causes.graces).map(({ untilMs }) => untilMs)),
  ];
}

/** In any order: a request may be decided for a moment that is before the last one. */
const momentIn = (known: CanonicalRuntimeTruth) =>
  fc.tuple(fc.constantFrom(...momentsOf(known)), fc.constantFrom(-1, 0, 0, 1)).map(([atMs, by]) => atMs + by);

/** Mostly the same, for what is kept for others is no proof of what is kept. */
const mostly = <const T>(usual: T, ...others: readonly T[]) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );

const askedOf = (known: CanonicalRuntimeTruth) =>
  fc.record({
    nowMs: momentIn(known),
    policy: mostly(POLICY, STRICTER),
    fresh: mostly(true, false),
    freezes: mostly<DispatchCase['freezes']>([], ['freeze']),
    action: fc.record({
      mailbox: mostly('anna', 'ben', 'nobody'),
      domain: mostly('acme-example', 'other-example'),
      campaign: mostly('spring', 'summer'),
      importSource: mostly('crm', 'events'),
      step: mostly(1, 2),
      bound: mostly(true, false),
    }),
    recipient: fc.record({
      conversation: mostly('none', 'reply_owed', 'replied'),
      touches: fc.constantFrom(0, 1),
    }),
    reservation: fc.record({
      slot: mostly('free', 'gap'),
      budget: fc.constantFrom('available', 'spent'),
      budgetIds: fc.constantFrom(['mailbox:anna'], ['mailbox:anna', 'domain:acme-example']),
    }),
  });
type Asked = typeof askedOf extends (known: CanonicalRuntimeTruth) => fc.Arbitrary<infer T> ? T : never;

const GOOD_CASE = caseWith();

/** The decision, and of each gate all that it answered, also what no decision shows. */
function decided(known: CanonicalRuntimeTruth, { nowMs: atMs, policy, freezes, fresh, ...change }: Asked) {
  const input = {
    ...GOOD_CASE,
    nowMs: atMs,
    policy,
    freezes,
    reading: new TruthReading(known, fresh, atMs),
    action: { ...GOOD_CASE.action, ...change.action },
    recipient: { ...GOOD_CASE.recipient, ...change.recipient },
    reservation: { ...GOOD_CASE.reservation, ...change.reservation },
  };
  return [decide(input), ...GATES.map((gate) => gate.ask(input))];
}

test('whatever was found before, a decision is what it would be on a truth that nobody has read [G17]', () => {
  const truthAndRequests = truth.chain((known) =>
    fc.tuple(fc.constant(known), fc.array(askedOf(known), { minLength: 2, maxLength: 16 })),
  );
  fc.assert(
    fc.property(truthAndRequests, ([known, requests]) => {
      for (const request of requests) {
        // What is remembered is shared: whoever changed it would change decisions that were made already.
        const warm = frozen(decided(known, request));
        const policy = structuredClone(request.policy);
        expect(warm).toEqual(decided(structuredClone(known), { ...request, policy }));
      }
    }),
    { numRuns: 200 },
  );
});

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}

describe('to the millisecond', () => {
  const endMs = NOW_MS + HOUR_MS / 2;
  const decidedAt = (atMs: number, known: CanonicalRuntimeTruth) =>
    decide({ ...GOOD_CASE, nowMs: atMs, reading: new TruthReading(known, true, atMs) }).decision;

  test.each([
    ['billing', 'paymentMethod'],
    ['sending_domain', 'dkim'],
    ['mailbox', 'token'],
    ['provider_health', 'reachable'],
    ['governance', 'lawfulBasis'],
    ['continuity_window', 'window.open'],
    ['pacing', 'band'],
    ['campaign', 'lint'],
    ['data', 'importState'],
  ] as const)('an answer of %s that expires ends what was found with it [T12 G17]', (layer, fact) => {
    const known = truthOf(conditionsWith({ [layer]: { facts: { [fact]: { expiresAtMs: endMs } } } }));
    expect(decidedAt(endMs - 1, known)).toBe('APPROVE');
    expect(decidedAt(endMs, known)).not.toBe('APPROVE');
    expect(decidedAt(endMs - 1, known)).toBe('APPROVE');
  });

  test.each([
    ['billing', 'subscriptionStatus', 'DEGRADE_AND_APPROVE'],
    ['sending_domain', 'spf', 'HOLD_FOR_REPUTATION'],
  ] as const)('so does a grace of %s that is over [L24 G17]', (layer, fact, inGrace) => {
    const failing: Partial<FactReading> = { verdict: 'fail', severity: 'hard' };
    const causes = { graces: { [fact]: { untilMs: endMs, spent: false } } };
    const known = truthOf(conditionsWith({ [layer]: { facts: { [fact]: failing }, causes } }));
    expect(decidedAt(endMs - 1, known)).toBe(inGrace);
    expect(decidedAt(endMs, known)).toBe('BLOCK');
    expect(decidedAt(endMs - 1, known)).toBe(inGrace);
  });
});

test('a sample explored under one budget and then under two names the one and then the two [G17 G30]', () => {
  const known = truthOf(conditionsWith({ pacing: { facts: { band: lost('insufficient_sample') } } }));
  const reading = new TruthReading(known, true, NOW_MS);
  for (const budgetIds of [['mailbox:anna'], ['domain:acme-example', 'mailbox:anna']]) {
    const reservation = { ...GOOD_CASE.reservation, budgetIds };
    expect(decide({ ...GOOD_CASE, reading, reservation })).toMatchObject({
      decision: 'DEGRADE_AND_APPROVE',
      budgetIds,
    });
  }
});

describe('a finding [G17]', () => {
  const END_MS = NOW_MS + HOUR_MS;
  interface Request extends Pick<DispatchCase, 'nowMs' | 'policy'> {
    readonly fresh: boolean;
    readonly action: Partial<DispatchAction>;
  }
  const found = () => {
    let times = 0;
    const find = standing(() => ({ times: ++times }));
    const known = truthOf(conditionsWith({ data: { facts: { importState: { expiresAtMs: END_MS } } } }));
    return ({ nowMs: atMs = NOW_MS, fresh = true, policy = POLICY, action = {} }: Partial<Request>) => {
      const reading = new TruthReading(known, fresh, atMs);
      return find({ reading, policy, action: { ...GOOD_CASE.action, ...action } }).times;
    };
  };

  test('is made once for all requests that name the same sources, until the first of their facts expires', () => {
    const ask = found();
    expect(ask({})).toBe(1);
    expect(ask({ action: { step: 2 }, nowMs: END_MS - 1 })).toBe(1);
    expect(ask({ nowMs: END_MS })).toBe(2);
  });

  test('is made again for a moment before it, for other sources, another policy and a stale truth', () => {
    const ask = found();
    expect(ask({})).toBe(1);
    expect(ask({ nowMs: NOW_MS - 1 })).toBe(2);
    expect(ask({ action: { campaign: 'summer' } })).toBe(3);
    expect(ask({ policy: STRICTER })).toBe(4);
    expect(ask({ policy: STRICTER, fresh: false })).toBe(5);
  });

  test('is forgotten when requests have named very many sources, which they may make up', () => {
    const ask = found();
    for (let number = 1; number <= 64; number++)
      expect(ask({ action: { mailbox: `m-${number}` } })).toBe(number);
    expect(ask({ action: { mailbox: 'm-1' } })).toBe(1);
    expect(ask({ action: { mailbox: 'm-65' } })).toBe(65);
    expect(ask({ action: { mailbox: 'm-1' } })).toBe(66);
  });
});
