import { partitionOf } from '@orchestrate/canon';
import { ALL_TENANTS, isEverythingFrozen, readTenants, sendCommand } from '@orchestrate/client';
import { INTERVENTION_REASONS } from '@orchestrate/contracts';
import { Command, Option } from 'commander';
import pLimit from 'p-limit';
import { actorOption, idArgument, withExample } from '../arguments.ts';
import { awaitRecord, type CommandRecord, nextRecordSeqs } from '../command-record.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { Failure } from '../failure.ts';
import { tenantNamed } from '../only-one.ts';
import { OUTPUTS } from '../outputs.ts';
import { counted, printJson, printLine } from '../print.ts';
import { whileWaiting } from '../progress.ts';

const AWAITED_AT_A_TIME = 32;

interface FreezeOptions {
  readonly all?: boolean;
  readonly actor: string;
  readonly reason: (typeof INTERVENTION_REASONS)[number];
}

export function freezeCommand(): Command {
  const command = define('freeze', 'incident').description(
    'stop a tenant, or everything: nothing is released from the record of it on; what is asked for or decided again meanwhile ends in BLOCK for good',
  );
  return withExample(command, 'freeze aurora --reason abuse_suspected', 'freeze --all --reason incident');
}

export function unfreezeCommand(): Command {
  const command = define('unfreeze', 'incident_over').description(
    'end a freeze; a freeze of everything and a freeze of one tenant are ended each for itself',
  );
  return withExample(command, 'unfreeze aurora', 'unfreeze --all');
}

function define(name: 'freeze' | 'unfreeze', reason: FreezeOptions['reason']): Command {
  return new Command(name)
    .argument('[tenant]', 'its id', idArgument)
    .option('--all', 'every tenant, those that come later included')
    .addOption(new Option('--reason <code>', 'why').choices(INTERVENTION_REASONS).default(reason))
    .addOption(actorOption())
    .action((tenantId: string | undefined, options: FreezeOptions, command: Command) =>
      act(name, tenantId, options, command),
    );
}

async function act(
  name: 'freeze' | 'unfreeze',
  tenantId: string | undefined,
  { all, actor, reason }: FreezeOptions,
  command: Command,
): Promise<void> {
  if ((tenantId === undefined) === !all) {
    throw new Failure(
      'usage',
      `name one tenant, or everything with --all: orchestrate ${name} <tenant> | --all`,
    );
  }
  await withBroker(command, async (broker) => {
    const told = { command: name, actor, reasonCode: reason } as const;
    if (tenantId !== undefined) await tenantNamed(broker, tenantId);
    const tenants = tenantId === undefined ? await readTenants(broker) : [tenantId];
    const fromSeqOf = await nextRecordSeqs(broker, tenants);
    const sequences = await sendCommand(broker, { tenantId: tenantId ?? ALL_TENANTS, ...told });
    const atATime = pLimit(AWAITED_AT_A_TIME);
    const awaited = tenants.map((one) =>
      atATime(() => awaitRecord(broker, one, sequences[all ? partitionOf(one) : 0]!, fromSeqOf(one))),
    );
    const records = await whileWaiting(`waiting for the record of ${name}`, Promise.all(awaited));
    if (globalOptions(command).json) {
      for (const [index, found] of records.entries())
        printJson(OUTPUTS[name], { tenantId: tenants[index]!, command: name, ...recordOf(found) });
    } else if (all)
      printLine(
        `${name === 'freeze' ? 'frozen' : 'thawed'}: everything; it is on record of ${counted(tenants.length, 'tenant')}`,
      );
    else {
      const everythingFrozen = await isEverythingFrozen(broker, tenantId!);
      printLine(sentence(name, tenantId!, records[0]!, everythingFrozen));
    }
  });
}

export function recordOf({ seq, record }: CommandRecord) {
  return { ordinal: record.ordinal, seq, actor: record.actor, reasonCode: record.reasonCode };
}

function sentence(
  name: 'freeze' | 'unfreeze',
  tenantId: string,
  { record }: CommandRecord,
  everythingFrozen: boolean,
): string {
  return name === 'freeze'
    ? `${tenantId} is frozen (record ${record.ordinal}): nothing is released until \`orchestrate unfreeze ${tenantId}\`, and what is decided meanwhile ends in BLOCK`
    : everythingFrozen
      ? `the freeze of ${tenantId} is ended (record ${record.ordinal}), but everything is frozen: \`orchestrate unfreeze --all\` ends that`
      : `${tenantId} is thawed (record ${record.ordinal}): its layers are checked again before anything is released`;
}
