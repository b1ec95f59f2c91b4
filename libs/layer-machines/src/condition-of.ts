import {
  type Causes,
  type FactReading,
  isHonestUnknown,
  isSampleReason,
  type LayerCondition,
  type LayerRisk,
  type LayerRule,
  type ManagedExecutionState,
  type Owner,
  type Policy,
  REASONS,
  type Reason,
  RISKS,
  type RiskName,
  stateToBucket,
} from '@orchestrate/canon';
import { knownFacts } from './known-facts.ts';
import type { LayerContext } from './layer-context.ts';
import { afterStops } from './recovery.ts';
import { allInGrace, awaitsRecheck, inGrace, settle } from './settle.ts';
import type { SourceIdentity } from './source-identity.ts';

/** What a source says of itself, from its context alone. */
export function conditionOf(
  identity: SourceIdentity,
  rule: LayerRule,
  context: LayerContext,
  policy: Policy,
  atMs: number,
): LayerCondition {
  const state = settle(context);
  const { facts, ...causes } = context;
  return {
    ...identity,
    state,
    bucket: stateToBucket(state),
    ...why(state, context, rule.owner),
    facts: Object.values(facts),
    causes: causes satisfies Causes,
    risks: risksOf(rule, context, policy, atMs),
    validUntilMs: validUntil(Object.values(facts)),
  };
}

function validUntil(facts: readonly FactReading[]): number | null {
  let earliest: number | null = null;
  for (const { required, verdict, expiresAtMs } of facts) {
    if (!required || verdict === 'unknown' || expiresAtMs === null) continue;
    earliest = earliest === null ? expiresAtMs : Math.min(earliest, expiresAtMs);
  }
  return earliest;
}

function why(
  state: ManagedExecutionState,
  context: LayerContext,
  layerOwner: Owner,
): { reason: Reason; owner: Owner } {
  const facts = Object.values(context.facts).filter((fact) => !awaitsRecheck(context, fact));
  const of = (fact: Pick<FactReading, 'reason' | 'owner'> | undefined, otherwise: Reason) => ({
    reason: fact?.reason ?? otherwise,
    owner: fact?.owner ?? layerOwner,
  });
  const firstKey = (record: object, otherwise: Reason) => closed(Object.keys(record)[0]) ?? otherwise;
  const hardOf = (ours: boolean) => (fact: FactReading) =>
    fact.severity === 'hard' && !inGrace(context, fact) && (fact.owner !== 'client') === ours;
  switch (state) {
    case 'operator_review':
      return { reason: firstKey(context.holds, 'operator_hold'), owner: 'operator' };
    case 'client_action':
      return of(facts.find(hardOf(false)), 'ok');
    case 'internal_fault':
      return of(facts.find(hardOf(true)) ?? { reason: 'probe_fault', owner: 'orchestrate' }, 'probe_fault');
    case 'cooling_down':
      return { reason: firstKey(context.cooldowns, 'requalifying'), owner: 'orchestrate' };
    case 'unknown': {
      const fact = facts.find((one) => isHonestUnknown(one) && !isSampleReason(one.reason));
      return { reason: fact?.reason ?? 'never_observed', owner: 'orchestrate' };
    }
    case 'verifying':
      return { reason: 'verifying', owner: 'orchestrate' };
    case 'probation':
      return { reason: 'requalifying', owner: 'orchestrate' };
    case 'provisioning': {
      const sample = facts.find((one) => one.required && isSampleReason(one.reason));
      return {
        reason: closed(context.setup?.id) ?? sample?.reason ?? 'insufficient_sample',
        owner: 'orchestrate',
      };
    }
    case 'scheduled':
      return { reason: firstKey(context.closures, 'out_of_hours'), owner: layerOwner };
    case 'grace':
      return of(
        facts.find((fact) => inGrace(context, fact)),
        'ok',
      );
    case 'degraded':
      return of(
        facts.find((fact) => fact.severity === 'soft'),
        'ok',
      );
    case 'executing':
      return { reason: 'run_holds_it', owner: 'orchestrate' };
    case 'ready':
      return { reason: 'ok', owner: layerOwner };
  }
}

/** A person may key a cause by a word of their own; what is shown of it stays a closed reason. */
function closed(cause: string | undefined): Reason | undefined {
  return REASONS.find((reason) => reason === cause);
}

function risksOf(rule: LayerRule, context: LayerContext, policy: Policy, atMs: number): readonly LayerRisk[] {
  const { latched } = context;
  const moment = { policy, atMs, graceRunning: allInGrace(context), ...afterStops(context) };
  const active = rule.risks?.(knownFacts(context), moment) ?? [];
  const risks: LayerRisk[] = active.map((risk) => ({ risk, level: RISKS[risk].level, phase: 'active' }));
  for (const [name, { phase }] of Object.entries(latched)) {
    const risk = name as RiskName;
    if (active.includes(risk)) continue;
    // A risk that is being served counts one medium, whatever it was while it was active.
    risks.push({ risk, level: phase === 'serving' ? 'medium' : RISKS[risk].level, phase });
  }
  return risks;
}
