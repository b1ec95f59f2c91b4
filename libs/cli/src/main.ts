import { type Command, CommanderError } from 'commander';
import { answerCompletion, isCompletionRequest } from './commands/completion.ts';
import { tellParent } from './detach.ts';
import { EXIT } from './exit-codes.ts';
import { Failure, failureOf, tellFailure } from './failure.ts';
import { endOnInterrupt, endWithReader } from './interrupt.ts';
import { buildProgram } from './program.ts';

endOnInterrupt();
endWithReader();
const json = process.argv.includes('--json');
const program = buildProgram();
if (json) silenceCommander(program);
try {
  if (isCompletionRequest(process.argv)) await answerCompletion(program, process.argv);
  else await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** What commander says of a wrong call it has said by itself; a program gets it as a document instead. */
function exitCodeOf(error: unknown): number {
  const { verbose = false } = program.opts<{ verbose?: boolean }>();
  if (!(error instanceof CommanderError)) {
    tellParent({ failed: failureOf(error) });
    return tellFailure(error, { json, verbose });
  }
  if (error.exitCode === 0) return EXIT.ok;
  if (json) return tellFailure(new Failure('usage', wrongCall(error)), { json, verbose });
  return EXIT.usage;
}

/** A command that only has others below it shows its help, which is no sentence. */
function wrongCall({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'name a command: see --help' : message.replace(/^error: /, '');
}

function silenceCommander(command: Command): void {
  command.configureOutput({ writeErr: () => {} });
  for (const child of command.commands) silenceCommander(child);
}
