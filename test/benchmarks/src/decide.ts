import {
  type Decision,
  DISPATCH_DECISIONS,
  type DispatchCase,
  type DispatchDecision,
  decide,
  hardnessOf,
  TruthReading,
} from '@orchestrate/canon';
import type { Bench } from './bench.ts';
import { dispatchCases } from './dispatch-cases.ts';
import { casbinEngine, cedarEngine, jsonRulesEngine, type ReferenceEngine } from './engines.ts';
import { type FlatFacts, requestFacts, truthFacts } from './flat-facts.ts';
import type { Contender } from './measure.ts';

export const decideBench: Bench = {
  name: 'decide',
  about: 'one decision with all its findings, against general rule engines that give the decision alone',
  ratioMin: 10,
  async prepare() {
    const cases = dispatchCases();
    const known = cases.map((input) => ({ input, truth: truthFacts(input) }));
    const references: readonly [string, ReferenceEngine][] = [
      ['casbin', await casbinEngine()],
      ['json-rules-engine', jsonRulesEngine()],
      ['cedar-wasm', cedarEngine()],
    ];
    const expected = cases.map((input) => decide(input).decision);
    for (const decision of DISPATCH_DECISIONS) {
      if (!expected.includes(decision)) throw new Error(`no case is decided ${decision}`);
    }
    for (const [name, engine] of references) await assertSame(name, engine, known, expected);
    const contenders = references.map(([name, engine]) => contender(name, engine, known));
    return {
      contenders: [{ name: 'decide', pass: () => sumOf(cases) }, ...contenders],
      opsPerPass: cases.length,
    };
  },
};

interface KnownCase {
  readonly input: DispatchCase;
  readonly truth: FlatFacts;
}

const factsOf = ({ input, truth }: KnownCase): FlatFacts => ({ ...truth, ...requestFacts(input) });

async function assertSame(
  name: string,
  engine: ReferenceEngine,
  cases: readonly KnownCase[],
  expected: readonly DispatchDecision[],
): Promise<void> {
  for (const [index, one] of cases.entries()) {
    const decision = await engine(factsOf(one));
    if (decision !== expected[index]) {
      throw new Error(`${name} decides case ${index} ${decision}, decide says ${expected[index]}`);
    }
  }
}

/**
 * As dispatch-governance asks: each request reads the truth anew, at its own moment. All of a decision is used: its
 * findings, its answers, what it waits for and what it demands.
 */
function sumOf(cases: readonly DispatchCase[]): number {
  let sum = 0;
  for (const input of cases) {
    const { truth, fresh, nowMs } = input.reading;
    sum += sizeOf(decide({ ...input, reading: new TruthReading(truth, fresh, nowMs) }));
  }
  return sum;
}

const sizeOf = ({ decision, gates, rationale, unblock, constraintsDigest }: Decision): number =>
  hardnessOf(decision) + gates.length + rationale.length + unblock.length + (constraintsDigest?.length ?? 0);

/** An engine that answers at once is not made to wait for a promise. */
function contender(name: string, engine: ReferenceEngine, cases: readonly KnownCase[]): Contender {
  const pass = async (first: Promise<DispatchDecision>) => {
    let sum = hardnessOf(await first);
    for (const one of cases.slice(1)) sum += hardnessOf(await engine(factsOf(one)));
    return sum;
  };
  return {
    name,
    pass() {
      let sum = 0;
      for (const one of cases) {
        const decision = engine(factsOf(one));
        if (typeof decision !== 'string') return pass(decision);
        sum += hardnessOf(decision);
      }
      return sum;
    },
  };
}
