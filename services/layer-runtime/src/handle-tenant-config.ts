import { tenantConfigured } from '@orchestrate/contracts';
import type { LayerSource } from '@orchestrate/layer-machines';
import { checkAddress, decodeStrict, type StoredMessage } from '@orchestrate/messaging';
import { FREEZE_ALL } from './handle-operator-command.ts';
import type { LayerPartition } from './layer-partition.ts';
import { type DeclaredSource, declaredSources, observationsOf } from './tenant-sources.ts';

/** A tenant declared itself: a machine for every source, told what the declaration says of it. */
export async function handleTenantConfig(partition: LayerPartition, input: StoredMessage): Promise<void> {
  const config = decodeStrict(tenantConfigured, input.data);
  const { tenantId } = config;
  checkAddress(tenantConfigured, input, `config.${partition.context.p}.${tenantId}.tenant`);
  const { store } = partition;
  if (!store.declare(tenantId, input.seq)) return;
  const declared = new Map(
    declaredSources(config, partition.now).map((one) => [
      store.findOrCreate(tenantId, one.layer, one.source),
      one,
    ]),
  );
  const sources = store.sourcesOf(tenantId);
  await Promise.all(sources.map((held) => partition.load(held)));
  for (const held of sources) {
    const { loaded } = held;
    if (!loaded || loaded.isReplay(input)) continue;
    const one = declared.get(held);
    const next = one
      ? tell(partition, loaded.source, one, input.storedAtMs)
      : loaded.source.withEnabled(false);
    partition.save(held, next, input, input.storedAtMs);
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
  if (declared.layer === 'governance' && partition.isFrozen) {
    told = told.receive({ type: 'operator_hold', atMs, cause: FREEZE_ALL }, policy) ?? told;
  }
  // The DNS probe looks at a new domain at once; until its first answer the check is in flight.
  if (isNew && declared.layer === 'sending_domain' && declared.enabled) {
    const deadlineMs = atMs + policy.firstCheckSec * 1000;
    told = told.receive({ type: 'check_started', atMs, deadlineMs }, policy) ?? told;
  }
  return told;
}
