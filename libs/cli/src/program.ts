import { Command, Option } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { completionCommand } from './commands/completion.ts';
import { decisionsCommand } from './commands/decisions.ts';
import { dispatchCommand } from './commands/dispatch.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { evidenceCommand } from './commands/evidence.ts';
import { explainCommand } from './commands/explain.ts';
import { freezeCommand, unfreezeCommand } from './commands/freeze.ts';
import { holdCommand, releaseCommand } from './commands/layer-hold.ts';
import { leadsCommand } from './commands/leads.ts';
import { provisionCommand } from './commands/provision.ts';
import { readinessCommand } from './commands/readiness.ts';
import { approveCommand, rejectCommand } from './commands/review.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { tenantCommand } from './commands/tenant.ts';
import { truthCommand } from './commands/truth.ts';
import { upCommand } from './commands/up.ts';
import { EXIT, EXIT_MEANINGS, type ExitName } from './exit-codes.ts';

/** By what a person wants to do; the order is that of the help and of the reference. */
const GROUPS: Readonly<Record<string, () => readonly Command[]>> = {
  'The platform': () => [
    upCommand(),
    downCommand(),
    statusCommand(),
    doctorCommand(),
    runCommand(),
    provisionCommand(),
  ],
  'Tell it something': () => [tenantCommand(), evidenceCommand(), leadsCommand(), dispatchCommand()],
  'See why': () => [readinessCommand(), truthCommand(), decisionsCommand(), explainCommand()],
  'Act, on record': () => [
    freezeCommand(),
    unfreezeCommand(),
    approveCommand(),
    rejectCommand(),
    holdCommand(),
    releaseCommand(),
  ],
  'This command line': () => [completionCommand()],
};

/** The whole command line as a tree, also for the reference and the tests that are made from it. */
export function buildProgram(): Command {
  const program = new Command('orchestrate')
    .description(
      'decides, from one honest operational truth per tenant, whether a send may go out now, and proves afterwards why',
    )
    .version(manifest.version)
    .addOption(
      new Option('--data-dir <path>', 'where the platform on this machine keeps its store')
        .env('ORCHESTRATE_DATA_DIR')
        .default('.orchestrate'),
    )
    .addOption(
      new Option('--nats-url <url>', 'a NATS server to use instead of the platform on this machine').env(
        'NATS_URL',
      ),
    )
    .option('--json', 'print JSON, one document a line')
    .option('--verbose', 'show the stack of an error')
    .addHelpText('after', exitCodes)
    .showHelpAfterError('(see --help)')
    .exitOverride();
  for (const [heading, commands] of Object.entries(GROUPS)) {
    program.commandsGroup(`${heading}:`);
    for (const command of commands()) program.addCommand(command);
  }
  inherit(program);
  return program;
}

function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

function exitCodes(): string {
  const lines = (Object.keys(EXIT) as ExitName[]).map(
    (name) => `  ${String(EXIT[name]).padEnd(3)}  ${EXIT_MEANINGS[name]}`,
  );
  return `\nExit codes:\n${lines.join('\n')}`;
}
