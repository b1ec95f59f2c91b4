import { randomUUID } from 'node:crypto';
import { type CanonicalBlockerLayer, type FactValue, factSpec, type UnknownReason } from '@orchestrate/canon';
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
 * Publishes what was seen, judged by nobody yet; gives its place in EVIDENCE. A word that the fact does not know (a
 * status that the outside world has invented since) is published as unknown, `unrecognised_value`: it takes the earlier
 * answer back and passes for none. Throws ContractViolation, with nothing published, when the layer has no such fact or
 * the fact takes no value of this kind.
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
    facts: Object.entries(facts).map(([fact, value]) => {
      if (typeof value === 'object') return { fact, unknown: value.unknown, observedAtMs };
      const isNewWord = isUnrecognised(layer, fact, value);
      return isNewWord
        ? { fact, unknown: 'unrecognised_value' as const, observedAtMs }
        : { fact, value, observedAtMs };
    }),
  };
}

function isUnrecognised(layer: CanonicalBlockerLayer, fact: string, value: FactValue): boolean {
  const spec = factSpec(layer, fact);
  return spec?.kind === 'enum' && typeof value === 'string' && !spec.values.includes(value);
}
