import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import { DISPATCH_BLOCKERS, type DispatchDecision, hardnessOf } from '@orchestrate/canon';
import {
  decisionNamed,
  type Engine,
  expressionOf,
  type ReferenceEngine,
  type Verdict,
  verdictOf,
} from './engines.ts';
import type { FlatFacts } from './flat-facts.ts';
import { type Condition, RULES, rulesInOrder, UNMET } from './rules.ts';

/**
 * Cedar as WebAssembly, with `statefulIsAuthorized` over policies that were parsed once; the policies that determined
 * an answer are named in it. Without a schema: with one each request would be held against it, which costs more and
 * decides the same.
 */
export function cedarEngine(): ReferenceEngine {
  return { name: 'cedar-wasm', verdict: verdictEngine(), decision: decisionEngine() };
}

/** What may go out is permitted and what may not is forbidden. */
function decisionEngine(): Engine<DispatchDecision> {
  const rules = rulesInOrder();
  const policies = rules.map(([name, rule]) => [
    name,
    policyOf(name === 'DEGRADE_AND_APPROVE' ? 'permit' : 'forbid', rule),
  ]);
  const ask = policySet('decision', {
    ...Object.fromEntries(policies),
    APPROVE: 'permit(principal, action, resource);',
  });
  const names = rules.map(([name]) => name);
  return (facts) => {
    const reasons = ask(facts);
    return decisionNamed(names.find((name) => reasons.includes(name)));
  };
}

/** Of an answer that forbids all policies that do are named: so all are of that kind, and one call tells all ten. */
function verdictEngine(): Engine<Verdict> {
  const policies = DISPATCH_BLOCKERS.flatMap((gate, index) =>
    Object.entries(RULES[gate]).map(([rank, rule]) => [`${index}:${rank}`, policyOf('forbid', rule)]),
  );
  const ask = policySet('verdict', { ...Object.fromEntries(policies), UNMET: policyOf('forbid', UNMET) });
  return (facts) => {
    const gates = DISPATCH_BLOCKERS.map((): DispatchDecision => 'APPROVE');
    let isUnmet = false;
    for (const reason of ask(facts)) {
      if (reason === 'UNMET') isUnmet = true;
      else {
        const index = Number(reason[0]);
        const decision = decisionNamed(reason.slice(2));
        if (hardnessOf(decision) > hardnessOf(gates[index]!)) gates[index] = decision;
      }
    }
    return verdictOf(gates, () => isUnmet);
  };
}

const policyOf = (effect: 'permit' | 'forbid', rule: Condition): string =>
  `${effect}(principal, action, resource) when { ${expressionOf(rule, (fact) => `context.${fact}`)} };`;

function policySet(
  name: string,
  staticPolicies: Record<string, string>,
): (facts: FlatFacts) => readonly string[] {
  const parsed = preparsePolicySet(name, { staticPolicies });
  if (parsed.type === 'failure') throw new Error(parsed.errors.map((one) => one.message).join('\n'));
  const request = {
    principal: { type: 'Tenant', id: 'acme' },
    action: { type: 'Action', id: 'dispatch' },
    resource: { type: 'Mailbox', id: 'anna' },
    preparsedPolicySetId: name,
    validateRequest: false,
    entities: [],
  };
  return (context) => {
    const answer = statefulIsAuthorized({ ...request, context });
    if (answer.type === 'failure') throw new Error(answer.errors.map((one) => one.message).join('\n'));
    const { reason, errors } = answer.response.diagnostics;
    if (errors.length > 0) throw new Error(errors[0]?.error.message);
    return reason;
  };
}
