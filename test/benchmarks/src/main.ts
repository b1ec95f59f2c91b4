import { parseCommand, runCommand, UsageError, usageOf } from './command.ts';
import { decideBench } from './decide.ts';
import { fingerprintBench } from './fingerprint.ts';

const BENCHES = [decideBench, fingerprintBench];

try {
  const wanted = parseCommand(process.argv.slice(2), BENCHES);
  const print = (text: string) => process.stdout.write(text);
  if (wanted.help) print(usageOf(BENCHES));
  else process.exitCode = await runCommand(wanted, print);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
