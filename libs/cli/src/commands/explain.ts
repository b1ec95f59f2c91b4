import { isDecision, readChain, readOutcomes, type StoredRecord } from '@orchestrate/client';
import type { DecisionRecorded, OutcomeReported } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { Command } from 'commander';
import { idArgument, withExample } from '../arguments.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { findDispatch } from '../find-dispatch.ts';
import { OUTPUTS } from '../outputs.ts';
import { printJson, printLine } from '../print.ts';
import { decisionScreen } from '../views/decision.ts';

export function explainCommand(): Command {
  const command = new Command('explain')
    .description('why a dispatch was decided as it was: ten gates, eight answers, and what would release it')
    .argument('<tenant>', 'its id', idArgument)
    .argument('<dispatch>', 'its id, or enough of its beginning to tell it from the others')
    .action(explain);
  return withExample(command, 'explain aurora d-3fa98c21b0d4', 'explain aurora d-3fa9 --json');
}

export interface DecidedDispatch {
  readonly decision: StoredRecord & { readonly record: DecisionRecorded };
  readonly attempts: readonly (StoredRecord & { readonly record: DecisionRecorded })[];
  readonly outcome: OutcomeReported | null;
}

async function explain(tenantId: string, written: string, _options: object, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const found = await readDispatch(broker, tenantId, written);
    if (globalOptions(command).json) {
      printJson(OUTPUTS.explain, {
        decision: found.decision,
        attempts: found.attempts.map(({ seq, record }) => {
          const { attempt, kind, trigger, decidedAtMs } = record;
          return { seq, attempt, kind, trigger, decidedAtMs };
        }),
        outcome: found.outcome,
      });
    } else printLine(decisionScreen(found, Date.now()));
  });
}

/** The decision in effect, those before it, and what became of it. Throws NotThere. */
export async function readDispatch(
  broker: Broker,
  tenantId: string,
  written: string,
): Promise<DecidedDispatch> {
  const chain = await readChain(broker, tenantId);
  const dispatchId = await findDispatch(broker, tenantId, written, chain);
  const attempts = chain.filter(
    (one): one is DecidedDispatch['decision'] =>
      isDecision(one.record.kind) && (one.record as DecisionRecorded).dispatchId === dispatchId,
  );
  const outcome = (await readOutcomes(broker, tenantId)).get(dispatchId) ?? null;
  return { decision: attempts.at(-1)!, attempts, outcome };
}
