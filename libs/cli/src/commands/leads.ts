import { importLeads, type LeadImportReport } from '@orchestrate/client';
import { Command } from 'commander';
import { globalOptions, withBroker } from '../connect.ts';
import { importOf } from '../only-one.ts';
import { colours, Progress, printJson, printLine } from '../print.ts';

const ROWS_SHOWN_MAX = 20;

interface ImportOptions {
  readonly tenant: string;
  readonly import?: string;
  readonly suppressions?: string;
}

export function leadsCommand(): Command {
  const leads = new Command('leads').description('the people that a tenant may want to write to');
  leads
    .command('import')
    .description('import a CSV file: every row is accepted, a duplicate, or listed with what is wrong')
    .argument(
      '<csv>',
      'with the column email; firstName, lastName, company, role, verified, provenance, conversation',
    )
    .requiredOption('--tenant <id>', 'whose leads they are')
    .option('--import <id>', 'default: the only one that the tenant declares')
    .option('--suppressions <csv>', 'people that are not to be written to (column email)')
    .addHelpText(
      'after',
      '\nExample:\n  orchestrate leads import examples/outreach/leads/aurora.csv --tenant aurora',
    )
    .action(run);
  return leads;
}

async function run(file: string, options: ImportOptions, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const progress = new Progress(`importing ${file}:`);
    const report = await importLeads(broker, {
      tenantId: options.tenant,
      importId: await importOf(broker, options.tenant, options.import),
      file,
      ...(options.suppressions ? { suppressionFile: options.suppressions } : {}),
      onProgress: ({ rows }) => progress.show(`${rows} rows`),
    });
    progress.done();
    const { leads: _leads, ...summary } = report;
    if (globalOptions(command).json) printJson({ tenantId: options.tenant, ...summary });
    else printReport(file, report);
  });
}

export function printReport(file: string, report: LeadImportReport): void {
  const { rows, accepted, duplicates, rejected, suppressed } = report;
  printLine(
    `${rows} rows: ${accepted} accepted, ${duplicates.length} duplicates, ${rejected.length} rejected; ${suppressed} people suppressed`,
  );
  for (const { row, field, problem } of rejected.slice(0, ROWS_SHOWN_MAX)) {
    printLine(`  ${colours.yellow(`${file}:${row}`)} ${field ?? 'row'}: ${problem}`);
  }
  if (rejected.length > ROWS_SHOWN_MAX) {
    printLine(`  and ${rejected.length - ROWS_SHOWN_MAX} more (all of them with --json)`);
  }
}
