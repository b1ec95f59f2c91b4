import {
  type FactReading,
  isHonestUnknown,
  isSampleReason,
  type ManagedExecutionState,
  STATES_WORST_FIRST,
} from '@orchestrate/canon';
import type { LayerContext } from './layer-context.ts';

const isEmpty = (record: object): boolean => {
  for (const _ in record) return false;
  return true;
};

/** A hard failure that runs inside its dated deadline. */
export function inGrace(context: LayerContext, fact: FactReading): boolean {
  const grace = context.graces[fact.fact];
  return fact.severity === 'hard' && grace !== undefined && !grace.spent;
}

/** Whether there are hard failures and each of them runs inside its grace. */
export function allInGrace(context: LayerContext): boolean {
  const hard = Object.values(context.facts).filter((fact) => fact.severity === 'hard');
  return hard.length > 0 && hard.every((fact) => inGrace(context, fact));
}

/** After a release or a client's act only what was observed since counts; older answers wait for their recheck. */
export function awaitsRecheck(context: LayerContext, fact: FactReading): boolean {
  if (context.recheckSinceMs === null || !fact.required) return false;
  return fact.observedAtMs === null || fact.observedAtMs < context.recheckSinceMs;
}

/** Whether nobody has looked yet; a second try at a server that does not answer must not flicker. */
function firstCheckRuns(context: LayerContext): boolean {
  if (context.check === null || context.attention) return false;
  for (const name in context.facts) {
    const { observedAtMs, reason } = context.facts[name]!;
    if (observedAtMs !== null || !(reason === 'never_observed' || isSampleReason(reason))) return false;
  }
  return true;
}

interface Findings {
  clientFails: boolean;
  ourFails: boolean;
  unknown: boolean;
  sampleOnly: boolean;
  grace: boolean;
  soft: boolean;
  recheck: boolean;
}

function findingsOf(context: LayerContext): Findings {
  const found: Findings = {
    clientFails: false,
    ourFails: false,
    unknown: false,
    sampleOnly: false,
    grace: false,
    soft: false,
    recheck: false,
  };
  const setUp = context.setup !== null;
  for (const name in context.facts) {
    const fact = context.facts[name]!;
    if (awaitsRecheck(context, fact)) {
      found.recheck = true;
    } else if (fact.verdict === 'unknown') {
      if (!isHonestUnknown(fact)) continue;
      if (isSampleReason(fact.reason)) found.sampleOnly = true;
      else if (!setUp) found.unknown = true;
    } else if (fact.severity === 'hard') {
      if (inGrace(context, fact)) found.grace = true;
      else if (setUp && !fact.everPassed) continue;
      else if (fact.owner === 'client') found.clientFails = true;
      else found.ourFails = true;
    } else if (fact.severity === 'soft') {
      found.soft = true;
    }
  }
  return found;
}

/** Which of the thirteen states has a cause in this context. */
export function candidates(context: LayerContext): Record<ManagedExecutionState, boolean> {
  const found = findingsOf(context);
  const firstCheck = firstCheckRuns(context);
  return {
    operator_review: !isEmpty(context.holds),
    client_action: found.clientFails,
    internal_fault: !isEmpty(context.faults) || found.ourFails,
    cooling_down: !isEmpty(context.cooldowns),
    unknown: found.unknown && !firstCheck,
    verifying: found.recheck || (firstCheck && found.unknown),
    probation: !isEmpty(context.requalifications),
    provisioning: context.setup !== null || found.sampleOnly,
    scheduled: !isEmpty(context.closures),
    grace: found.grace,
    degraded: found.soft,
    executing: context.lease !== null,
    ready: true,
  };
}

/** The worst state that has a cause: total, because `ready` always stands last. */
export function settle(context: LayerContext): ManagedExecutionState {
  const standing = candidates(context);
  return STATES_WORST_FIRST.find((state) => standing[state])!;
}
