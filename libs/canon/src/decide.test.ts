import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from './decide.ts';
import {
  APPROVAL,
  type CaseChange,
  type Changes,
  caseWith,
  DAY_MS,
  HOUR_MS,
  lost,
  NOW_MS,
  POLICY,
} from './dispatch-case.test-support.ts';
import { requiredFacts, UNKNOWN_REASONS } from './facts.ts';
import { digestOf } from './fingerprint.ts';
import { becauseRequest, type Gate } from './gates/gate.ts';
import { GATES } from './gates/index.ts';
import type { Constraints } from './policy.ts';
import { TruthReading } from './truth-reading.ts';
import {
  CANONICAL_BLOCKER_LAYERS,
  DECISIONS_MILD_TO_HARD,
  DISPATCH_BLOCKERS,
  DISPATCH_DECISIONS,
  type DispatchDecision,
  dispatches,
  hardnessOf,
  type Owner,
  RATIONALE_QUESTIONS,
  supportsDispatch,
} from './words.ts';

const decideOn = (change: CaseChange = {}) => decide(caseWith(change));
const layers = (changes: Changes): CaseChange => ({ layers: changes });
const sample = layers({ pacing: { facts: { band: lost('insufficient_sample') } } });

/** A gate that answers what it is told; its outcomes are named for their decisions. */
function fake(
  index: number,
  decision: DispatchDecision | 'throws',
  constraints?: Constraints,
  owner: Owner = 'client',
): Gate {
  const blocker = DISPATCH_BLOCKERS[index]!;
  return {
    blocker,
    outcomes: DECISIONS_MILD_TO_HARD.map((name) => ({ name, decision: name })),
    faulted: 'HOLD_FOR_CONTEXT',
    ask() {
      if (decision === 'throws') throw new Error('the gate is broken');
      const because = [becauseRequest('data', 'crm', `fact${index}`, 'suppression_unknown', owner)];
      return { outcome: decision, because, ...(constraints ? { constraints: [constraints] } : {}) };
    },
  };
}
const verdicts = fc.array(fc.constantFrom(...DECISIONS_MILD_TO_HARD), { minLength: 10, maxLength: 10 });
const decideBy = (vector: readonly (DispatchDecision | 'throws')[]) =>
  decide(
    caseWith(),
    vector.map((decision, index) => fake(index, decision)),
  );

