import { truthMarked } from '@orchestrate/contracts';
import type { PartitionedService } from '@orchestrate/messaging';
import {
  offboardedSubjects,
  ownPartitions,
  PolicyInForce,
  type RunningService,
  type ServiceContext,
} from '@orchestrate/service-kit';
import { TruthPartition } from './truth-partition.ts';

/** Builds one truth per tenant for the partitions that this instance owns. */
export async function startTruthAggregator(context: ServiceContext<object>): Promise<RunningService> {
  const { broker, name, log } = context;
  const policy = await PolicyInForce.follow(broker, { log });
  const service: PartitionedService = {
    name,
    output: 'TRUTH',
    mark: truthMarked,
    // Its marks are those of layer-runtime, forwarded: a dead layer-runtime must not look fresh.
    markEveryMs: null,
    inputs: [
      { stream: 'CONFIG', filters: (p) => [offboardedSubjects(p)] },
      { stream: 'LAYERS', filters: (p) => [`layer.${p}`, `layer.${p}.*.*.*`] },
    ],
    open: (partition, mark) => TruthPartition.open(partition, mark, policy),
  };
  return ownPartitions(context, policy, service);
}
