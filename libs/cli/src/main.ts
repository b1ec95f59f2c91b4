import { type Command, CommanderError } from 'commander';
import { answerCompletion, isCompletionRequest } from './commands/completion.ts';
import { EXIT } from './exit-codes.ts';
import { Failure, tellFailure } from './failure.ts';
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
  if (!(error instanceof CommanderError)) return tellFailure(error, { json, verbose });
  if (error.exitCode === 0) return EXIT.ok;
  if (json)
    return tellFailure(new Failure('usage', error.message.replace(/^error: /, '')), { json, verbose });
  return EXIT.usage;
}

function silenceCommander(command: Command): void {
  command.configureOutput({ writeErr: () => {} });
  for (const child of command.commands) silenceCommander(child);
}
