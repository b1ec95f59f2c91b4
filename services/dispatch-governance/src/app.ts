import { ledgerMarked } from '@orchestrate/contracts';
import type { PartitionedService } from '@orchestrate/messaging';
import {
  offboardedSubjects,
  ownPartitions,
  PolicyInForce,
  type RunningService,
  type ServiceContext,
} from '@orchestrate/service-kit';
import type { Environment } from './config.ts';
import { GovernancePartition } from './governance-partition.ts';

/** Decides every dispatch request of the partitions that this instance owns, one chain of records per tenant. */
export async function startDispatchGovernance(context: ServiceContext<Environment>): Promise<RunningService> {
  const { broker, name, log } = context;
  const policy = await PolicyInForce.follow(broker, { log });
  const service: PartitionedService = {
    name,
    output: 'LEDGER',
    mark: ledgerMarked,
    markEveryMs: (context.environment.CADENCE_SEC ?? policy.current.policy.dispatch.cadenceSec) * 1000,
    inputs: [
      { stream: 'CONFIG', filters: (p) => [`config.${p}.*.tenant`, offboardedSubjects(p)] },
      { stream: 'TRUTH', filters: (p) => [`truth.${p}`, `truth.${p}.*`] },
      { stream: 'OPERATOR', filters: (p) => [`operator.${p}.*.*`] },
      { stream: 'OUTCOMES', filters: (p) => [`outcome.${p}.*.*`] },
      { stream: 'REQUESTS', filters: (p) => [`dispatch.${p}.*.*`] },
    ],
    open: (partition, mark) => GovernancePartition.open(partition, mark, policy),
  };
  return ownPartitions(context, policy, service);
}
