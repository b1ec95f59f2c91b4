import { setTimeout as sleep } from 'node:timers/promises';
import { DISPATCH_DECISIONS, type DispatchDecision } from '@orchestrate/canon';
import {
  checkRequest,
  type DispatchRequestsReport,
  effectiveDecisions,
  followChain,
  type ImportedLead,
  readChain,
  readTruth,
  requestDispatches,
} from '@orchestrate/client';
import type { DecisionRecorded } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { Command } from 'commander';
import { idArgument, wholeNumber, withExample } from '../arguments.ts';
import { nextRecordSeq } from '../command-record.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { onInterruptSay } from '../interrupt.ts';
import { onlyOne, tenantNamed } from '../only-one.ts';
import { OUTPUTS } from '../outputs.ts';
import { inDecisionColour, printJson, printLine, printTable } from '../print.ts';
import { Progress, whileWaiting } from '../progress.ts';
import { whyOf } from './decisions.ts';
import { importWithProgress, isUseless, printReport } from './leads.ts';

const TRUTH_MS_MAX = 5_000;

interface DispatchOptions {
  readonly leads: string;
  readonly suppressions?: string;
  readonly campaign?: string;
  readonly import?: string;
  readonly step: number;
  readonly wait: number;
}

export function dispatchCommand(): Command {
  const command = new Command('dispatch')
    .description(
      'import leads and ask for each of them whether its message may go out; show what was decided',
    )
    .argument('<tenant>', 'its id', idArgument)
    .requiredOption('--leads <csv>', 'whom to write to')
    .option('--suppressions <csv>', 'people that are not to be written to (column email)')
    .option('--campaign <id>', 'default: the only one that the tenant has', idArgument)
    .option('--import <id>', 'default: the only one that the tenant declares', idArgument)
    .option('--step <n>', 'step of the sequence', wholeNumber(1, 20), 1)
    .option('--wait <seconds>', 'how long to wait for the decisions', wholeNumber(0, 86_400), 90)
    .action(dispatch);
  return withExample(command, 'dispatch aurora --leads examples/outreach/leads/aurora.csv');
}

async function dispatch(tenantId: string, options: DispatchOptions, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const { json } = globalOptions(command);
    const config = await tenantNamed(broker, tenantId);
    const campaign = onlyOne('campaign', config.campaigns, options.campaign);
    const importId = onlyOne('import', config.imports, options.import);
    const { step } = options;
    checkRequest({ tenantId, campaign, step, importSource: importId, config });
    const startedMs = Date.now();
    const leads: ImportedLead[] = [];
    const imported = await importWithProgress(broker, {
      tenantId,
      importId,
      file: options.leads,
      onLead: (lead) => leads.push(lead),
      ...(options.suppressions ? { suppressionFile: options.suppressions } : {}),
    });
    if (!json) printReport(options.leads, imported);
    if (isUseless(imported)) process.exitCode = EXIT.refused;
    await whileWaiting(
      'waiting until the truth knows the list',
      truthKnows(broker, tenantId, importId, startedMs),
    );
    const asking = new Progress('asking', 'dispatches');
    let askedFor = 0;
    const again = `the same command goes on from there, and \`orchestrate decisions ${tenantId}\` shows what was decided`;
    onInterruptSay(() => `interrupted after asking for ${askedFor} dispatches: ${again}`);
    const fromSeq = await nextRecordSeq(broker, tenantId);
    const asked = await requestDispatches(broker, {
      tenantId,
      campaign,
      step: options.step,
      importSource: importId,
      leads,
      config,
      requestedBy: 'cli',
      onProgress: ({ asked: done, of }) => {
        askedFor = done;
        asking.show(done / of, done);
      },
    });
    asking.done();
    const decided = await awaitDecisions(broker, { tenantId, asked, fromSeq, waitSec: options.wait });
    const waiting = asked.dispatchIds.length - decided.length;
    if (json) {
      const tally = Object.fromEntries(
        DISPATCH_DECISIONS.map((kind) => [kind, decided.filter((record) => record.kind === kind).length]),
      ) as Record<DispatchDecision, number>;
      printJson(OUTPUTS.dispatch, {
        tenantId,
        campaign,
        step: options.step,
        import: imported,
        requested: asked.requested,
        already: asked.already,
        decisions: tally,
        waiting,
        dispatches: decided.map(({ dispatchId, kind, decidingGate, decidingOutcome }) => ({
          dispatchId,
          kind,
          decidingGate,
          decidingOutcome,
        })),
      });
      return;
    }
    printLine(`${asked.requested} asked for, ${asked.already} asked for before, ${waiting} not decided yet`);
    if (decided.length > 0) printTally(decided);
    if (asked.dispatchIds.length === 0) return;
    const next = `orchestrate decisions ${tenantId}`;
    printLine(
      waiting > 0 ? `what is decided later shows with \`${next} --follow\`` : `see each with \`${next}\``,
    );
  });
}

function printTally(decided: readonly DecisionRecorded[]): void {
  const groups = [...Map.groupBy(decided, (record) => `${record.kind} ${whyOf(record)}`).values()];
  const place = (kind: DispatchDecision) => DISPATCH_DECISIONS.indexOf(kind);
  groups.sort(([one], [other]) => place(one!.kind) - place(other!.kind));
  printTable(
    ['DECISION', 'DISPATCHES', 'WHY'],
    groups.map((group) => [inDecisionColour(group[0]!.kind), String(group.length), whyOf(group[0]!)]),
  );
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

interface Asked {
  readonly tenantId: string;
  readonly asked: DispatchRequestsReport;
  /** Position in DECISIONS from which on new decisions are. */
  readonly fromSeq: number;
  readonly waitSec: number;
}

/** The decision in effect on each dispatch, in their order, once all are there or the time is over. */
async function awaitDecisions(
  broker: Broker,
  { tenantId, asked, fromSeq, waitSec }: Asked,
): Promise<DecisionRecorded[]> {
  const { dispatchIds } = asked;
  const wanted = new Set(dispatchIds);
  const before =
    asked.already === 0 ? [] : effectiveDecisions(await readChain(broker, tenantId, DISPATCH_DECISIONS));
  const decided = new Map([...before].filter(([dispatchId]) => wanted.has(dispatchId)));
  const complete = Promise.withResolvers<void>();
  const progress = new Progress('deciding', 'decided');
  const follower = await followChain(
    broker,
    { tenantId, fromSeq, kinds: DISPATCH_DECISIONS },
    ({ record }) => {
      const decision = record as DecisionRecorded;
      if (!wanted.has(decision.dispatchId)) return;
      decided.set(decision.dispatchId, decision);
      progress.show(decided.size / wanted.size, decided.size);
      if (decided.size === wanted.size) complete.resolve();
    },
  );
  if (decided.size < wanted.size) {
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, waitSec * 1000);
    await Promise.race([complete.promise, deadline.promise]);
    clearTimeout(timer);
  }
  progress.done();
  await follower.close();
  return dispatchIds.flatMap((dispatchId) => decided.get(dispatchId) ?? []);
}
