import { OwnerLoop, type PartitionedService } from '@orchestrate/messaging';
import { partitionMetrics } from './partition-metrics.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import type { RunningService, ServiceContext } from './run-service.ts';

/** Runs a partitioned service under the policy in force; red partitions or an unusable policy show in its health. */
export async function ownPartitions<E>(
  { broker, instance, life, log }: ServiceContext<E>,
  policy: PolicyInForce,
  service: PartitionedService,
): Promise<RunningService> {
  const loop = await OwnerLoop.start(broker, service, { instance, life }, log);
  return {
    health() {
      const { owned, caughtUp, lag, conflicts, rejected, red } = loop.status();
      const { current, problem } = policy;
      const detail = {
        ...{ owned, caughtUp, lag, conflicts, rejected, red },
        policy: current.digest.slice(0, 12),
        ...(problem ? { problem } : {}),
      };
      return { ok: red.length === 0 && problem === null, detail };
    },
    metrics: [partitionMetrics(loop)],
    async close() {
      await loop.close();
      await policy.close();
    },
  };
}
