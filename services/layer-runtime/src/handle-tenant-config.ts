import { tenantConfigured } from '@orchestrate/contracts';
import type { LayerSource } from '@orchestrate/layer-machines';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import { FREEZE_ALL } from './handle-operator-command.ts';
import type { LayerPartition } from './layer-partition.ts';
import { type DeclaredSource, declaredSources, observationsOf } from './tenant-sources.ts';

/** A tenant declared itself: a machine for every source, told what the declaration says of it. */
export function handleTenantConfig(partition: LayerPartition, input: StoredMessage): void {
  const config = decodeStrict(tenantConfigured, input.data);
  checkAddress(tenantConfigured, input, `config.${partition.context.p}.${config.tenantId}.tenant`);
  if (!partition.declare(config, input)) return;
  const declared = declaredSources(config, partition.now);
  const names = new Set(declared.map((one) => `${one.layer}/${one.source}`));
  for (const one of declared) {
    const held = partition.findOrCreate(config.tenantId, one.layer, one.source);
    if (partition.isReplay(held, input)) continue;
    partition.save(held, tell(partition, held.source, one, input.storedAtMs), input, input.storedAtMs);
  }
  for (const held of partition.sourcesOf(config.tenantId)) {
    const { layer, source } = held.source;
    if (names.has(`${layer}/${source}`) || partition.isReplay(held, input)) continue;
    partition.save(held, held.source.withEnabled(false), input, input.storedAtMs);
  }
}

function tell(
  partition: LayerPartition,
  source: LayerSource,
  declared: DeclaredSource,
  atMs: number,
): LayerSource {
  const policy = partition.now;
  const isNew = Object.values(source.context.facts).every((fact) => fact.observedAtMs === null);
  const initial = Object.entries(declared.initial ?? {}).filter(
    ([fact]) => (source.context.facts[fact]?.observedAtMs ?? null) === null,
  );
  const facts = { ...Object.fromEntries(initial), ...declared.facts };
  let told = source.withEnabled(declared.enabled);
  if (Object.keys(facts).length > 0) told = told.observe(observationsOf(facts, atMs), policy, atMs);
  // A tenant that comes while everything is frozen is frozen too.
  if (declared.layer === 'governance' && partition.frozen) {
    told = told.receive({ type: 'operator_hold', atMs, cause: FREEZE_ALL }, policy) ?? told;
  }
  // The DNS probe looks at a new domain at once; until its first answer the check is in flight.
  if (isNew && declared.layer === 'sending_domain' && declared.enabled) {
    const deadlineMs = atMs + policy.firstCheckSec * 1000;
    told = told.receive({ type: 'check_started', atMs, deadlineMs }, policy) ?? told;
  }
  return told;
}
