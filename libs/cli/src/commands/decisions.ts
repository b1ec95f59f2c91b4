import { readChain } from '@orchestrate/client';
import type { ChainRecord } from '@orchestrate/contracts';
import { Command } from 'commander';
import { globalOptions, withBroker } from '../connect.ts';
import { printJson, printLine, printTable } from '../print.ts';

export function decisionsCommand(): Command {
  return new Command('decisions')
    .description("the newest records of a tenant's chain, oldest first")
    .argument('<tenant>')
    .option('--last <n>', 'how many', '30')
    .addHelpText('after', '\nExample:\n  orchestrate decisions aurora --last 10')
    .action(async (tenantId: string, options: { last: string }, command: Command) => {
      await withBroker(command, async (broker) => {
        const chain = await readChain(broker, tenantId);
        const shown = chain.slice(-Math.max(1, Number.parseInt(options.last, 10) || 30));
        if (globalOptions(command).json) {
          for (const { seq, record } of shown) printJson({ seq, ...record });
          return;
        }
        if (shown.length === 0) {
          printLine(`no records of \`${tenantId}\` yet`);
          return;
        }
        printTable(
          ['#', 'TIME (UTC)', 'KIND', 'DISPATCH', 'WHY'],
          shown.map(({ record }) => [
            String(record.ordinal),
            new Date(timeOf(record)).toISOString().slice(0, 19).replace('T', ' '),
            record.kind,
            ('dispatchId' in record && record.dispatchId?.slice(0, 14)) || '-',
            whyOf(record),
          ]),
        );
      });
    });
}

const timeOf = (record: ChainRecord): number =>
  'decidedAtMs' in record ? record.decidedAtMs : record.recordedAtMs;

function whyOf(record: ChainRecord): string {
  switch (record.kind) {
    case 'OUTCOME':
      return `${record.state}: ${record.reason}`;
    case 'INTERVENTION':
      return `${record.command} by ${record.actor}: ${record.reasonCode}`;
    case 'APPROVAL':
      return `by ${record.actor}: ${record.reasonCode}`;
    default:
      return `gate ${record.decidingGate} ${record.decidingBlocker}: ${record.decidingOutcome}`;
  }
}
