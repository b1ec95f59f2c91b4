import { policyDigestOf } from '@orchestrate/canon';
import { readPolicyFile } from '@orchestrate/client';
import { activatePolicy, type Broker, provisionStreams, readLast } from '@orchestrate/messaging';
import { readPolicyInForce } from '@orchestrate/service-kit';
import { Command } from 'commander';
import { withExample } from '../arguments.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { OUTPUTS } from '../outputs.ts';
import { printJson, printLine, shortDigest } from '../print.ts';

export function provisionCommand(): Command {
  const command = new Command('provision')
    .description(
      'create the streams on a NATS server, or bring them to their declaration, and put a policy in force',
    )
    .option(
      '--policy <file>',
      'a policy to put in force (default: the one that is, at first policies/default.json)',
    )
    .action(async (options: { policy?: string }, self: Command) => {
      await withBroker(self, async (broker) => {
        await provision(broker, options.policy);
        const policyDigest =
          (await readPolicyInForce(broker))?.digest ?? policyDigestOf(readPolicyFile(options.policy));
        if (globalOptions(self).json) printJson(OUTPUTS.provision, { provisioned: true, policyDigest });
        else printLine(`streams are as declared, policy ${shortDigest(policyDigest)} is in force`);
      });
    });
  return withExample(
    command,
    'provision --nats-url nats://10.0.0.5:4222',
    'provision --policy my-policy.json',
  );
}

/** Safe to repeat: what is there already stays. A policy that cannot be used changes nothing. */
export async function provision(broker: Broker, policyFile: string | undefined): Promise<void> {
  const chosen = policyFile === undefined ? null : readPolicyFile(policyFile);
  await provisionStreams(broker);
  const active = await readLast(broker, 'POLICY', 'policy.active');
  if (chosen || !active) await activatePolicy(broker, chosen ?? readPolicyFile());
}
