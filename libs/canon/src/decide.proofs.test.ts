import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Decision, decide } from './decide.ts';
import { APPROVAL, type CaseChange, caseWith, lost } from './dispatch-case.test-support.ts';
import { canonicalJson } from './fingerprint.ts';
import type { DispatchCase, Gate, GateAnswer } from './gates/gate.ts';
import { GATES } from './gates/index.ts';
import { type ReadFact, TruthReading } from './truth-reading.ts';
import {
  type CheckVerdict,
  DECISIONS_MILD_TO_HARD,
  type DispatchBlocker,
  dispatches,
  GOVERNANCE_MODES,
  type GovernanceMode,
  hardnessOf,
} from './words.ts';

/** The real gate with its real outcomes, except that it answers what it is told. */
const told = (gate: Gate, answer: GateAnswer): Gate => ({ ...gate, ask: () => answer });

describe('outcome by outcome', () => {
  const answering = GATES.map((gate) =>
    gate.outcomes.map(({ name }) => told(gate, { outcome: name, because: [] })),
  );
  const mildest = answering.map((outcomes) => outcomes[0]!);
  const input = caseWith();
  const hardnessAt = (gate: number, outcome: number) => hardnessOf(GATES[gate]!.outcomes[outcome]!.decision);

  test('each of the 46 steps to the next outcome of a gate is never towards a more permissive decision [G12]', () => {
    const steps = GATES.flatMap((gate) =>
      gate.outcomes.slice(1).map((harder, index) => [gate.outcomes[index]!, harder] as const),
    );
    expect(steps).toHaveLength(46);
    const relaxing = steps.filter(([mild, hard]) => hardnessOf(mild.decision) > hardnessOf(hard.decision));
    expect(relaxing).toEqual([]);
  });

  test('the decision is the harder of any two outcomes of any two gates, and the tie is the lower gate’s [G11]', () => {
    let pairs = 0;
    for (let low = 0; low < GATES.length; low += 1) {
      for (let high = low + 1; high < GATES.length; high += 1) {
        answering[low]!.forEach((lower, a) => {
          answering[high]!.forEach((higher, b) => {
            const { decision, decidingGate } = decide(input, mildest.with(low, lower).with(high, higher));
            const [left, right] = [hardnessAt(low, a), hardnessAt(high, b)];
            const deciding = Math.max(left, right) === 0 ? 0 : left >= right ? low : high;
            const said = `${GATES[low]!.blocker} ${a}, ${GATES[high]!.blocker} ${b}`;
            expect(`${said}: ${hardnessOf(decision)} by ${decidingGate}`).toBe(
              `${said}: ${Math.max(left, right)} by ${deciding + 1}`,
            );
            pairs += 1;
          });
        });
      }
    }
    expect(pairs).toBe(1393);
  });

  test('the decision is the hardest of all ten, whatever they say [G11]', () => {
    const vector = fc.tuple(...GATES.map((gate) => fc.nat(gate.outcomes.length - 1)));
    fc.assert(
      fc.property(vector, (outcomes) => {
        const { decision, decidingGate } = decide(
          input,
          outcomes.map((outcome, gate) => answering[gate]![outcome]!),
        );
        const hardness = outcomes.map((outcome, gate) => hardnessAt(gate, outcome));
        expect(hardnessOf(decision)).toBe(Math.max(...hardness));
        expect(decidingGate).toBe(hardness.indexOf(Math.max(...hardness)) + 1);
      }),
      { numRuns: 5000 },
    );
  });
});

/**
 * What the ten gates say when they pass, fail and do not know: each verdict is a case in which the real gate gives
 * the outcome named here. Of gate 7 the unknown is the one under which a budget explores, and gate 10 asks for the
 * mode: its `fail` is that nobody approved, which counts only where the mode asks for an approval.
 */
