import { setTimeout as sleep } from 'node:timers/promises';
import { DISPATCH_DECISIONS } from '@orchestrate/canon';
import {
  effectiveDecisions,
  importLeads,
  readChain,
  readTenantConfig,
  readTruth,
  requestDispatches,
} from '@orchestrate/client';
import type { DecisionRecorded } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { Command } from 'commander';
import { globalOptions, withBroker } from '../connect.ts';
import { onlyOne } from '../only-one.ts';
import { Progress, printJson, printLine, printTable } from '../print.ts';
import { printReport } from './leads.ts';

const TRUTH_MS_MAX = 5_000;

interface DispatchOptions {
  readonly leads: string;
  readonly suppressions?: string;
  readonly campaign?: string;
  readonly import?: string;
  readonly step: string;
  readonly wait: string;
}

export function dispatchCommand(): Command {
  return new Command('dispatch')
    .description(
      'import leads and ask for each of them whether its message may go out; show what was decided',
    )
    .argument('<tenant>')
    .requiredOption('--leads <csv>', 'whom to write to')
    .option('--suppressions <csv>', 'people that are not to be written to (column email)')
    .option('--campaign <id>', 'default: the only one that the tenant has')
    .option('--import <id>', 'default: the only one that the tenant declares')
    .option('--step <n>', 'step of the sequence', '1')
    .option('--wait <seconds>', 'how long to wait for the decisions', '90')
    .addHelpText(
      'after',
      '\nExample:\n  orchestrate dispatch aurora --leads examples/outreach/leads/aurora.csv',
    )
    .action(dispatch);
}

async function dispatch(tenantId: string, options: DispatchOptions, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const { json } = globalOptions(command);
    const config = await readTenantConfig(broker, tenantId);
    if (!config) throw new Error(`there is no tenant \`${tenantId}\`: apply its tenant file first`);
    const campaign = onlyOne('campaign', config.campaigns, options.campaign);
    const importId = onlyOne('import', config.imports, options.import);
    const startedMs = Date.now();
    const imported = await importLeads(broker, {
      tenantId,
      importId,
      file: options.leads,
      ...(options.suppressions ? { suppressionFile: options.suppressions } : {}),
    });
    if (!json) printReport(options.leads, imported);
    await truthKnows(broker, tenantId, importId, startedMs);
    const asked = await requestDispatches(broker, {
      tenantId,
      campaign,
      step: wholeNumber('--step', options.step),
      importSource: importId,
      leads: imported.leads,
      config,
      requestedBy: 'cli',
    });
    const decided = await awaitDecisions(
      broker,
      tenantId,
      asked.dispatchIds,
      wholeNumber('--wait', options.wait),
    );
    const tally = Object.fromEntries(
      DISPATCH_DECISIONS.map((kind) => [kind, decided.filter((record) => record.kind === kind).length]),
    );
    const waiting = asked.dispatchIds.length - decided.length;
    if (json) {
      const { leads: _leads, ...rows } = imported;
      printJson({
        tenantId,
        campaign,
        import: rows,
        requested: asked.requested,
        already: asked.already,
        decisions: tally,
        waiting,
      });
      return;
    }
    printLine(`${asked.requested} asked for, ${asked.already} asked for before, ${waiting} not decided yet`);
    printTable(
      ['DECISION', 'DISPATCHES'],
      Object.entries(tally)
        .filter(([, count]) => count > 0)
        .map(([kind, count]) => [kind, String(count)]),
    );
  });
}

/** The import is evidence too: asked before the truth has it, every lead would be held for it first. */
async function truthKnows(
  broker: Broker,
  tenantId: string,
  importId: string,
  sinceMs: number,
): Promise<void> {
  const deadline = Date.now() + TRUTH_MS_MAX;
  while (Date.now() < deadline) {
    const sources = (await readTruth(broker, tenantId))?.truth.layers.data.sources ?? [];
    const fact = sources
      .find((source) => source.source === importId)
      ?.facts.find((one) => one.fact === 'importState');
    if ((fact?.observedAtMs ?? 0) >= sinceMs || fact?.value === 'done') return;
    await sleep(100);
  }
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Error(`${option} takes a whole number, not \`${text}\``);
  return Number(text);
}

async function awaitDecisions(
  broker: Broker,
  tenantId: string,
  dispatchIds: readonly string[],
  waitSec: number,
): Promise<DecisionRecorded[]> {
  const progress = new Progress('deciding:');
  const deadline = Date.now() + waitSec * 1000;
  for (;;) {
    const effective = effectiveDecisions(await readChain(broker, tenantId));
    const decided = dispatchIds.flatMap((dispatchId) => effective.get(dispatchId) ?? []);
    progress.show(`${decided.length} of ${dispatchIds.length}`);
    if (decided.length === dispatchIds.length || Date.now() > deadline) {
      progress.done();
      return decided;
    }
    await sleep(250);
  }
}
