import {
  ownPartitions,
  PolicyInForce,
  type RunningService,
  type ServiceContext,
} from '@orchestrate/service-kit';
import type { Environment } from './config.ts';
import { layerService } from './layer-service.ts';

/** Runs nine machines per tenant for the partitions that this instance owns. */
export async function startLayerRuntime(context: ServiceContext<Environment>): Promise<RunningService> {
  const { broker, environment, name, log } = context;
  const policy = await PolicyInForce.follow(broker, { log });
  const markEveryMs = (environment.CADENCE_SEC ?? policy.current.policy.dispatch.cadenceSec) * 1000;
  return ownPartitions(context, policy, layerService({ name, markEveryMs, policy }));
}
