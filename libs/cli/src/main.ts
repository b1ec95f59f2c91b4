import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { decisionsCommand } from './commands/decisions.ts';
import { dispatchCommand } from './commands/dispatch.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { evidenceCommand } from './commands/evidence.ts';
import { leadsCommand } from './commands/leads.ts';
import { provisionCommand } from './commands/provision.ts';
import { readinessCommand } from './commands/readiness.ts';
import { runCommand } from './commands/run.ts';
import { statusCommand } from './commands/status.ts';
import { tenantCommand } from './commands/tenant.ts';
import { upCommand } from './commands/up.ts';
import { EXIT } from './exit-codes.ts';
import { explain } from './explain-error.ts';

const program = new Command('orchestrate')
  .description('decides, from one honest operational truth per tenant, whether a send may go out now')
  .version(manifest.version)
  .option('--data-dir <path>', 'where the platform on this machine keeps its store', '.orchestrate')
  .option(
    '--nats-url <url>',
    'a NATS server to use instead of the platform on this machine',
    process.env.NATS_URL,
  )
  .option('--json', 'print JSON, one document a line')
  .option('--verbose', 'show the stack of an unexpected error')
  .showHelpAfterError('(see: orchestrate --help)')
  .exitOverride()
  .addCommand(upCommand())
  .addCommand(downCommand())
  .addCommand(statusCommand())
  .addCommand(doctorCommand())
  .addCommand(provisionCommand())
  .addCommand(runCommand())
  .addCommand(tenantCommand())
  .addCommand(evidenceCommand())
  .addCommand(leadsCommand())
  .addCommand(dispatchCommand())
  .addCommand(readinessCommand())
  .addCommand(decisionsCommand());

for (const command of program.commands) command.copyInheritedSettings(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    process.stderr.write(`${explain(error, program.opts().verbose === true)}\n`);
    process.exitCode = EXIT.failed;
  }
}
