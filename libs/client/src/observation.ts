import { randomUUID } from 'node:crypto';
import type { CanonicalBlockerLayer, FactValue, UnknownReason } from '@orchestrate/canon';
import { type EvidenceObserved, evidenceObserved, VERSION } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { publishMessage } from './publish-message.ts';

/** What somebody saw of one source of a layer. */
export interface Observation {
  readonly tenantId: string;
  readonly layer: CanonicalBlockerLayer;
  readonly source: string;
  /** Who looked, as an id. */
  readonly observer: string;
  /** By fact: the value that was seen, or why there is none. What gave no answer is an unknown, never a failure. */
  readonly facts: Readonly<Record<string, FactValue | { readonly unknown: UnknownReason }>>;
  /** Ms since the epoch; default now. */
  readonly observedAtMs?: number;
}

/**
 * Publishes what was seen, judged by nobody yet; gives its place in EVIDENCE. Throws ContractViolation, with nothing
 * published, when the layer has no such fact or the fact takes no such value.
 */
export async function publishObservation(broker: Broker, observation: Observation): Promise<number> {
  const message = observationMessage(observation, Date.now());
  return (await publishMessage(broker, evidenceObserved, evidenceObserved.subject(message), message)).seq;
}

export function observationMessage(observation: Observation, nowMs: number): EvidenceObserved {
  const { tenantId, layer, source, observer, facts, observedAtMs = nowMs } = observation;
  return {
    v: VERSION,
    id: randomUUID(),
    tenantId,
    causedBy: null,
    layer,
    source,
    observer,
    facts: Object.entries(facts).map(([fact, value]) =>
      typeof value === 'object'
        ? { fact, unknown: value.unknown, observedAtMs }
        : { fact, value, observedAtMs },
    ),
  };
}
