export { type Declared, wasDeclaredBefore } from './declared-tenants.ts';
export { baseEnvironment, EnvironmentError, parseEnvironment, wholeNumber } from './environment.ts';
export type { Health } from './health-server.ts';
export { createLog, type Logger } from './log.ts';
export { isOffboarding, offboardedIn, offboardedSubjects, readOffboarded } from './offboarded-tenants.ts';
export { ownPartitions } from './own-partitions.ts';
export { type PolicyAndDigest, PolicyInForce, readPolicyInForce } from './policy-in-force.ts';
export {
  type Environment,
  type RunningService,
  runService,
  type ServiceContext,
  type ServiceDefinition,
} from './run-service.ts';
