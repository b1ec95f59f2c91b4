import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { globalOptions } from '../connect.ts';
import { REPOSITORY } from '../repository.ts';

export function runCommand(): Command {
  return new Command('run')
    .description('run one service alone, against the NATS server that NATS_URL or --nats-url names')
    .argument('<service>', 'its folder in services/')
    .addHelpText('after', '\nExample:\n  NATS_URL=nats://10.0.0.5:4222 orchestrate run dispatch-governance')
    .action(async (service: string, _options: object, command: Command) => {
      const entry = join(REPOSITORY, 'services', service, 'src', 'main.ts');
      if (!/^[a-z-]+$/.test(service) || !existsSync(entry)) {
        const known = readdirSync(join(REPOSITORY, 'services'));
        throw new Error(`there is no service \`${service}\`: the services are ${known.join(', ')}`);
      }
      const { natsUrl } = globalOptions(command);
      const env = { ...process.env, ...(natsUrl ? { NATS_URL: natsUrl } : {}) };
      const child = spawn(process.execPath, [entry], { stdio: 'inherit', env });
      // The terminal sends ^C to both; the child ends in order and its exit code is ours.
      process.on('SIGINT', () => {});
      process.on('SIGTERM', () => child.kill('SIGTERM'));
      process.exitCode = await new Promise<number>((done) => child.on('exit', (code) => done(code ?? 1)));
    });
}
