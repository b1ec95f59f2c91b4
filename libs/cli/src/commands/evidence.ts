import { applyEvidenceFile, loadEvidenceFile, readStoredConfig } from '@orchestrate/client';
import { Command } from 'commander';
import { withExample } from '../arguments.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { OUTPUTS } from '../outputs.ts';
import { counted, printJson, printLine } from '../print.ts';

export function evidenceCommand(): Command {
  const evidence = new Command('evidence').description('what was observed of a tenant');
  const apply = evidence
    .command('apply')
    .description('report observations from a file; nothing is reported when anything in it is wrong')
    .argument('<file...>', 'YAML files')
    .action(async (files: string[], _options: object, command: Command) => {
      await withBroker(command, async (broker) => {
        // All of them first: a mistake in one leaves nothing of any reported.
        for (const file of files) await loadEvidenceFile(file, Date.now());
        for (const file of files) {
          const report = await applyEvidenceFile(broker, file);
          if (globalOptions(command).json) printJson(OUTPUTS['evidence apply'], report);
          else {
            if (!(await readStoredConfig(broker, report.tenantId))) {
              printLine(
                `there is no tenant \`${report.tenantId}\` yet: this counts once its tenant file is applied`,
              );
            }
            const sources = report.published.map(({ layer, source }) => `${layer}/${source}`);
            printLine(
              `${report.tenantId}: ${counted(sources.length, 'source')} observed (${sources.join(', ')})`,
            );
          }
        }
      });
    });
  withExample(apply, 'evidence apply examples/outreach/evidence/aurora.yaml');
  return evidence;
}
