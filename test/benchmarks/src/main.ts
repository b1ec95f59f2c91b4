import { parseCommand, runCommand, UsageError, usageOf } from './command.ts';
import { contestBench } from './contest.ts';
import { decideContest } from './decide.ts';
import { fingerprintContest } from './fingerprint.ts';
import { decisionsBench } from './live/decisions.ts';
import { failoverBench } from './live/failover.ts';
import { peerBench } from './live/peer.ts';
import { pipelineBench } from './live/pipeline.ts';
import { tenantsBench } from './live/tenants.ts';

const BENCHES = [
  contestBench(decideContest),
  contestBench(fingerprintContest),
  pipelineBench,
  decisionsBench,
  tenantsBench,
  failoverBench,
  peerBench,
];

// Whoever is interrupted ends what it started: the handlers of `exit` do that.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

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