const CASES: Record<DispatchBlocker, Record<CheckVerdict, [outcome: string, change: CaseChange]>> = {
  operator_freeze: {
    pass: ['clear', {}],
    unknown: ['unknown', { layers: { governance: { facts: { freeze: lost('no_answer') } } } }],
    fail: ['frozen', { freezes: ['freeze'] }],
  },
  recipient_suppressed: {
    pass: ['clear', {}],
    unknown: ['unknown', { recipient: { suppression: 'unknown' } }],
    fail: ['suppressed', { recipient: { suppression: 'suppressed' } }],
  },
  lawful_basis_absent: {
    pass: ['lawful', {}],
    unknown: ['unknown', { layers: { governance: { facts: { lawfulBasis: lost('no_answer') } } } }],
    fail: ['absent', { layers: { governance: { facts: { lawfulBasis: 'none' } } } }],
  },
  not_entitled: {
    pass: ['entitled', {}],
    unknown: ['unknown', { layers: { billing: { facts: { subscriptionStatus: lost('no_answer') } } } }],
    fail: ['not_entitled', { layers: { billing: { facts: { subscriptionStatus: 'unpaid' } } } }],
  },
  identity_unauthenticated: {
    pass: ['proven', {}],
    unknown: ['unknown', { layers: { sending_domain: { facts: { spf: lost('servfail') } } } }],
    fail: ['failing', { layers: { sending_domain: { facts: { dkim: 'missing' } } } }],
  },
  mailbox_incapable: {
    pass: ['capable', {}],
    unknown: ['unknown', { layers: { mailbox: { facts: { token: lost('unreachable') } } } }],
    fail: ['incapable', { layers: { mailbox: { facts: { token: 'invalid_grant' } } } }],
  },
  reputation_unsafe: {
    pass: ['healthy', {}],
    unknown: [
      'sample_unknown_budgeted',
      { layers: { pacing: { facts: { band: lost('insufficient_sample') } } } },
    ],
    fail: ['blocked', { layers: { pacing: { facts: { band: 'blocked' } } } }],
  },
  reply_or_duplicate_risk: {
    pass: ['clear', {}],
    unknown: ['unknown', { recipient: { conversation: 'unknown' } }],
    fail: ['duplicate', { recipient: { duplicate: true } }],
  },
  context_insufficient: {
    pass: ['sufficient', {}],
    unknown: [
      'unknown',
      { layers: { continuity_window: { facts: { 'window.open': lost('heartbeat_lost') } } } },
    ],
    fail: ['insufficient', { action: { bound: false } }],
  },
  human_authority_required: {
    pass: ['approved', { ...inMode('approval_required'), approval: APPROVAL }],
    unknown: [
      'unknown',
      { layers: { governance: { facts: { requestedMode: lost('no_answer') } } }, approval: APPROVAL },
    ],
    fail: ['unapproved', inMode('approval_required')],
  },
};

function inMode(requestedMode: GovernanceMode): CaseChange {
  return { layers: { governance: { facts: { requestedMode } } } };
}

/** Each gate's verdicts from mild to hard. Not to know the mode is worse than to know that an approval is missing. */
const MILD_TO_HARD = ['pass', 'unknown', 'fail'] as const satisfies readonly CheckVerdict[];
const verdictsOf = (blocker: DispatchBlocker): readonly CheckVerdict[] =>
  blocker === 'human_authority_required' ? ['pass', 'fail', 'unknown'] : MILD_TO_HARD;

const VECTORS = 3 ** GATES.length;

interface Told {
  /** The nine gates before the last, each by its verdict: they answer what the real gate answers in that case. */
  readonly nine: readonly (readonly Gate[])[];
  /** What the real tenth gate looks at, by mode and verdict. */
  readonly inputs: readonly (readonly DispatchCase[])[];
}

