/**
 * What two services are made of inside, used here as it is: what a tenant file tells its layers, when a window is
 * open, and what a desk gathers, reserves, records and remembers. Everything around it (streams, processes, clocks) is
 * what the simulation stands in for.
 */
// biome-ignore-start lint/style/noRestrictedImports: a service exports nothing, for no other package may build on it
export {
  chainHead,
  decisionRecord,
  type Trigger,
} from '@orchestrate/dispatch-governance/src/decision-record.ts';
export { type Asked, dispatchCase } from '@orchestrate/dispatch-governance/src/dispatch-case.ts';
export {
  approvalRecord,
  interventionRecord,
  outcomeRecord,
} from '@orchestrate/dispatch-governance/src/other-records.ts';
export {
  stepOf,
  substanceOf,
  TenantLedger,
} from '@orchestrate/dispatch-governance/src/tenant-ledger.ts';
export { continuityWindow } from '@orchestrate/evidence-probes/src/continuity/window.ts';
export {
  assertDeclared,
  declaredSources,
  observationsOf,
} from '@orchestrate/layer-runtime/src/tenant-sources.ts';
// biome-ignore-end lint/style/noRestrictedImports: from here on packages are imported by their names
