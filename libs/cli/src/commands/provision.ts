import { readPolicyFile } from '@orchestrate/client';
import { activatePolicy, type Broker, provisionStreams, readLast } from '@orchestrate/messaging';
import { Command } from 'commander';
import { withBroker } from '../connect.ts';
import { printLine } from '../print.ts';

export function provisionCommand(): Command {
  return new Command('provision')
    .description(
      'create the streams on a NATS server, or bring them to their declaration, and put a policy in force',
    )
    .option(
      '--policy <file>',
      'a policy to put in force (default: the one that is, at first policies/default.json)',
    )
    .addHelpText('after', '\nExample:\n  orchestrate provision --nats-url nats://10.0.0.5:4222')
    .action(async (options: { policy?: string }, command: Command) => {
      await withBroker(command, (broker) => provision(broker, options.policy));
      printLine('streams are as declared, a policy is in force');
    });
}

/** Safe to repeat: what is there already stays. */
export async function provision(broker: Broker, policyFile: string | undefined): Promise<void> {
  await provisionStreams(broker);
  const active = await readLast(broker, 'POLICY', 'policy.active');
  if (policyFile || !active) await activatePolicy(broker, readPolicyFile(policyFile));
}
