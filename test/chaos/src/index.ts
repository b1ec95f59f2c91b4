export { type ChaosOptions, planRound, runChaos, type Verdict } from './chaos-run.ts';
export { check } from './check.ts';
export { checkLinks, isDecision, type Link } from './checks/chains.ts';
export { VIOLATION_KINDS, type Violation, type ViolationKind } from './checks/violation.ts';
export { type Fleet, type FleetOptions, gaplessPolicy, PARTITIONED, startFleet } from './fleet.ts';
export {
  type Attempt,
  type Ending,
  Journal,
  OPERATION_KINDS,
  type Operation,
  type OperationKind,
  readJournal,
} from './journal.ts';
export { Load } from './load.ts';
export { leaderOf, startCluster } from './nats-cluster.ts';
export { type Fault, NEMESES, NEMESIS_NAMES, type NemesisName, type Stage } from './nemeses.ts';
export { Random } from './random.ts';
export { send } from './sending.ts';
export { settle, settleAndCheck } from './settle.ts';
export { type Kept, readStore, type StoreContents } from './store-contents.ts';
export type { Outgoing } from './tenant.ts';
