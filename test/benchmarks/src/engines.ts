import { DISPATCH_BLOCKERS, DISPATCH_DECISIONS, type DispatchDecision, hardnessOf } from '@orchestrate/canon';
import type { FlatFacts } from './flat-facts.ts';
import type { Condition } from './rules.ts';

/** What each of the ten gates comes to, and all of them together. */
export interface Verdict {
  readonly decision: DispatchDecision;
  readonly gates: readonly DispatchDecision[];
}

/** Rules are parsed and compiled once; the facts are other ones with each call. */
export type Engine<T> = (facts: FlatFacts) => T | Promise<T>;

/** A general engine in its two uses: for the verdict with all ten gates, and for the decision alone. */
export interface ReferenceEngine {
  readonly name: string;
  readonly verdict: Engine<Verdict>;
  readonly decision: Engine<DispatchDecision>;
}

const REPUTATION = DISPATCH_BLOCKERS.indexOf('reputation_unsafe');

const isDecision = (name: string): name is DispatchDecision =>
  DISPATCH_DECISIONS.some((decision) => decision === name);

/** An engine names the rule that applied: a decision, a condition that cannot be met, or none. */
export function decisionNamed(name: string | undefined): DispatchDecision {
  if (name === undefined) return 'APPROVE';
  if (name === 'UNMET') return 'HOLD_FOR_REPUTATION';
  if (isDecision(name)) return name;
  throw new Error(`no decision is named \`${name}\``);
}

/** The hardest of the ten decides; what would go out under conditions that it cannot meet is held by gate 7. */
export function verdictOf(gates: DispatchDecision[], isUnmet: () => boolean): Verdict {
  let decision: DispatchDecision = 'APPROVE';
  for (const gate of gates) if (hardnessOf(gate) > hardnessOf(decision)) decision = gate;
  if (decision !== 'DEGRADE_AND_APPROVE' || !isUnmet()) return { decision, gates };
  gates[REPUTATION] = 'HOLD_FOR_REPUTATION';
  return { decision: 'HOLD_FOR_REPUTATION', gates };
}

/** An infix expression, in the words that casbin and Cedar share; they differ in what a fact is called. */
export function expressionOf(condition: Condition, named: (fact: string) => string): string {
  const joined = (conditions: readonly Condition[], operator: string) =>
    `(${conditions.map((one) => expressionOf(one, named)).join(operator)})`;
  const compared = (
    fact: string,
    values: readonly (string | number | boolean)[],
    equal: string,
    operator: string,
  ) => `(${values.map((value) => `${named(fact)} ${equal} ${JSON.stringify(value)}`).join(operator)})`;
  if ('any' in condition) return joined(condition.any, ' || ');
  if ('all' in condition) return joined(condition.all, ' && ');
  if ('in' in condition) return compared(condition.fact, condition.in, '==', ' || ');
  if ('notIn' in condition) return compared(condition.fact, condition.notIn, '!=', ' && ');
  return `${named(condition.fact)} >= ${condition.atLeast}`;
}
