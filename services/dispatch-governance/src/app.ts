import { ledgerMarked } from '@orchestrate/contracts';
import { OwnerLoop, type PartitionedService } from '@orchestrate/messaging';
import { PolicyInForce, type RunningService, type ServiceContext } from '@orchestrate/service-kit';
import type { Environment } from './config.ts';
import { GovernancePartition } from './governance-partition.ts';

/** Decides every dispatch request of the partitions that this instance owns, one chain of records per tenant. */
export async function startDispatchGovernance(context: ServiceContext<Environment>): Promise<RunningService> {
  const { broker, name, instance, life, log } = context;
  const policy = await PolicyInForce.follow(broker, { log });
  const service: PartitionedService = {
    name,
    output: 'LEDGER',
    mark: ledgerMarked,
    markEveryMs: (context.environment.CADENCE_SEC ?? policy.current.policy.dispatch.cadenceSec) * 1000,
    inputs: [
      { stream: 'CONFIG', filters: (p) => [`config.${p}.*.tenant`] },
      { stream: 'TRUTH', filters: (p) => [`truth.${p}`, `truth.${p}.*`] },
      { stream: 'OPERATOR', filters: (p) => [`operator.${p}.*.*`] },
      { stream: 'OUTCOMES', filters: (p) => [`outcome.${p}.*.*`] },
      { stream: 'REQUESTS', filters: (p) => [`dispatch.${p}.*.*`] },
    ],
    open: (partition, mark) => GovernancePartition.open(partition, mark, policy),
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
