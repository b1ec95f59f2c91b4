import { applyEvidenceFile } from '@orchestrate/client';
import { Command } from 'commander';
import { globalOptions, withBroker } from '../connect.ts';
import { printJson, printLine } from '../print.ts';

export function evidenceCommand(): Command {
  const evidence = new Command('evidence').description('what was observed of a tenant');
  evidence
    .command('apply')
    .description('report observations from a file; nothing is reported when anything in it is wrong')
    .argument('<file...>', 'YAML files')
    .addHelpText('after', '\nExample:\n  orchestrate evidence apply examples/outreach/evidence/aurora.yaml')
    .action(async (files: string[], _options: object, command: Command) => {
      await withBroker(command, async (broker) => {
        for (const file of files) {
          const report = await applyEvidenceFile(broker, file);
          if (globalOptions(command).json) printJson(report);
          else {
            const sources = report.published.map(({ layer, source }) => `${layer}/${source}`);
            printLine(`${report.tenantId}: ${sources.length} sources observed (${sources.join(', ')})`);
          }
        }
      });
    });
  return evidence;
}
