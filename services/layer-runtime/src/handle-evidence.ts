import { evidenceHeartbeat, evidenceObserved } from '@orchestrate/contracts';
import type { Observation } from '@orchestrate/layer-machines';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import type { LayerPartition } from './layer-partition.ts';

/** Somebody looked at one source and says what was there; the layer's rule says what it means. */
export async function handleEvidence(partition: LayerPartition, input: StoredMessage): Promise<void> {
  const message = decodeStrict(evidenceObserved, input.data);
  const { tenantId, layer, source } = message;
  checkAddress(evidenceObserved, input, `evidence.${partition.context.p}.${tenantId}.${layer}.${source}`);
  if (partition.store.hasLeft(tenantId)) return;
  const held = partition.store.findOrCreate(tenantId, layer, source);
  const loaded = await partition.load(held);
  if (loaded.isReplay(input)) return;
  const observations = message.facts.map(
    (fact): Observation => ({
      fact: fact.fact,
      observedAtMs: Math.min(fact.observedAtMs, input.storedAtMs),
      outcome: 'value' in fact ? { value: fact.value } : { unknown: fact.unknown },
    }),
  );
  const next = loaded.source.observe(observations, partition.now, input.storedAtMs);
  partition.save(held, next, input, input.storedAtMs);
}

export function handleHeartbeat(partition: LayerPartition, input: StoredMessage): void {
  const message = decodeStrict(evidenceHeartbeat, input.data);
  checkAddress(evidenceHeartbeat, input, evidenceHeartbeat.subject(message.p));
  partition.heartbeat(message.layer, Math.min(message.atMs, input.storedAtMs));
}
