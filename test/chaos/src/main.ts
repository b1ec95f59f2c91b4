import { parseCommand, runCommand, USAGE, UsageError } from './command.ts';

try {
  const wanted = parseCommand(process.argv.slice(2));
  const print = (text: string) => process.stdout.write(text);
  if (wanted.help) print(USAGE);
  else process.exitCode = await runCommand(wanted, print);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
