export { baseEnvironment, EnvironmentError, parseEnvironment, wholeNumber } from './environment.ts';
export type { Health } from './health-server.ts';
export { createLog, type Logger } from './log.ts';
export {
  CONSUMER_LAG,
  type Figures,
  type Metric,
  type MetricSource,
  type MetricTable,
  metricSource,
  PARTITIONS_OWNED,
  type Series,
} from './metric.ts';
export { Metrics, TARGET_INFO } from './metrics.ts';
export { isOffboarding, offboardedIn, offboardedSubjects, readOffboarded } from './offboarded-tenants.ts';
export { ownPartitions } from './own-partitions.ts';
export { PARTITION_METRICS } from './partition-metrics.ts';
export { type PolicyAndDigest, PolicyInForce, readPolicyInForce } from './policy-in-force.ts';
export { PROCESS_METRICS } from './process-metrics.ts';
export {
  type Environment,
  type RunningService,
  runService,
  type ServiceContext,
  type ServiceDefinition,
} from './run-service.ts';
export { SERVICE_METRICS } from './service-metrics.ts';
