import { importLeads, type LeadImportReport } from '@orchestrate/client';
import type { Broker } from '@orchestrate/messaging';
import { Command } from 'commander';
import { idArgument, withExample } from '../arguments.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { onInterruptSay } from '../interrupt.ts';
import { onlyOne, tenantNamed } from '../only-one.ts';
import { OUTPUTS } from '../outputs.ts';
import { colours, counted, printJson, printLine } from '../print.ts';
import { Progress } from '../progress.ts';

const ROWS_SHOWN_MAX = 20;

interface ImportOptions {
  readonly tenant: string;
  readonly import?: string;
  readonly suppressions?: string;
}

export function leadsCommand(): Command {
  const leads = new Command('leads').description('the people that a tenant may want to write to');
  const importing = leads
    .command('import')
    .description('import a CSV file: every row is accepted, a duplicate, or listed with what is wrong')
    .argument(
      '<csv>',
      'with the column email; firstName, lastName, company, role, verified, provenance, conversation',
    )
    .requiredOption('--tenant <id>', 'whose leads they are', idArgument)
    .option('--import <id>', 'default: the only one that the tenant declares', idArgument)
    .option('--suppressions <csv>', 'people that are not to be written to (column email)')
    .action(run);
  withExample(importing, 'leads import examples/outreach/leads/aurora.csv --tenant aurora');
  return leads;
}

async function run(file: string, options: ImportOptions, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const config = await tenantNamed(broker, options.tenant);
    const report = await importWithProgress(broker, {
      tenantId: options.tenant,
      importId: onlyOne('import', config.imports, options.import),
      file,
      ...(options.suppressions ? { suppressionFile: options.suppressions } : {}),
    });
    if (globalOptions(command).json) {
      printJson(OUTPUTS['leads import'], { tenantId: options.tenant, ...report });
    } else printReport(file, report);
    if (isUseless(report)) process.exitCode = EXIT.refused;
  });
}

export async function importWithProgress(
  broker: Broker,
  options: Parameters<typeof importLeads>[1],
): Promise<LeadImportReport> {
  const progress = new Progress(`importing ${options.file}`, 'rows');
  let rowsRead = 0;
  onInterruptSay(
    () =>
      `interrupted after ${counted(rowsRead, 'row')}: run the same command again, nothing is counted twice`,
  );
  const report = await importLeads(broker, {
    ...options,
    onProgress: ({ rows, octets, octetsRead }) => {
      rowsRead = rows;
      progress.show(octets === 0 ? 1 : octetsRead / octets, rows);
    },
  });
  progress.done();
  onInterruptSay(() => 'interrupted');
  return report;
}

/** Rows, and not one of them a person. */
export const isUseless = ({ rows, accepted }: LeadImportReport): boolean => rows > 0 && accepted === 0;

export function printReport(file: string, report: LeadImportReport): void {
  const { rows, accepted, duplicates, duplicatesMore, rejected, rejectedMore, suppressed } = report;
  const repeated = counted(duplicates.length + duplicatesMore, 'duplicate');
  const rejectedRows = rejected.length + rejectedMore;
  printLine(
    `${counted(rows, 'row')}: ${accepted} accepted, ${repeated}, ${rejectedRows} rejected; ${suppressed} suppressed`,
  );
  for (const { row, field, problem } of rejected.slice(0, ROWS_SHOWN_MAX)) {
    printLine(`  ${colours.yellow(`${file}:${row}`)} ${field ?? 'row'}: ${problem}`);
  }
  if (rejectedRows > ROWS_SHOWN_MAX) {
    const which = rejectedMore === 0 ? 'all of them' : `the first ${rejected.length}`;
    printLine(`  and ${rejectedRows - ROWS_SHOWN_MAX} more (${which} with --json)`);
  }
}
