import { applyTenantFile, readTenantConfig, readTenants, readTruth } from '@orchestrate/client';
import { Command } from 'commander';
import { globalOptions, withBroker } from '../connect.ts';
import { inBucketColour, printJson, printLine, printTable } from '../print.ts';

export function tenantCommand(): Command {
  const tenant = new Command('tenant').description('tenants and what they declare');
  tenant
    .command('apply')
    .description('put a tenant file in force: its sources, schedule, governance and templates')
    .argument('<file...>', 'YAML files')
    .addHelpText('after', '\nExample:\n  orchestrate tenant apply examples/outreach/tenants/aurora.yaml')
    .action(apply);
  tenant
    .command('list')
    .description('all tenants, with the worst bucket that each shows')
    .addHelpText('after', '\nExample:\n  orchestrate tenant list --json')
    .action(list);
  return tenant;
}

async function apply(files: string[], _options: object, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    for (const file of files) {
      const report = await applyTenantFile(broker, file);
      if (globalOptions(command).json) {
        printJson(report);
        continue;
      }
      printLine(`${report.tenantId} applied (CONFIG/${report.sequence})`);
      for (const campaign of report.campaigns) {
        printLine(
          `  campaign ${campaign.id}: lint ${campaign.lint}, template ${campaign.templateDigest.slice(0, 12)}`,
        );
        for (const problem of campaign.problems) printLine(`    ${problem}`);
      }
    }
  });
}

async function list(_options: object, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const tenants = await Promise.all(
      (await readTenants(broker)).map(async (tenantId) => {
        const [config, stored] = await Promise.all([
          readTenantConfig(broker, tenantId),
          readTruth(broker, tenantId),
        ]);
        const notReady = Object.entries(stored?.truth.layers ?? {}).filter(
          ([, layer]) => layer.state !== 'ready',
        );
        return {
          tenantId,
          mode: stored?.truth.mode.resolved ?? config?.governance.mode ?? null,
          epoch: stored?.truth.epoch ?? null,
          notReady: notReady.map(([layer, { state, bucket, reason }]) => ({ layer, state, bucket, reason })),
        };
      }),
    );
    if (globalOptions(command).json) {
      for (const tenant of tenants) printJson(tenant);
      return;
    }
    if (tenants.length === 0) {
      printLine('no tenants yet: apply a tenant file with `orchestrate tenant apply <file>`');
      return;
    }
    printTable(
      ['TENANT', 'MODE', 'EPOCH', 'NOT READY'],
      tenants.map((tenant) => [
        tenant.tenantId,
        tenant.mode ?? '-',
        String(tenant.epoch ?? '-'),
        tenant.notReady
          .map(({ layer, state, bucket }) => inBucketColour(bucket, `${layer} ${state}`))
          .join(', ') || '-',
      ]),
    );
  });
}