function tellAll(): Told {
  const nine = GATES.slice(0, -1).map((gate) =>
    verdictsOf(gate.blocker).map((verdict) => {
      const [, change] = CASES[gate.blocker][verdict];
      return told(gate, gate.ask(caseWith(change)));
    }),
  );
  const inputs = GOVERNANCE_MODES.map((mode) =>
    verdictsOf('human_authority_required').map((verdict) => {
      const requestedMode = verdict === 'unknown' ? { value: mode, ...lost('no_answer') } : mode;
      const approval = verdict === 'fail' ? null : APPROVAL;
      const input = caseWith({ layers: { governance: { facts: { requestedMode } } }, approval });
      return { ...input, reading: new RememberingReading(input.reading.truth, true, input.nowMs) };
    }),
  );
  return { nine, inputs };
}

/** A reading that looks up each fact once: a quarter of a million decisions ask twelve truths for the same ones. */
class RememberingReading extends TruthReading {
  readonly #facts = new Map<string, ReadFact>();
  readonly #required = new Map<string, readonly ReadFact[]>();

  override fact(...asked: Parameters<TruthReading['fact']>): ReadFact {
    return this.#facts.getOrInsertComputed(asked.join(' '), () => super.fact(...asked));
  }

  override required(...asked: Parameters<TruthReading['required']>): readonly ReadFact[] {
    return this.#required.getOrInsertComputed(asked.join(' '), () => super.required(...asked));
  }
}

/**
 * A vector is a number of ten ternary digits, gate 1 the lowest, and the mode stands above them: so that making
 * one gate worse is adding a power of three.
 */
function everyDecision({ nine, inputs }: Told, each: (at: number, decision: Decision) => void): void {
  const gates = [...GATES];
  for (let mode = 0; mode < GOVERNANCE_MODES.length; mode += 1) {
    for (let vector = 0; vector < VECTORS; vector += 1) {
      let rest = vector;
      for (let gate = 0; gate < nine.length; gate += 1) {
        gates[gate] = nine[gate]![rest % 3]!;
        rest = Math.floor(rest / 3);
      }
      each(mode * VECTORS + vector, decide(inputs[mode]![rest]!, gates));
    }
  }
}

const digitAt = (at: number, gate: number): number => Math.floor(at / 3 ** gate) % 3;
const modeAt = (at: number): GovernanceMode => GOVERNANCE_MODES[Math.floor(at / VECTORS)]!;

function nameOf(at: number): string {
  const verdicts = GATES.map(({ blocker }, gate) => `${blocker} ${verdictsOf(blocker)[digitAt(at, gate)]}`);
  return [modeAt(at), ...verdicts.filter((verdict) => !verdict.endsWith(' pass'))].join(', ');
}

/** A decision in one byte: its hardness, and whether it names a budget. */
const BUDGETED = 8;
const NOT_SAID = 255;
const inShort = ({ decision, budgetIds }: Decision): number =>
  hardnessOf(decision) + (budgetIds.length > 0 ? BUDGETED : 0);

