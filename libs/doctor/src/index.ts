export { diagnose } from './diagnose.ts';
export {
  CHECK_NAMES,
  CHECK_STATUSES,
  type CheckName,
  type CheckStatus,
  type DoctorReport,
  doctorReportSchema,
  type Finding,
  findingSchema,
  reportOf,
} from './finding.ts';
export type { DiagnoseOptions } from './surroundings.ts';
