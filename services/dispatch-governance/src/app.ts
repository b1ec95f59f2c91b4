import {
  ownPartitions,
  PolicyInForce,
  type RunningService,
  type ServiceContext,
} from '@orchestrate/service-kit';
import type { Environment } from './config.ts';
import { governanceService } from './governance-service.ts';

/** Decides every dispatch request of the partitions that this instance owns, one chain of records per tenant. */
export async function startDispatchGovernance(context: ServiceContext<Environment>): Promise<RunningService> {
  const { broker, name, log, environment } = context;
  const policy = await PolicyInForce.follow(broker, { log });
  const cadenceSec = environment.CADENCE_SEC ?? policy.current.policy.dispatch.cadenceSec;
  const service = governanceService(broker, { name, markEveryMs: cadenceSec * 1000, policy });
  return ownPartitions(context, policy, service);
}