describe('the lattice', () => {
  test('the hardest outcome decides, a tie names the lowest gate, and all ten are recorded [G11]', () => {
    fc.assert(
      fc.property(verdicts, (vector) => {
        const decision = decideBy(vector);
        const hardest = Math.max(...vector.map(hardnessOf));
        expect(hardnessOf(decision.decision)).toBe(hardest);
        expect(decision.decidingGate).toBe(vector.findIndex((one) => hardnessOf(one) === hardest) + 1);
        expect(decision.decidingBlocker).toBe(DISPATCH_BLOCKERS[decision.decidingGate - 1]);
        expect(decision.gates.map((gate) => gate.decision)).toEqual(vector);
        expect(decision.gates.map((gate) => gate.gate)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      }),
    );
  });

  test('making any one gate worse never makes the decision more permissive [G12]', () => {
    fc.assert(
      fc.property(verdicts, fc.nat(9), fc.nat(6), (vector, gate, by) => {
        const worse = Math.min(hardnessOf(vector[gate]!) + by, DECISIONS_MILD_TO_HARD.length - 1);
        const after = decideBy(vector.with(gate, DECISIONS_MILD_TO_HARD[worse]!));
        expect(hardnessOf(after.decision)).toBeGreaterThanOrEqual(hardnessOf(decideBy(vector).decision));
      }),
    );
  });

  test('a constraint that nothing can meet only ever takes a release back [G22]', () => {
    fc.assert(
      fc.property(verdicts, fc.nat(9), (vector, at) => {
        const gates = vector.map((one, index) =>
          fake(index, one, index === at ? { maxToday: 0 } : undefined),
        );
        const decision = decide(caseWith(), gates);
        const without = decideBy(vector).decision;
        const taken = without === 'DEGRADE_AND_APPROVE';
        expect(decision.decision).toBe(taken ? 'HOLD_FOR_REPUTATION' : without);
      }),
    );
  });
});

describe('a gate that throws', () => {
  test.each(GATES.map((gate, index) => [gate.blocker, index] as const))(
    '%s: is unknown, never a pass [G13]',
    (blocker, index) => {
      const broken: Gate = {
        ...GATES[index]!,
        ask() {
          throw new Error('broken');
        },
      };
      const decision = decide(caseWith(), GATES.with(index, broken));
      const finding = decision.gates[index]!;
      expect(finding).toMatchObject({ blocker, outcome: 'unknown', faulted: true });
      expect(finding.because).toEqual([
        {
          layer: 'governance',
          source: 'main',
          fact: blocker,
          reason: 'gate_faulted',
          verdict: 'unknown',
          owner: 'orchestrate',
        },
      ]);
      expect(dispatches(decision.decision)).toBe(false);
      expect(decision.decision).not.toBe('BLOCK');
      expect(decision.gates).toHaveLength(10);
    },
  );

  test('does not take the audit of the other nine with it [G13]', () => {
    fc.assert(
      fc.property(verdicts, fc.nat(9), (vector, at) => {
        const faulted = vector.map((one, index) => (index === at ? ('throws' as const) : one));
        const decision = decideBy(faulted);
        expect(decision.gates.filter((gate) => gate.faulted).map((gate) => gate.gate)).toEqual([at + 1]);
        expect(dispatches(decision.decision)).toBe(false);
      }),
    );
  });

  test('an outcome that the gate does not have is a fault as well [G13]', () => {
    const liar: Gate = { ...GATES[0]!, ask: () => ({ outcome: 'surely', because: [] }) };
    expect(decide(caseWith(), GATES.with(0, liar)).gates[0]).toMatchObject({
      outcome: 'unknown',
      faulted: true,
    });
  });

  test('a truth without its layers faults the gates that read it and releases nothing [G13]', () => {
    const input = caseWith();
    const truth = { ...input.reading.truth!, layers: {} as never };
    const decision = decide({ ...input, reading: new TruthReading(truth, true, NOW_MS) });
    expect(decision.gates.filter((gate) => gate.faulted).length).toBeGreaterThan(5);
    expect(dispatches(decision.decision)).toBe(false);
    expect(decision.rationale.map((one) => one.question)).toEqual([...RATIONALE_QUESTIONS]);
  });
});

describe('every decision', () => {
  const change = fc.record<CaseChange>(
    {
      fresh: fc.boolean(),
      nowMs: fc.constantFrom(NOW_MS, NOW_MS + HOUR_MS, NOW_MS + DAY_MS),
      approval: fc.constantFrom(null, APPROVAL, { ...APPROVAL, actionDigest: 'b'.repeat(64) }),
      action: fc.record({
        step: fc.constantFrom(1, 2),
        bound: fc.boolean(),
        recipientVerified: fc.boolean(),
      }),
      recipient: fc.record({
        suppression: fc.constantFrom('clear', 'clear', 'suppressed', 'unknown'),
        duplicate: fc.constantFrom(false, false, true),
      }),
      reservation: fc.record({ slot: fc.constantFrom('free', 'cap_reached', 'gap'), usedToday: fc.nat(30) }),
      layers: fc.record({
        governance: fc.record({
          facts: fc.record({
            requestedMode: fc.constantFrom('autonomous', 'supervised', 'approval_required', 'draft_only'),
            freeze: fc.constantFrom(false, false, true),
          }),
        }),
        sending_domain: fc.record({
          facts: fc.record({ dkim: fc.constantFrom('valid', 'weak', 'missing', lost('servfail')) }),
        }),
        pacing: fc.record({
          facts: fc.record({
            band: fc.constantFrom('healthy', 'watch', 'blocked', lost('insufficient_sample')),
          }),
        }),
      }) as fc.Arbitrary<Changes>,
    },
    { requiredKeys: [] },
  );

  test('answers eight questions in order, and names what a release or a hold needs [G18 G25]', () => {
    fc.assert(
      fc.property(change, (some) => {
        const decision = decideOn(some);
        expect(DISPATCH_DECISIONS).toContain(decision.decision);
        expect(decision.gates.map((gate) => gate.blocker)).toEqual([...DISPATCH_BLOCKERS]);
        expect(decision.rationale.map((one) => one.question)).toEqual([...RATIONALE_QUESTIONS]);
        const supported = decision.rationale.every((one) => supportsDispatch(one.question, one.code));
        const released = dispatches(decision.decision);
        if (released) {
          expect(supported).toBe(true);
          expect([decision.unblock, decision.lane, decision.earliestReleaseMs]).toEqual([[], null, null]);
        } else {
          expect(supportsDispatch('whyDispatchSafe', decision.rationale[6]!.code)).toBe(false);
          expect([decision.constraints, decision.approvalId, decision.review]).toEqual([null, null, null]);
        }
        const isHold = !released && decision.decision !== 'BLOCK';
        expect(decision.lane !== null).toBe(isHold);
        if (isHold) expect(decision.unblock.length).toBeGreaterThan(0);
        const degraded = decision.decision === 'DEGRADE_AND_APPROVE';
        expect(decision.constraintsDigest).toBe(degraded ? digestOf(decision.constraints) : null);
      }),
      { numRuns: 300 },
    );
  });

  test('never dispatches without the person that its mode asks for [M10]', () => {
    fc.assert(
      fc.property(change, (some) => {
        const input = caseWith(some);
        const { decision, approvalId, review } = decide(input);
        if (!dispatches(decision)) return;
        const mode = input.reading.truth!.mode.resolved;
        expect(mode).not.toBe('draft_only');
        if (mode === 'approval_required') expect(approvalId).toBe('approval-1');
        expect(review !== null).toBe(mode === 'supervised');
      }),
      { numRuns: 300 },
    );
  });
});

describe('what the product promises', () => {
  test('a tenant with nothing wrong may send [G17]', () => {
    const decision = decideOn();
    expect(decision).toMatchObject({ decision: 'APPROVE', decidingGate: 1, constraints: null, review: null });
    expect(decision.rationale[6]).toMatchObject({ code: 'gates_pass' });
  });

  test('unknown DNS holds for reputation: never APPROVE, never BLOCK [G5 G15]', () => {
    for (const fact of ['spf', 'dkim', 'dmarc']) {
      const decision = decideOn(layers({ sending_domain: { facts: { [fact]: lost('servfail') } } }));
      expect(decision).toMatchObject({
        decision: 'HOLD_FOR_REPUTATION',
        decidingBlocker: 'identity_unauthenticated',
        decidingOutcome: 'unknown',
        lane: 'watch',
      });
      expect(decision.unblock[0]).toMatchObject({
        gate: 5,
        fact,
        reason: 'servfail',
        owner: 'orchestrate',
      });
    }
  });

  test('an unknown dispatches under a named budget or not at all, whatever its reason [G15]', () => {
    for (const layer of CANONICAL_BLOCKER_LAYERS.filter((one) => one !== 'provider_health')) {
      for (const fact of requiredFacts(layer)) {
        for (const reason of UNKNOWN_REASONS) {
          if (`${layer}.${fact}` === 'continuity_window.lastRunOutcome') continue;
          const decision = decideOn(layers({ [layer]: { facts: { [fact]: lost(reason) } } }));
          if (!dispatches(decision.decision)) continue;
          expect([`${layer}.${fact}`, decision.decision]).toEqual(['pacing.band', 'DEGRADE_AND_APPROVE']);
          expect(decision.budgetIds).not.toEqual([]);
        }
      }
    }
  });

  test('losing any required fact, for whatever reason, never leaves a plain APPROVE [G15]', () => {
    const boundedOrOptional = new Set(['pacing.band', 'continuity_window.lastRunOutcome']);
    for (const layer of CANONICAL_BLOCKER_LAYERS) {
      for (const fact of requiredFacts(layer)) {
        if (boundedOrOptional.has(`${layer}.${fact}`)) continue;
        for (const reason of ['expired', 'handler_fault', 'no_delivered_proof'] as const) {
          const { decision } = decideOn(layers({ [layer]: { facts: { [fact]: lost(reason) } } }));
          const withoutAi = layer === 'provider_health' ? 'DEGRADE_AND_APPROVE' : null;
          if (withoutAi) expect(decision).toBe(withoutAi);
          else expect(dispatches(decision), `${layer}.${fact} ${reason}`).toBe(false);
          expect(decision).not.toBe('BLOCK');
        }
      }
    }
  });

  test('a draft is not approvable [M10]', () => {
    const draft = layers({ governance: { facts: { requestedMode: 'draft_only' } } });
    expect(decideOn({ ...draft, approval: APPROVAL }).decision).toBe('HOLD_FOR_HUMAN_REVIEW');
  });

  test('an approval releases the exact action and is named; it does not skip a gate [G28]', () => {
    const needed = layers({ governance: { facts: { requestedMode: 'approval_required' } } });
    expect(decideOn(needed)).toMatchObject({ decision: 'HOLD_FOR_HUMAN_REVIEW', lane: 'person' });
    const approved = decideOn({ ...needed, approval: APPROVAL });
    expect(approved).toMatchObject({ decision: 'APPROVE', approvalId: 'approval-1' });
    expect(approved.rationale[6]).toMatchObject({ code: 'approval_bound' });
    const suppressed = { ...needed, approval: APPROVAL, recipient: { suppression: 'suppressed' } } as const;
    expect(decideOn(suppressed)).toMatchObject({ decision: 'BLOCK', approvalId: null });
  });

  test('why a dispatch is safe sums up the gates, and rests on no fact of its own [G18]', () => {
    const safe = (change: CaseChange = {}) => decideOn(change).rationale[6];
    const says = (code: string) => ({ question: 'whyDispatchSafe', code, evidence: [] });
    expect(safe()).toEqual(says('gates_pass'));
    expect(safe(layers({ sending_domain: { facts: { dkim: 'weak' } } }))).toEqual(
      says('gates_pass_degraded'),
    );
    expect(safe(sample)).toEqual(says('exploration_budget'));
    expect(safe({ recipient: { suppression: 'suppressed' } })).toEqual(says('not_safe'));
    expect(safe({ recipient: { suppression: 'unknown' } })).toEqual(says('unknown'));
    expect(safe({ recipient: { suppression: 'unknown', duplicate: true } })).toEqual(says('not_safe'));
  });

  test('what goes out as it is carries no constraint, no approval, no review and no budget [G23 G28]', () => {
    expect(decideOn()).toMatchObject({
      decision: 'APPROVE',
      constraints: null,
      constraintsDigest: null,
      review: null,
      approvalId: null,
      budgetIds: [],
      unblock: [],
    });
    expect(decideOn().gates.map((gate) => `${gate.gate} ${gate.decision}`)).toEqual(
      DISPATCH_BLOCKERS.map((_, index) => `${index + 1} APPROVE`),
    );
  });

  test('what was only not heard again is not called unsafe [G18]', () => {
    const stale: Gate = { ...GATES[0]!, ask: () => ({ outcome: 'stale', because: [] }) };
    const decision = decide(caseWith(), GATES.with(0, stale));
    expect(decision).toMatchObject({ decision: 'HOLD_FOR_CONTEXT', earliestReleaseMs: null });
    expect(decision.rationale[6]).toMatchObject({ code: 'unknown' });
  });

  test('a hold names the mode of the truth that it rests on, and none where there is no truth [G25]', () => {
    const input = caseWith({ recipient: { suppression: 'unknown' } });
    expect(decide(input).mode).toEqual(input.reading.truth!.mode);
    const nothing = decide({ ...input, reading: new TruthReading(null, true, NOW_MS) });
    expect(nothing.mode).toBeNull();
    expect(dispatches(nothing.decision)).toBe(false);
    expect(nothing.gates.filter((gate) => gate.faulted)).toEqual([]);
  });

  test('an approval that nobody asked for is not spent [G28]', () => {
    expect(decideOn({ approval: APPROVAL })).toMatchObject({ decision: 'APPROVE', approvalId: null });
  });

  test('a supervised release asks for a review by a date [M10]', () => {
    const supervised = layers({ governance: { facts: { requestedMode: 'supervised' } } });
    const dueByMs = NOW_MS + POLICY.dispatch.reviewWithinSec * 1000;
    expect(decideOn(supervised)).toMatchObject({ decision: 'APPROVE', review: { required: true, dueByMs } });
  });

  test('a stale truth releases nothing, and blocks nobody [G16]', () => {
    const decision = decideOn({ fresh: false });
    expect(decision).toMatchObject({ decision: 'HOLD_FOR_CONTEXT', lane: 'watch' });
    expect(decision.rationale[6]).toMatchObject({ code: 'unknown' });
    expect(decision.unblock.map((one) => one.reason)).toContain('truth_stale');
  });

  test('a BLOCK is final: it waits in no lane and for no time [G27]', () => {
    const blocked = decideOn({
      recipient: { suppression: 'suppressed' },
      reservation: { slot: 'gap', nextSlotAtMs: NOW_MS + 1 },
    });
    expect(blocked).toMatchObject({ decision: 'BLOCK', lane: null, earliestReleaseMs: null });
  });

  test('exploring under an unknown is degraded, budgeted, and says which budget it spent [G30]', () => {
    const decision = decideOn(sample);
    expect(decision).toMatchObject({
      decision: 'DEGRADE_AND_APPROVE',
      decidingOutcome: 'sample_unknown_budgeted',
      budgetIds: ['domain:acme-example', 'mailbox:anna'],
    });
    expect(decision.rationale[6]).toMatchObject({ code: 'exploration_budget' });
  });
});

describe('a release whose conditions this message cannot meet is no release', () => {
  const weakKeyAndSample = layers({
    sending_domain: { facts: { dkim: 'weak' } },
    pacing: { facts: { band: lost('insufficient_sample') } },
  });

  test('the constraints of all gates are merged to the most restrictive [G21 G23]', () => {
    expect(decideOn(weakKeyAndSample).constraints).toMatchObject({
      maxLinks: 1,
      openTracking: false,
      maxToday: 10,
    });
  });

  test('the day’s allowance of a constraint is a cap, and comes back with the next day [G22 G29]', () => {
    expect(decideOn({ ...sample, reservation: { usedToday: 9 } }).decision).toBe('DEGRADE_AND_APPROVE');
    const used = decideOn({ ...sample, reservation: { usedToday: 10 } });
    expect(used).toMatchObject({
      decision: 'HOLD_FOR_REPUTATION',
      decidingGate: 7,
      decidingOutcome: 'cap_reached',
      lane: 'watch',
      constraints: null,
      budgetIds: [],
      earliestReleaseMs: Date.parse('2026-03-03T00:00:00Z'),
    });
    expect(used.gates[6]).toEqual({
      gate: 7,
      blocker: 'reputation_unsafe',
      outcome: 'cap_reached',
      decision: 'HOLD_FOR_REPUTATION',
      because: [
        {
          layer: 'pacing',
          source: 'anna',
          fact: 'constraints',
          verdict: 'fail',
          reason: 'constraint_unsatisfiable',
          owner: 'orchestrate',
        },
      ],
      faulted: false,
    });
    expect(used.gates).toHaveLength(10);
  });

  test('what no constraint asks for takes no release back [G22]', () => {
    const weakKey = layers({ sending_domain: { facts: { dkim: 'weak' } } });
    expect(decideOn({ ...weakKey, action: { recipientVerified: false } }).decision).toBe(
      'DEGRADE_AND_APPROVE',
    );
    const gates = DISPATCH_BLOCKERS.map((_, index) =>
      fake(index, index === 4 ? 'DEGRADE_AND_APPROVE' : 'APPROVE', { newProspects: false }),
    );
    const known = caseWith({ recipient: { touches: 1 } });
    expect(decide(known, gates).decision).toBe('DEGRADE_AND_APPROVE');
  });

  test('verified recipients only [G22]', () => {
    const probation = layers({
      pacing: { causes: { requalifications: { band: { ordinal: 1, from: null, count: 0 } } } },
    });
    expect(decideOn(probation).decision).toBe('DEGRADE_AND_APPROVE');
    expect(decideOn({ ...probation, action: { recipientVerified: false } }).decision).toBe(
      'HOLD_FOR_REPUTATION',
    );
  });

  test.each<[string, Constraints]>([
    ['nothing today', { maxToday: 0 }],
    ['no provider allowed', { recipientProvidersAllow: [] }],
    ['over already', { expiresAtMs: NOW_MS }],
    ['no new prospects', { newProspects: false }],
  ])('%s [G22]', (_, constraints) => {
    const gates = DISPATCH_BLOCKERS.map((_blocker, index) =>
      fake(index, index === 4 ? 'DEGRADE_AND_APPROVE' : 'APPROVE', index === 4 ? constraints : undefined),
    );
    const decision = decide(caseWith(), gates);
    // No day gives it back, so no time is promised; what the other gates said stays in the record.
    expect(decision).toMatchObject({
      decision: 'HOLD_FOR_REPUTATION',
      decidingGate: 7,
      earliestReleaseMs: null,
    });
    expect(decision.gates.map((gate) => gate.gate)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(decision.gates[4]!.decision).toBe('DEGRADE_AND_APPROVE');
  });
});

describe('a hold [G25]', () => {
  test('waits for whoever can end it: an operator before the client, else it is watched', () => {
    const laneOf = (...owners: Owner[]) =>
      decide(
        caseWith(),
        DISPATCH_BLOCKERS.map((_, index) =>
          fake(index, owners[index] ? 'HOLD_FOR_CONTEXT' : 'APPROVE', undefined, owners[index]),
        ),
      ).lane;
    expect(laneOf('orchestrate', 'client', 'operator')).toBe('person');
    expect(laneOf('orchestrate', 'client')).toBe('client');
    expect(laneOf('orchestrate')).toBe('watch');
  });

  test('lists what every gate in the way needs, and nothing of the gates that are not', () => {
    const decision = decideOn(
      layers({
        billing: { facts: { entitlementRemaining: null } },
        sending_domain: { facts: { dkim: 'weak', spf: lost('timeout') } },
      }),
    );
    expect(
      decision.unblock.filter((one) => one.gate < 9).map((one) => `${one.gate} ${one.layer}.${one.fact}`),
    ).toEqual(['4 billing.entitlementRemaining', '5 sending_domain.spf']);
  });

  test('is looked at again when the last of its times has come', () => {
    const cooling = { cooldowns: { provider_throttles: { untilMs: NOW_MS + 5, ordinal: 1 } } };
    const decision = decideOn({
      layers: { mailbox: { causes: cooling } },
      reservation: { slot: 'gap', nextSlotAtMs: NOW_MS + 9 },
    });
    expect(decision).toMatchObject({
      decision: 'HOLD_FOR_REPUTATION',
      decidingGate: 6,
      earliestReleaseMs: NOW_MS + 9,
    });
  });
});
