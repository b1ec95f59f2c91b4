import { followChain, isDecision, readChain, readChainEnd, type StoredRecord } from '@orchestrate/client';
import { type ChainRecord, RECORD_KINDS, type RecordKind } from '@orchestrate/contracts';
import { Command, Option } from 'commander';
import { idArgument, wholeNumber, withExample } from '../arguments.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { untilInterrupted } from '../interrupt.ts';
import { tenantNamed } from '../only-one.ts';
import { OUTPUTS } from '../outputs.ts';
import {
  clockOf,
  colours,
  columnsOf,
  inDecisionColour,
  printJson,
  printLine,
  screenWidth,
  shortDispatch,
  timeOf,
} from '../print.ts';

interface DecisionsOptions {
  readonly last: number;
  readonly kind?: RecordKind;
  readonly follow?: boolean;
}

export function decisionsCommand(): Command {
  const command = new Command('decisions')
    .description("the newest records of a tenant's chain, oldest first: decisions, outcomes, what people did")
    .argument('<tenant>', 'its id', idArgument)
    .option('--last <n>', 'how many', wholeNumber(1, 1_000_000), 30)
    .addOption(new Option('--kind <kind>', 'only these').choices(RECORD_KINDS))
    .option('--follow', 'go on and show every record as it comes, until ^C')
    .action(decisions);
  return withExample(
    command,
    'decisions aurora --last 10',
    'decisions aurora --kind HOLD_FOR_HUMAN_REVIEW',
    'decisions aurora --follow',
  );
}

async function decisions(tenantId: string, options: DecisionsOptions, command: Command): Promise<void> {
  const { last, kind, follow } = options;
  await withBroker(command, async (broker) => {
    const { json } = globalOptions(command);
    const end =
      kind === undefined
        ? await readChainEnd(broker, tenantId, last)
        : (await readChain(broker, tenantId, [kind])).slice(-last);
    if (end.length === 0) await tenantNamed(broker, tenantId);
    const show = ({ seq, digest, record }: StoredRecord) => {
      if (json) printJson(OUTPUTS.decisions, { seq, digest, record });
      else printLine(lineOf(record));
    };
    if (!json && (end.length > 0 || follow)) printLine(columnsOf(HEAD.map(colours.dim), widths()));
    if (!json && end.length === 0 && !follow) {
      const which = kind === undefined ? 'records' : `records of kind ${kind}`;
      printLine(
        `no ${which} of \`${tenantId}\` yet: ask with \`orchestrate dispatch ${tenantId} --leads <csv>\``,
      );
    }
    for (const record of end) show(record);
    if (!follow) return;
    const head = (await readChainEnd(broker, tenantId, 1))[0]?.seq ?? 0;
    const fromSeq = (end.at(-1)?.seq ?? head) + 1;
    const kinds = kind === undefined ? {} : { kinds: [kind] };
    const follower = await followChain(broker, { tenantId, fromSeq, ...kinds }, show);
    await Promise.race([untilInterrupted(), follower.done]);
    await follower.close();
  });
}

const COLUMNS_WITH_DAY_MIN = 110;
const isNarrow = (): boolean => screenWidth() < COLUMNS_WITH_DAY_MIN;
const widths = (): readonly number[] => [4, isNarrow() ? 10 : 19, 21, 14];
const HEAD = ['#', 'TIME (UTC)', 'KIND', 'DISPATCH', 'WHY'];

function lineOf(record: ChainRecord): string {
  const { kind, ordinal } = record;
  const atMs = 'decidedAtMs' in record ? record.decidedAtMs : record.recordedAtMs;
  const dispatchId = ('dispatchId' in record && record.dispatchId) || '';
  const shown = isDecision(kind) ? inDecisionColour(kind) : kind;
  return columnsOf(
    [
      String(ordinal),
      isNarrow() ? clockOf(atMs) : timeOf(atMs),
      shown,
      shortDispatch(dispatchId) || '-',
      whyOf(record),
    ],
    widths(),
  );
}

/** An outcome and its reason that say the same (`suppressed`, `recipient_suppressed`) are told once. */
const SAME_WORD = /^(\w+) (\w+_)?\1$/;

/** In a few words what made this record. */
export function whyOf(record: ChainRecord): string {
  switch (record.kind) {
    case 'OUTCOME':
      return `${record.state}: ${record.reason}${record.echo === 'violated' ? ', constraints not echoed' : ''}`;
    case 'INTERVENTION':
      return `${record.command} by ${record.actor}: ${record.reasonCode}`;
    case 'APPROVAL':
      return `approved by ${record.actor}: ${record.reasonCode}`;
    case 'APPROVE':
      return record.review ? 'all ten gates clear; to be reviewed afterwards' : 'all ten gates clear';
    default: {
      const { decidingGate, decidingBlocker, decidingOutcome, gates } = record;
      const { because = [] } = gates[decidingGate - 1] ?? {};
      const reasons = because.filter(({ verdict }) => verdict !== 'pass').map(({ reason }) => reason);
      const other = [...new Set(reasons)].filter((reason) => !SAME_WORD.test(`${decidingOutcome} ${reason}`));
      const named = other.length > 0 ? ` (${other.join(', ')})` : '';
      return `gate ${decidingGate} ${decidingBlocker}: ${decidingOutcome}${named}`;
    }
  }
}
