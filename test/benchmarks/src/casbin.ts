import { DISPATCH_BLOCKERS, type DispatchBlocker, type DispatchDecision } from '@orchestrate/canon';
import {
  type Effector,
  type EffectorStream,
  type Enforcer,
  newEnforcer,
  newModelFromString,
  StringAdapter,
} from 'casbin';
import {
  decisionNamed,
  type Engine,
  expressionOf,
  type ReferenceEngine,
  type Verdict,
  verdictOf,
} from './engines.ts';
import { type Condition, RANKS, RULES, rulesInOrder, UNMET } from './rules.ts';

/**
 * casbin, synchronously (`enforceExSync`, which its documentation calls the faster one). The rules stand in the matcher,
 * which is compiled once; in the policy lines they would want `eval()`, which is replaced and looked up anew for each
 * line of each call.
 */
export async function casbinEngine(): Promise<ReferenceEngine> {
  return { name: 'casbin', verdict: await verdictEngine(), decision: await decisionEngine() };
}

function enforcerOf(matcher: string, lines: readonly string[]): Promise<Enforcer> {
  const model = newModelFromString(`
[request_definition]
r = facts
[policy_definition]
p = line, eft
[policy_effect]
e = priority(p.eft) || deny
[matchers]
m = ${matcher}
`);
  return newEnforcer(model, new StringAdapter(lines.map((line) => `p, ${line}, allow`).join('\n')));
}

const ofFacts = (condition: Condition): string => expressionOf(condition, (fact) => `r.facts.${fact}`);
const whenLine = (line: string, rules: Condition): string => `(p.line == "${line}" && ${ofFacts(rules)})`;

/** One policy line for each decision, hardest first; the first that applies ends it and is named in the explanation. */
async function decisionEngine(): Promise<Engine<DispatchDecision>> {
  const rules = rulesInOrder();
  const clauses = rules.map(([name, rule]) => whenLine(name, rule));
  const names = rules.map(([name]) => name);
  const enforcer = await enforcerOf(clauses.join(' || '), names);
  return (facts) => decisionNamed(enforcer.enforceExSync(facts)[1][0]);
}

/**
 * One policy line for each gate, and one call. The matcher gives the rank of the line's outcome and the effector, which
 * casbin lets one replace, takes them down. An enforcer for each gate, asked in turn, takes half as long again;
 * `batchEnforce` asks one request after the other, and only in the slower asynchronous way.
 */
async function verdictEngine(): Promise<Engine<Verdict>> {
  const enforcer = await enforcerOf(matcherOf(DISPATCH_BLOCKERS), DISPATCH_BLOCKERS);
  const ranks = new RankList();
  enforcer.setEffector(ranks);
  const unmet = await enforcerOf(whenLine('UNMET', UNMET), ['UNMET']);
  return (facts) => {
    enforcer.enforceSync(facts);
    const gates = ranks.told.map((rank) => RANKS[rank - RANK_BASE] ?? 'APPROVE');
    return verdictOf(gates, () => unmet.enforceSync(facts));
  };
}

function matcherOf([gate, ...others]: readonly DispatchBlocker[]): string {
  if (!gate) return '0';
  const ranked = RANKS.map((rank, index): [Condition | undefined, number] => [
    RULES[gate][rank],
    RANK_BASE + index,
  ]);
  const rank = ranked.reduceRight(
    (milder, [rule, number]) => (rule ? `(${ofFacts(rule)} ? ${number} : ${milder})` : milder),
    String(RANK_BASE + RANKS.length),
  );
  return `(p.line == "${gate}" ? ${rank} : ${matcherOf(others)})`;
}

/** Above the numbers that are effects of casbin's own. */
const RANK_BASE = 10;

class RankList implements Effector {
  told: number[] = [];

  newStream(): EffectorStream {
    const told: number[] = [];
    this.told = told;
    return {
      current: () => true,
      pushEffect: (rank: number) => {
        told.push(rank);
        return [true, false, false];
      },
    };
  }
}
