import { truthMarked } from '@orchestrate/contracts';
import { OwnerLoop, type PartitionedService } from '@orchestrate/messaging';
import { PolicyInForce, type RunningService, type ServiceContext } from '@orchestrate/service-kit';
import { TruthPartition } from './truth-partition.ts';

/** Builds one truth per tenant for the partitions that this instance owns. */
export async function startTruthAggregator(context: ServiceContext<object>): Promise<RunningService> {
  const { broker, name, instance, life, log } = context;
  const policy = await PolicyInForce.follow(broker, { log });
  const service: PartitionedService = {
    name,
    output: 'TRUTH',
    mark: truthMarked,
    // Its marks are those of layer-runtime, forwarded: a dead layer-runtime must not look fresh.
    markEveryMs: null,
    inputs: [{ stream: 'LAYERS', filters: (p) => [`layer.${p}`, `layer.${p}.*.*.*`] }],
    open: (partition, mark) => TruthPartition.open(partition, mark, policy),
  };
  const loop = await OwnerLoop.start(broker, service, { instance, life }, log);
  return {
    health() {
      const status = loop.status();
      const { current, problem } = policy;
      const ok = status.red.length === 0 && problem === null;
      return {
        ok,
        detail: { ...status, policy: current.digest.slice(0, 12), ...(problem ? { problem } : {}) },
      };
    },
    async close() {
      await loop.close();
      await policy.close();
    },
  };
}
