import { z } from 'zod';

/** What is looked at, in this order: the machine, the platform on it, what the platform keeps, the world around it. */
export const CHECK_NAMES = [
  'node',
  'nats_server',
  'disk_space',
  'fsync',
  'clock',
  'ports',
  'platform',
  'streams',
  'policy',
  'marks',
  'rejected',
  'resolver',
  'mail',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export const CHECK_STATUSES = ['ok', 'warn', 'fail', 'skipped'] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

export const findingSchema = z
  .strictObject({
    check: z.enum(CHECK_NAMES),
    status: z.enum(CHECK_STATUSES),
    /** What was looked at. */
    title: z.string().min(1),
    /** What was found, with figures and units. */
    detail: z.string().min(1),
    /** What to do; null only when there is nothing to do. */
    remedy: z.string().min(1).nullable(),
    /** The figures again for a program; units are in the names. */
    data: z.record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.null()])),
  })
  .refine(({ status, remedy }) => (status === 'ok') === (remedy === null), {
    error: 'a remedy belongs to every finding that is not ok, and to no other',
    path: ['remedy'],
  });
export type Finding = Readonly<z.infer<typeof findingSchema>>;

/** The whole examination: `ok` when nothing fails; warnings and skipped checks leave it so. */
export const doctorReportSchema = z.strictObject({ ok: z.boolean(), findings: z.array(findingSchema) });
export type DoctorReport = z.infer<typeof doctorReportSchema>;

export const reportOf = (findings: readonly Finding[]): DoctorReport => ({
  ok: findings.every(({ status }) => status !== 'fail'),
  findings: [...findings],
});

/** What a check says; which check it was and its title are added by whoever asked. */
export type Judgement = Omit<Finding, 'check' | 'title'>;

type Data = Finding['data'];
export const ok = (detail: string, data: Data = {}): Judgement => ({
  status: 'ok',
  detail,
  remedy: null,
  data,
});
const troubled =
  (status: Exclude<CheckStatus, 'ok'>) =>
  (detail: string, remedy: string, data: Data = {}): Judgement => ({ status, detail, remedy, data });
export const warn = troubled('warn');
export const fail = troubled('fail');
export const skipped = troubled('skipped');
