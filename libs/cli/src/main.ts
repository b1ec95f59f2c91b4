import { CommanderError } from 'commander';
import { answerCompletion, isCompletionRequest } from './commands/completion.ts';
import { EXIT } from './exit-codes.ts';
import { tellFailure } from './failure.ts';
import { endOnInterrupt, endWithReader } from './interrupt.ts';
import { buildProgram } from './program.ts';

if (Number(process.versions.node.split('.')[0]) < 26) {
  process.stderr.write(
    `orchestrate needs Node 26, this is ${process.version}: run it with \`npx orchestrate\` or \`npm run orchestrate --\` in the repository\n`,
  );
  process.exit(EXIT.failed);
}

endOnInterrupt();
endWithReader();
const program = buildProgram();
try {
  if (isCompletionRequest(process.argv)) await answerCompletion(program, process.argv);
  else await program.parseAsync();
} catch (error) {
  process.exitCode = toldByCommander(error) ?? tellFailure(error, options());
}

/** What commander has told already: its exit code is 0 after a help that was asked for. */
function toldByCommander(error: unknown): number | null {
  if (!(error instanceof CommanderError)) return null;
  return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}

function options(): { json: boolean; verbose: boolean } {
  const { json, verbose } = program.opts<{ json?: boolean; verbose?: boolean }>();
  return { json: json === true, verbose: verbose === true };
}
