import { setTimeout as sleep } from 'node:timers/promises';
import { type DispatchDecision, dispatches } from '@orchestrate/canon';
import { INTERVENTION_REASONS } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { Command, Option } from 'commander';
import { actorOption, idArgument, withExample } from '../arguments.ts';
import { commandAndAwaitRecord } from '../command-record.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { Failure } from '../failure.ts';
import { OUTPUTS } from '../outputs.ts';
import { durationOf, inDecisionColour, printJson, printLine, shortDispatch } from '../print.ts';
import { whyOf } from './decisions.ts';
import { type DecidedDispatch, readDispatch } from './explain.ts';
import { recordOf } from './freeze.ts';

/** A hold that stays what it is gets no new record; after this long it is taken to have stayed. */
const DECIDED_AGAIN_MS_MAX = 3_000;
const LOOK_MS = 100;

interface ReviewOptions {
  readonly actor: string;
  readonly reason: (typeof INTERVENTION_REASONS)[number];
}

export function approveCommand(): Command {
  const command = define('approve', 'reviewed').description(
    'release one held dispatch, once: bound to exactly this action; all ten gates are asked again',
  );
  command.action(approve);
  return withExample(
    command,
    'approve grove d-3fa98c21b0d4',
    'approve grove d-3fa9 --actor olga --reason reviewed',
  );
}

export function rejectCommand(): Command {
  const command = define('reject', 'not_wanted').description(
    'end one held dispatch for good: it becomes BLOCK',
  );
  command.action(reject);
  return withExample(command, 'reject grove d-3fa98c21b0d4 --reason legal');
}

function define(name: string, reason: ReviewOptions['reason']): Command {
  return new Command(name)
    .argument('<tenant>', 'its id', idArgument)
    .argument('<dispatch>', 'its id, or enough of its beginning to tell it from the others')
    .addOption(new Option('--reason <code>', 'why').choices(INTERVENTION_REASONS).default(reason))
    .addOption(actorOption());
}

async function approve(
  tenantId: string,
  written: string,
  options: ReviewOptions,
  command: Command,
): Promise<void> {
  await withBroker(command, async (broker) => {
    const { decision } = await openHold(broker, tenantId, written);
    const { dispatchId, actionDigest } = decision.record;
    const found = await commandAndAwaitRecord(broker, {
      tenantId,
      command: 'approve',
      actor: options.actor,
      reasonCode: options.reason,
      dispatchId,
      actionDigest,
    });
    const after = await decidedAfter(broker, tenantId, dispatchId, decision.record.attempt);
    const kind = after.decision.record.kind;
    const { approvalId, expiresAtMs } = found.record as { approvalId: string; expiresAtMs: number };
    if (globalOptions(command).json) {
      printJson(OUTPUTS.approve, {
        tenantId,
        command: 'approve',
        ...recordOf(found),
        dispatchId,
        approvalId,
        expiresAtMs,
        decision: kind,
      });
      return;
    }
    const short = shortDispatch(dispatchId);
    printLine(`${short} is approved by ${found.record.actor} (record ${found.record.ordinal})`);
    if (dispatches(kind)) printLine(`now ${inDecisionColour(kind)}: a sender may send it`);
    else {
      printLine(
        `still ${inDecisionColour(kind)}, ${whyOf(after.decision.record)}: an approval skips no gate. It stays good for ${durationOf(expiresAtMs - Date.now())}; see \`orchestrate explain ${tenantId} ${short}\``,
      );
    }
  });
}

async function reject(
  tenantId: string,
  written: string,
  options: ReviewOptions,
  command: Command,
): Promise<void> {
  await withBroker(command, async (broker) => {
    const { decision } = await openHold(broker, tenantId, written);
    const { dispatchId } = decision.record;
    const found = await commandAndAwaitRecord(broker, {
      tenantId,
      command: 'reject',
      actor: options.actor,
      reasonCode: options.reason,
      dispatchId,
    });
    const after = await decidedAfter(broker, tenantId, dispatchId, decision.record.attempt);
    const kind: DispatchDecision = after.decision.record.kind;
    if (globalOptions(command).json) {
      printJson(OUTPUTS.reject, {
        tenantId,
        command: 'reject',
        ...recordOf(found),
        dispatchId,
        decision: kind,
      });
    } else {
      printLine(
        `${shortDispatch(dispatchId)} is rejected by ${found.record.actor} (record ${found.record.ordinal}): ${inDecisionColour(kind)}`,
      );
    }
  });
}

async function openHold(broker: Broker, tenantId: string, written: string): Promise<DecidedDispatch> {
  const found = await readDispatch(broker, tenantId, written);
  const { kind, dispatchId } = found.decision.record;
  if (kind !== 'BLOCK' && !dispatches(kind)) return found;
  const end = kind === 'BLOCK' ? 'it is blocked, which is final' : `it is released already (${kind})`;
  throw new Failure('failed', `\`${shortDispatch(dispatchId)}\` is no open hold: ${end}`);
}

async function decidedAfter(
  broker: Broker,
  tenantId: string,
  dispatchId: string,
  attempt: number,
): Promise<DecidedDispatch> {
  const deadline = Date.now() + DECIDED_AGAIN_MS_MAX;
  for (;;) {
    const found = await readDispatch(broker, tenantId, dispatchId);
    if (found.decision.record.attempt > attempt || Date.now() > deadline) return found;
    await sleep(LOOK_MS);
  }
}
