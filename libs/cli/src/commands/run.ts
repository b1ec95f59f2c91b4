import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { notAmong } from '@orchestrate/client';
import { attach, nodeFlagsOf } from '@orchestrate/embedded';
import { Command } from 'commander';
import { withExample } from '../arguments.ts';
import { globalOptions, noPlatform } from '../connect.ts';
import { leaveSignalsTo } from '../interrupt.ts';
import { REPOSITORY } from '../repository.ts';

export function runCommand(): Command {
  const command = new Command('run')
    .description(
      'run one service alone in the foreground, against the NATS server that NATS_URL or --nats-url names, else the platform on this machine; it logs JSON lines',
    )
    .argument('<service>', 'its folder in services/')
    .action(run);
  return withExample(command, 'run dispatch-governance --nats-url nats://10.0.0.5:4222');
}

async function run(service: string, _options: object, command: Command): Promise<void> {
  const known = readdirSync(join(REPOSITORY, 'services')).sort();
  if (!known.includes(service)) throw notAmong(`there is no service \`${service}\``, service, known);
  const { natsUrl, dataDir } = globalOptions(command);
  const url = natsUrl || attach(dataDir);
  if (!url) throw noPlatform(dataDir);
  const env = { ...process.env, NATS_URL: url };
  const entry = join(REPOSITORY, 'services', service, 'src', 'main.ts');
  const child = spawn(process.execPath, [...nodeFlagsOf(service), entry], { stdio: 'inherit', env });
  leaveSignalsTo(child);
  process.exitCode = await new Promise<number>((done) => child.on('exit', (code) => done(code ?? 1)));
}
