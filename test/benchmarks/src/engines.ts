import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { DispatchDecision } from '@orchestrate/canon';
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin';
import { Engine, type TopLevelCondition } from 'json-rules-engine';
import type { FlatFacts } from './flat-facts.ts';
import { type Condition, decisionOf, RANKS, type Rank, rulesOf } from './rules.ts';

/** Its rules are parsed and compiled once; the facts are other ones with each call. */
export type ReferenceEngine = (facts: FlatFacts) => DispatchDecision | Promise<DispatchDecision>;

const isRank = (name: string | undefined): name is Rank => RANKS.some((rank) => rank === name);

function rankNamed(name: string | undefined): Rank | undefined {
  if (name === 'APPROVE') return undefined;
  if (isRank(name)) return name;
  throw new Error(`no decision is named \`${name}\``);
}

/** An infix expression, in the words that casbin and Cedar share; they differ in what a fact is called. */
function expression(condition: Condition, named: (fact: string) => string): string {
  const joined = (conditions: readonly Condition[], operator: string) =>
    `(${conditions.map((one) => expression(one, named)).join(operator)})`;
  const compared = (fact: string, values: readonly (string | boolean)[], equal: string, operator: string) =>
    `(${values.map((value) => `${named(fact)} ${equal} ${JSON.stringify(value)}`).join(operator)})`;
  if ('any' in condition) return joined(condition.any, ' || ');
  if ('all' in condition) return joined(condition.all, ' && ');
  if ('in' in condition) return compared(condition.fact, condition.in, '==', ' || ');
  if ('notIn' in condition) return compared(condition.fact, condition.notIn, '!=', ' && ');
  return `${named(condition.fact)} >= ${condition.atLeast}`;
}

/**
 * casbin, synchronously (`enforceExSync`, which its documentation calls the faster one): one policy line for each
 * decision, hardest first, under the `priority` effect, which stops at the first line that applies; the explanation
 * names that line. The rules stand in the matcher, which is compiled once; in the lines they would want `eval()`,
 * which is replaced and looked up anew for each line of each call.
 */
export async function casbinEngine(): Promise<ReferenceEngine> {
  const clauses = RANKS.map((rank) => {
    const rules = expression({ any: rulesOf(rank) }, (fact) => `r.facts.${fact}`);
    return `(p.decision == "${rank}" && ${rules})`;
  });
  const model = newModelFromString(`
[request_definition]
r = facts
[policy_definition]
p = decision, eft
[policy_effect]
e = priority(p.eft) || deny
[matchers]
m = ${[...clauses, 'p.decision == "APPROVE"'].join(' || ')}
`);
  const lines = [...RANKS, 'APPROVE'].map((decision) => `p, ${decision}, allow`);
  const enforcer = await newEnforcer(model, new StringAdapter(lines.join('\n')));
  return (facts) => decisionOf(rankNamed(enforcer.enforceExSync(facts)[1][0]));
}

/**
 * json-rules-engine: one rule for each decision with a priority, and the engine is stopped by the first that applies,
 * so that milder ones are not asked. It has no synchronous way; `run` takes the facts as they are.
 */
export function jsonRulesEngine(): ReferenceEngine {
  const engine = new Engine();
  RANKS.forEach((rank, index) => {
    engine.addRule({
      priority: RANKS.length - index,
      conditions: jsonCondition({ any: rulesOf(rank) }) as TopLevelCondition,
      event: { type: rank },
      onSuccess: () => {
        engine.stop();
      },
    });
  });
  return async (facts) => {
    const { events } = await engine.run(facts);
    return decisionOf(rankNamed(events[0]?.type ?? 'APPROVE'));
  };
}

function jsonCondition(condition: Condition): object {
  if ('any' in condition) return { any: condition.any.map(jsonCondition) };
  if ('all' in condition) return { all: condition.all.map(jsonCondition) };
  const { fact } = condition;
  if ('atLeast' in condition) return { fact, operator: 'greaterThanInclusive', value: condition.atLeast };
  const [negated, values] = 'in' in condition ? [false, condition.in] : [true, condition.notIn];
  if (values.length === 1) return { fact, operator: negated ? 'notEqual' : 'equal', value: values[0] };
  return { fact, operator: negated ? 'notIn' : 'in', value: values };
}

/**
 * Cedar as WebAssembly, with `statefulIsAuthorized` over policies that were parsed once. What may go out is permitted
 * and what may not is forbidden, and the policies that determined the answer are named in it. Without a schema: with
 * one each request would be held against it, which costs more and decides the same.
 */
export function cedarEngine(): ReferenceEngine {
  const degrades = RANKS.indexOf('DEGRADE_AND_APPROVE');
  const policies = Object.fromEntries(
    RANKS.map((rank, index) => {
      const effect = index < degrades ? 'forbid' : 'permit';
      const rules = expression({ any: rulesOf(rank) }, (fact) => `context.${fact}`);
      return [rank, `${effect}(principal, action, resource) when { ${rules} };`];
    }),
  );
  const parsed = preparsePolicySet('gates', {
    staticPolicies: { ...policies, APPROVE: 'permit(principal, action, resource);' },
  });
  if (parsed.type === 'failure') throw new Error(parsed.errors.map((one) => one.message).join('\n'));
  const request = {
    principal: { type: 'Tenant', id: 'acme' },
    action: { type: 'Action', id: 'dispatch' },
    resource: { type: 'Mailbox', id: 'anna' },
    preparsedPolicySetId: 'gates',
    validateRequest: false,
    entities: [],
  };
  return (context) => {
    const answer = statefulIsAuthorized({ ...request, context });
    if (answer.type === 'failure') throw new Error(answer.errors.map((one) => one.message).join('\n'));
    const { reason, errors } = answer.response.diagnostics;
    if (errors.length > 0) throw new Error(errors[0]?.error.message);
    return decisionOf(RANKS.find((rank) => reason.includes(rank)));
  };
}
