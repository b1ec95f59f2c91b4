export {
  BOOK_MISMATCHES,
  type BookMismatch,
  type Books,
  type BooksInput,
  checkBooks,
  isDecision,
  type StoredRecord,
} from './check-books.ts';
export {
  checkRequest,
  type DispatchRequests,
  type DispatchRequestsReport,
  dispatchIdOf,
  requestDispatches,
} from './dispatch-requests.ts';
export { ERASED_FROM, type Erased } from './erase-tenant.ts';
export {
  applyEvidenceFile,
  type EvidenceFileReport,
  type LoadedEvidence,
  loadEvidenceFile,
} from './evidence-file.ts';
export { type ChainWatch, followChain, followTruth, type TruthWatch } from './follow.ts';
export { InputFileError, type InputProblem, problemLine } from './input-problem.ts';
export {
  type ImportedLead,
  type ImportProgress,
  importLeads,
  type LeadImport,
  type LeadImportReport,
} from './lead-import.ts';
export type { ProspectCode, RejectedRow } from './lead-rows.ts';
export { ImportStopped } from './lead-writes.ts';
export { NotThere, noTenant, notAmong } from './not-there.ts';
export { type Observation, publishObservation } from './observation.ts';
export {
  KEPT_IN,
  type OffboardProgress,
  type OffboardReport,
  type OffboardTenant,
  offboardTenant,
} from './offboard-tenant.ts';
export { missingTenant, readOffboarding, type StoredOffboarding } from './offboarding.ts';
export { ALL_TENANTS, isEverythingFrozen, type OperatorCommand, sendCommand } from './operator-commands.ts';
export { DEFAULT_POLICY_FILE, readPolicyFile } from './policy-file.ts';
export {
  countRejected,
  effectiveDecisions,
  isFresh,
  readBooks,
  readChain,
  readChainEnd,
  readOutcomes,
  readRequested,
  readStoredConfig,
  readTenantConfig,
  readTenants,
  readTruth,
  readTruthHistory,
  readTruthMark,
  type StoredConfig,
  type StoredTruth,
} from './read-side.ts';
export { readAddress, recipientKeyOf } from './recipient-address.ts';
export { TEMPLATE_VARIABLES } from './template.ts';
export {
  applyTenantFile,
  type CampaignReport,
  type LoadedTenant,
  loadTenantFile,
  type TenantFileReport,
} from './tenant-file.ts';
export { type TenantFile, tenantFileSchema } from './tenant-file-schema.ts';
export { readYamlFile, type YamlInput } from './yaml-input.ts';
