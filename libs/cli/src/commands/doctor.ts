import { type CheckStatus, diagnose, type Finding, reportOf } from '@orchestrate/doctor';
import { Command } from 'commander';
import { withExample } from '../arguments.ts';
import { globalOptions } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { OUTPUTS } from '../outputs.ts';
import { colours, columnsOf, counted, printJson, printLine } from '../print.ts';
import { REPOSITORY } from '../repository.ts';

/** The word stands beside the sign: colour and sign are not for everybody. */
const SIGNS: Record<
  CheckStatus,
  { readonly sign: string; readonly word: string; paint(text: string): string }
> = {
  ok: { sign: '✓', word: 'ok', paint: colours.green },
  warn: { sign: '!', word: 'warning', paint: colours.yellow },
  fail: { sign: '✗', word: 'failure', paint: colours.red },
  skipped: { sign: '–', word: 'skipped', paint: colours.dim },
};
const WORD_WIDTH = 'skipped'.length;
const CHECK_WIDTH = 'nats_server'.length;

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'look at everything that must hold for the platform to run here, and say what to do; exit code 1 when something fails',
    )
    .action(doctor);
  return withExample(command, 'doctor', 'doctor --nats-url nats://10.0.0.5:4222 --json');
}

async function doctor(_options: object, command: Command): Promise<void> {
  const { dataDir, natsUrl, json } = globalOptions(command);
  const findings: Finding[] = [];
  const told = new Set<string>();
  for await (const finding of diagnose({ root: REPOSITORY, dataDir, ...(natsUrl ? { natsUrl } : {}) })) {
    findings.push(finding);
    if (!json) printFinding(finding, told);
  }
  const report = reportOf(findings);
  if (json) printJson(OUTPUTS.doctor, report);
  else printLine(summaryOf(findings));
  if (!report.ok) process.exitCode = EXIT.failed;
}

/** A remedy that was told before is not told again: one thing to do may mend several findings. */
function printFinding({ check, status, detail, remedy }: Finding, told: Set<string>): void {
  const { sign, word, paint } = SIGNS[status];
  const isNew = remedy !== null && !told.has(remedy);
  if (isNew) told.add(remedy);
  const text = isNew ? `${detail}\n→ ${remedy}` : detail;
  printLine(columnsOf([paint(`${sign} ${word}`), check, text], [WORD_WIDTH + 2, CHECK_WIDTH]));
}

function summaryOf(findings: readonly Finding[]): string {
  const numberOf = (wanted: CheckStatus) => findings.filter(({ status }) => status === wanted).length;
  return `${counted(findings.length, 'check')}: ${numberOf('ok')} ok, ${counted(numberOf('warn'), 'warning')}, ${counted(numberOf('fail'), 'failure')}, ${numberOf('skipped')} skipped`;
}
