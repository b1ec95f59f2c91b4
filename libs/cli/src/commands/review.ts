import { DISPATCH_DECISIONS, dispatches } from '@orchestrate/canon';
import { followChain } from '@orchestrate/client';
import { type ApprovalRecorded, type DecisionRecorded, INTERVENTION_REASONS } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { Command, Option } from 'commander';
import { actorOption, idArgument, withExample } from '../arguments.ts';
import { type CommandRecord, commandAndAwaitRecord } from '../command-record.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { Failure } from '../failure.ts';
import { OUTPUTS } from '../outputs.ts';
import { durationOf, inDecisionColour, printJson, printLine, shortDispatch } from '../print.ts';
import { whileWaiting } from '../progress.ts';
import { whyOf } from './decisions.ts';
import { type DecidedDispatch, readDispatch } from './explain.ts';
import { recordOf } from './freeze.ts';

/** A hold that stays what it is gets no new record; after this long it is taken to have stayed. */
const DECIDED_AGAIN_MS_MAX = 3_000;

interface ReviewOptions {
  readonly actor: string;
  readonly reason: (typeof INTERVENTION_REASONS)[number];
}

/** A person's word on one held dispatch, and what was decided after it. */
interface Reviewed {
  readonly found: CommandRecord;
  readonly after: DecidedDispatch['decision'];
}

export function approveCommand(): Command {
  const command = define('approve', 'reviewed', tellApproved).description(
    'release one held dispatch, once: bound to exactly this action; all ten gates are asked again',
  );
  return withExample(
    command,
    'approve grove d-3fa98c21b0d4',
    'approve grove d-3fa9 --actor olga --reason reviewed',
  );
}

export function rejectCommand(): Command {
  const command = define('reject', 'not_wanted', tellRejected).description(
    'end one held dispatch for good: it becomes BLOCK',
  );
  return withExample(command, 'reject grove d-3fa98c21b0d4 --reason legal');
}

function define(
  name: 'approve' | 'reject',
  reason: ReviewOptions['reason'],
  tell: (reviewed: Reviewed, json: boolean) => void,
): Command {
  return new Command(name)
    .argument('<tenant>', 'its id', idArgument)
    .argument('<dispatch>', 'its id, or enough of its beginning to tell it from the others')
    .addOption(new Option('--reason <code>', 'why').choices(INTERVENTION_REASONS).default(reason))
    .addOption(actorOption())
    .action(async (tenantId: string, written: string, options: ReviewOptions, command: Command) => {
      await withBroker(command, async (broker) => {
        const held = await openHold(broker, tenantId, written);
        const { dispatchId, actionDigest } = held.record;
        const found = await commandAndAwaitRecord(broker, {
          tenantId,
          command: name,
          actor: options.actor,
          reasonCode: options.reason,
          dispatchId,
          actionDigest,
        });
        const after = await decidedAfter(broker, held, found.seq);
        tell({ found, after }, globalOptions(command).json === true);
      });
    });
}

function tellApproved({ found, after }: Reviewed, json: boolean): void {
  const { tenantId, dispatchId, kind } = after.record;
  const { approvalId, expiresAtMs } = found.record as ApprovalRecorded;
  const command = 'approve';
  if (json) {
    const approval = { tenantId, command, ...recordOf(found), dispatchId, approvalId, expiresAtMs } as const;
    printJson(OUTPUTS.approve, { ...approval, decision: kind });
    return;
  }
  const short = shortDispatch(dispatchId);
  printLine(`${short} is approved by ${found.record.actor} (record ${found.record.ordinal})`);
  if (dispatches(kind)) printLine(`now ${inDecisionColour(kind)}: a sender may send it`);
  else {
    printLine(
      `still ${inDecisionColour(kind)}, ${whyOf(after.record)}: an approval skips no gate. It stays good for ${durationOf(expiresAtMs - Date.now())}; see \`orchestrate explain ${tenantId} ${short}\``,
    );
  }
}

function tellRejected({ found, after }: Reviewed, json: boolean): void {
  const { tenantId, dispatchId, kind } = after.record;
  const command = 'reject';
  if (json) printJson(OUTPUTS.reject, { tenantId, command, ...recordOf(found), dispatchId, decision: kind });
  else {
    const { actor, ordinal } = found.record;
    printLine(
      `${shortDispatch(dispatchId)} is rejected by ${actor} (record ${ordinal}): ${inDecisionColour(kind)}`,
    );
  }
}

async function openHold(
  broker: Broker,
  tenantId: string,
  written: string,
): Promise<DecidedDispatch['decision']> {
  const { decision } = await readDispatch(broker, tenantId, written);
  const { kind, dispatchId } = decision.record;
  if (kind !== 'BLOCK' && !dispatches(kind)) return decision;
  const end = kind === 'BLOCK' ? 'it is blocked, which is final' : `it is released already (${kind})`;
  throw new Failure('failed', `\`${shortDispatch(dispatchId)}\` is no open hold: ${end}`);
}

/** The next decision on the dispatch after a position, or the one before when it stays what it was. */
async function decidedAfter(
  broker: Broker,
  held: DecidedDispatch['decision'],
  seq: number,
): Promise<DecidedDispatch['decision']> {
  const { tenantId, dispatchId } = held.record;
  const decided = Promise.withResolvers<DecidedDispatch['decision']>();
  const range = { tenantId, fromSeq: seq + 1, kinds: DISPATCH_DECISIONS };
  const follower = await followChain(broker, range, (stored) => {
    const record = stored.record as DecisionRecorded;
    if (record.dispatchId === dispatchId) decided.resolve({ ...stored, record });
  });
  const timer = setTimeout(() => decided.resolve(held), DECIDED_AGAIN_MS_MAX);
  const after = await whileWaiting('waiting for the decision after it', decided.promise);
  clearTimeout(timer);
  await follower.close();
  return after;
}
