import {
  type Decision,
  DISPATCH_DECISIONS,
  type DispatchCase,
  decide,
  hardnessOf,
  TruthReading,
} from '@orchestrate/canon';
import { casbinEngine } from './casbin.ts';
import { cedarEngine } from './cedar.ts';
import type { Contest } from './contest.ts';
import { dispatchCases } from './dispatch-cases.ts';
import type { Engine, ReferenceEngine, Verdict } from './engines.ts';
import { flatFacts, requestFacts, truthFacts } from './flat-facts.ts';
import { jsonRulesEngine } from './json-rules.ts';
import type { Contender } from './measure.ts';

export const decideContest: Contest = {
  name: 'decide',
  about: 'one decision with its ten findings, against general rule engines that give the ten outcomes',
  ratioMin: 10,
  async prepare() {
    const cases = dispatchCases();
    const engines = [await casbinEngine(), jsonRulesEngine(), cedarEngine()];
    const expected = cases.map((input) => verdictOfOurs(decide(input)));
    for (const decision of DISPATCH_DECISIONS) {
      if (!expected.some((one) => one.decision === decision))
        throw new Error(`no case is decided ${decision}`);
    }
    for (const engine of engines) await assertSame(engine, cases, expected);
    return {
      contenders: [
        { name: 'decide', pass: () => sumOf(cases, anew) },
        ...engines.map(({ name, verdict }) => ({ name, pass: () => passOf(cases, verdictSum(verdict)) })),
      ],
      besides: [
        { name: 'decide, each truth for the first time', pass: () => sumOf(cases, unread) },
        ...engines.map((engine) => decisionAlone(engine, cases)),
      ],
      opsPerPass: cases.length,
    };
  },
};

const verdictOfOurs = ({ decision, gates }: Decision): Verdict => ({
  decision,
  gates: gates.map((gate) => gate.decision),
});

async function assertSame(
  { name, verdict, decision }: ReferenceEngine,
  cases: readonly DispatchCase[],
  expected: readonly Verdict[],
): Promise<void> {
  for (const [index, input] of cases.entries()) {
    const facts = flatFacts(input);
    const { decision: wanted, gates } = expected[index]!;
    const given = await verdict(facts);
    const alone = await decision(facts);
    if (alone !== wanted || given.decision !== wanted || String(given.gates) !== String(gates)) {
      const told = `${alone}, ${given.decision} of ${given.gates}`;
      throw new Error(`${name} says of case ${index}: ${told}; decide: ${wanted} of ${gates}`);
    }
  }
}

/** Each request reads the truth at its own moment, as in dispatch-governance, which keeps the truth between them. */
const anew = (input: DispatchCase): DispatchCase => {
  const { truth, fresh, nowMs } = input.reading;
  return { ...input, reading: new TruthReading(truth, fresh, nowMs) };
};

/** A copy of the truth is one that nobody has read. */
const unread = (input: DispatchCase): DispatchCase => {
  const { truth, fresh, nowMs } = input.reading;
  return { ...input, reading: new TruthReading(truth && { ...truth }, fresh, nowMs) };
};

/** All of a decision is used: its findings, its answers, what it waits for and what it demands. */
function sumOf(cases: readonly DispatchCase[], asAsked: (input: DispatchCase) => DispatchCase): number {
  let sum = 0;
  for (const input of cases) {
    const { decision, gates, rationale, unblock, constraintsDigest } = decide(asAsked(input));
    sum += hardnessOf(decision) + rationale.length + unblock.length + (constraintsDigest?.length ?? 0);
    for (const gate of gates) sum += hardnessOf(gate.decision);
  }
  return sum;
}

function sumOfVerdict({ decision, gates }: Verdict): number {
  let sum = hardnessOf(decision);
  for (const gate of gates) sum += hardnessOf(gate);
  return sum;
}

const verdictSum = (engine: Engine<Verdict>) => (input: DispatchCase) => {
  const verdict = engine(flatFacts(anew(input)));
  return verdict instanceof Promise ? verdict.then(sumOfVerdict) : sumOfVerdict(verdict);
};

/** The engine spared all that can be spared: no outcome but the last, and the truth laid flat before the measuring. */
function decisionAlone({ name, decision }: ReferenceEngine, cases: readonly DispatchCase[]): Contender {
  const known = cases.map((input) => ({ input, truth: truthFacts(input) }));
  const sumFor = ({ input, truth }: (typeof known)[number]) => {
    const given = decision({ ...truth, ...requestFacts(input) });
    return given instanceof Promise ? given.then(hardnessOf) : hardnessOf(given);
  };
  return { name: `${name}, the decision alone`, pass: () => passOf(known, sumFor) };
}

/** An engine that answers at once is not made to wait for a promise. */
function passOf<T>(
  cases: readonly T[],
  sumFor: (one: T) => number | Promise<number>,
): number | Promise<number> {
  let sum = 0;
  for (const [index, one] of cases.entries()) {
    const given = sumFor(one);
    if (typeof given !== 'number') return waiting(given, cases.slice(index + 1), sumFor);
    sum += given;
  }
  return sum;
}

async function waiting<T>(
  first: Promise<number>,
  rest: readonly T[],
  sumFor: (one: T) => number | Promise<number>,
): Promise<number> {
  let sum = await first;
  for (const one of rest) sum += await sumFor(one);
  return sum;
}
