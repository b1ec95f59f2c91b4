import { layerMarked } from '@orchestrate/contracts';
import type { PartitionedService } from '@orchestrate/messaging';
import {
  offboardedSubjects,
  ownPartitions,
  PolicyInForce,
  type RunningService,
  type ServiceContext,
} from '@orchestrate/service-kit';
import type { Environment } from './config.ts';
import { LayerPartition } from './layer-partition.ts';

/** Runs nine machines per tenant for the partitions that this instance owns. */
export async function startLayerRuntime(context: ServiceContext<Environment>): Promise<RunningService> {
  const { broker, name, log } = context;
  const policy = await PolicyInForce.follow(broker, { log });
  const service: PartitionedService = {
    name,
    output: 'LAYERS',
    mark: layerMarked,
    markEveryMs: (context.environment.CADENCE_SEC ?? policy.current.policy.dispatch.cadenceSec) * 1000,
    inputs: [
      { stream: 'CONFIG', filters: (p) => [`config.${p}.*.tenant`, offboardedSubjects(p)] },
      { stream: 'EVIDENCE', filters: (p) => [`evidence.${p}`, `evidence.${p}.*.*.*`] },
      { stream: 'OPERATOR', filters: (p) => [`operator.${p}.*.*`] },
    ],
    open: (partition) => LayerPartition.open(partition, policy),
  };
  return ownPartitions(context, policy, service);
}