describe('verdict by verdict', () => {
  test('the verdicts stand for outcomes that the real gates give, worse ones further right in their lists [G12]', () => {
    for (const gate of GATES) {
      const names = gate.outcomes.map((outcome) => outcome.name);
      const places = verdictsOf(gate.blocker).map((verdict) => {
        const [outcome, change] = CASES[gate.blocker][verdict];
        expect(gate.ask(caseWith(change)).outcome, `${gate.blocker} ${verdict}`).toBe(outcome);
        return names.indexOf(outcome);
      });
      expect(places, gate.blocker).toEqual(places.toSorted((a, b) => a - b));
      expect(new Set(places).size, gate.blocker).toBe(3);
    }
  });

  const said = new Uint8Array(VECTORS * GOVERNANCE_MODES.length).fill(NOT_SAID);
  const hardnessAt = (at: number): number => said[at]! % BUDGETED;
  const dispatchesAt = (at: number): boolean => dispatches(DECISIONS_MILD_TO_HARD[hardnessAt(at)]!);
  const verdictAt = (at: number, gate: number): CheckVerdict =>
    verdictsOf(GATES[gate]!.blocker)[digitAt(at, gate)]!;
  /** Names of what a statement is not true of; the first few are enough to look at. */
  const exceptions = (isException: (at: number) => boolean): readonly string[] =>
    [...said.keys()].filter(isException).slice(0, 5).map(nameOf);

  /** Of every 97th the whole decision, word for word. */
  const inFull = new Map<number, string>();

  beforeAll(() => {
    everyDecision(tellAll(), (at, decision) => {
      said[at] = inShort(decision);
      if (at % 97 === 0) inFull.set(at, canonicalJson(decision));
    });
  });

  test('every one of the 236,196 has a decision [G17]', () => {
    expect(said).toHaveLength(236_196);
    expect(exceptions((at) => hardnessAt(at) >= DECISIONS_MILD_TO_HARD.length)).toEqual([]);
  });

  test('the same vector has the same decision again [G17]', () => {
    const moved: string[] = [];
    everyDecision(tellAll(), (at, decision) => {
      const same =
        inShort(decision) === said[at] && (at % 97 !== 0 || canonicalJson(decision) === inFull.get(at));
      if (!same) moved.push(nameOf(at));
    });
    expect(moved.slice(0, 5)).toEqual([]);
  });

  test.each(GATES.map((gate, index) => [gate.blocker, index] as const))(
    'a worse verdict of %s never makes the decision more permissive [G12]',
    (_, gate) => {
      const step = 3 ** gate;
      expect(exceptions((at) => digitAt(at, gate) < 2 && hardnessAt(at + step) < hardnessAt(at))).toEqual([]);
    },
  );

  test('a stricter mode never makes the decision more permissive [G12 M2]', () => {
    const stricter = (at: number) => at + VECTORS;
    expect(
      exceptions((at) => stricter(at) < said.length && hardnessAt(stricter(at)) < hardnessAt(at)),
    ).toEqual([]);
  });

  test('an unknown never dispatches, but for the one that names the budget it spends [G15]', () => {
    const unknowns = (at: number) =>
      GATES.flatMap((gate, index) => (verdictAt(at, index) === 'unknown' ? [gate.blocker] : []));
    expect(
      exceptions((at) => {
        if (!dispatchesAt(at)) return false;
        const found = unknowns(at);
        const isBudgeted = said[at]! >= BUDGETED;
        return isBudgeted ? found.join() !== 'reputation_unsafe' : found.length > 0;
      }),
    ).toEqual([]);
  });

  test('a draft never dispatches, and what needs an approval never does without one [M10]', () => {
    const tenth = GATES.length - 1;
    const mayNot = (at: number) =>
      modeAt(at) === 'draft_only' || (modeAt(at) === 'approval_required' && verdictAt(at, tenth) !== 'pass');
    expect(exceptions((at) => mayNot(at) && dispatchesAt(at))).toEqual([]);
  });

  test('these ten dispatch, and no other [G12 G14]', () => {
    const released = [...said.keys()].filter(dispatchesAt);
    expect(released.map((at) => `${DECISIONS_MILD_TO_HARD[hardnessAt(at)]} ${nameOf(at)}`)).toEqual([
      'APPROVE autonomous',
      'DEGRADE_AND_APPROVE autonomous, reputation_unsafe unknown',
      'APPROVE autonomous, human_authority_required fail',
      'DEGRADE_AND_APPROVE autonomous, reputation_unsafe unknown, human_authority_required fail',
      'APPROVE supervised',
      'DEGRADE_AND_APPROVE supervised, reputation_unsafe unknown',
      'APPROVE supervised, human_authority_required fail',
      'DEGRADE_AND_APPROVE supervised, reputation_unsafe unknown, human_authority_required fail',
      'APPROVE approval_required',
      'DEGRADE_AND_APPROVE approval_required, reputation_unsafe unknown',
    ]);
  });
});
