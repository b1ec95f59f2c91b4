import { resolve } from 'node:path';
import { AlreadyRunning, attach, startPlatform } from '@orchestrate/embedded';
import { connectBroker } from '@orchestrate/messaging';
import { Command } from 'commander';
import { globalOptions } from '../connect.ts';
import { colours, printJson, printLine } from '../print.ts';
import { REPOSITORY } from '../repository.ts';
import { provision } from './provision.ts';

const SERVICES = ['layer-runtime', 'truth-aggregator', 'dispatch-governance', 'evidence-probes'] as const;

interface UpOptions {
  readonly policy?: string;
  readonly sync: string;
}

export function upCommand(): Command {
  return new Command('up')
    .description('run the platform on this machine: one nats-server and one process per service')
    .option(
      '--policy <file>',
      'a policy to put in force (default: the one that is, at first policies/default.json)',
    )
    .option(
      '--sync <interval>',
      'how often the store is flushed to disk: `always`, or an interval such as 100ms',
      'always',
    )
    .addHelpText('after', '\nExample:\n  orchestrate up --data-dir .orchestrate --sync always')
    .action(up);
}

async function up(options: UpOptions, command: Command): Promise<void> {
  const { dataDir, json } = globalOptions(command);
  const running = attach(dataDir);
  if (running) {
    printLine(`the platform is up already: ${running} (${dataDir})`);
    return;
  }
  const services = [...SERVICES, ...(process.env.SMTP_URL ? ['reference-sender'] : [])];
  const asked = stopSignal();
  const startedMs = Date.now();
  if (!json) printLine(`starting nats-server and ${services.length} services`);
  const platform = await startPlatform({
    root: REPOSITORY,
    dataDir,
    syncInterval: options.sync,
    services: services.map((name) => ({ name })),
    prepare: (url) => prepare(url, options.policy),
    onLog: (line) => process.stderr.write(`${line}\n`),
    colour: process.stderr.isTTY === true && !process.env.NO_COLOR,
  }).catch((error: unknown) => {
    if (error instanceof AlreadyRunning)
      throw new Error(`${error.message}; stop it with \`orchestrate down\``);
    throw error;
  });
  if (json) printJson({ up: true, natsUrl: platform.natsUrl, dataDir: resolve(dataDir), services });
  else {
    printLine(
      `${colours.green('up')} in ${((Date.now() - startedMs) / 1000).toFixed(1)} s: ${services.join(', ')}`,
    );
    printLine(`nats-server ${platform.natsUrl}, store in ${resolve(dataDir)} (sync ${options.sync})`);
    if (!process.env.SMTP_URL) {
      printLine(
        'reference-sender is not started: to deliver mail set SMTP_URL, for example smtp://127.0.0.1:2525',
      );
    }
    printLine(
      'next: npm run orchestrate -- tenant apply examples/outreach/tenants/aurora.yaml   (^C stops everything)',
    );
  }
  await asked;
  await platform.stop();
  if (!json) printLine('down');
}

async function prepare(url: string, policyFile: string | undefined): Promise<void> {
  await using broker = await connectBroker({ url, name: 'provisioner' });
  await provision(broker, policyFile);
}

/**
 * ^C or SIGTERM. The services have process groups of their own, so it is ours to stop them; a signal that comes twice
 * (from a terminal and from whoever started us) must not end us in the middle of it.
 */
function stopSignal(): Promise<void> {
  return new Promise((done) => {
    process.on('SIGINT', () => done());
    process.on('SIGTERM', () => done());
  });
}
