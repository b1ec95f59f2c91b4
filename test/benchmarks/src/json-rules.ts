import { DISPATCH_BLOCKERS, type DispatchDecision, hardnessOf } from '@orchestrate/canon';
import { Engine as RulesEngine, type TopLevelCondition } from 'json-rules-engine';
import { decisionNamed, type Engine, type ReferenceEngine, type Verdict, verdictOf } from './engines.ts';
import { type Condition, RULES, rulesInOrder, UNMET } from './rules.ts';

/** json-rules-engine has no synchronous way; `run` takes the facts as they are. */
export function jsonRulesEngine(): ReferenceEngine {
  return { name: 'json-rules-engine', verdict: verdictEngine(), decision: decisionEngine() };
}

/** One rule for each decision with a priority; the first that applies stops the engine, and no milder one is asked. */
function decisionEngine(): Engine<DispatchDecision> {
  const engine = new RulesEngine();
  const rules = rulesInOrder();
  rules.forEach(([type, condition], index) => {
    engine.addRule({
      priority: rules.length - index,
      conditions: topOf(condition),
      event: { type },
      onSuccess: () => {
        engine.stop();
      },
    });
  });
  return async (facts) => {
    const { events } = await engine.run(facts);
    return decisionNamed(events[0]?.type);
  };
}

/** One rule for each outcome of each gate, all of one priority: all are asked, at once, and each that applies tells. */
function verdictEngine(): Engine<Verdict> {
  const engine = new RulesEngine();
  DISPATCH_BLOCKERS.forEach((gate, index) => {
    for (const [rank, condition] of Object.entries(RULES[gate])) {
      engine.addRule({ conditions: topOf(condition), event: { type: rank, params: { index } } });
    }
  });
  engine.addRule({ conditions: topOf(UNMET), event: { type: 'UNMET' } });
  return async (facts) => {
    const { events } = await engine.run(facts);
    const gates = DISPATCH_BLOCKERS.map((): DispatchDecision => 'APPROVE');
    let isUnmet = false;
    for (const { type, params } of events) {
      if (type === 'UNMET') isUnmet = true;
      else {
        const decision = decisionNamed(type);
        if (hardnessOf(decision) > hardnessOf(gates[params!.index]!)) gates[params!.index] = decision;
      }
    }
    return verdictOf(gates, () => isUnmet);
  };
}

/** At the top it wants `any` or `all`. */
const topOf = (condition: Condition): TopLevelCondition =>
  jsonOf('any' in condition || 'all' in condition ? condition : { any: [condition] }) as TopLevelCondition;

function jsonOf(condition: Condition): object {
  if ('any' in condition) return { any: condition.any.map(jsonOf) };
  if ('all' in condition) return { all: condition.all.map(jsonOf) };
  const { fact } = condition;
  if ('atLeast' in condition) return { fact, operator: 'greaterThanInclusive', value: condition.atLeast };
  const [negated, values] = 'in' in condition ? [false, condition.in] : [true, condition.notIn];
  if (values.length === 1) return { fact, operator: negated ? 'notEqual' : 'equal', value: values[0] };
  return { fact, operator: negated ? 'notIn' : 'in', value: values };
}
