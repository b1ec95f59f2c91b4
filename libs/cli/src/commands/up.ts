import { join, resolve } from 'node:path';
import { readPolicyFile } from '@orchestrate/client';
import { AlreadyRunning, attach, type Platform, readRunFile, startPlatform } from '@orchestrate/embedded';
import { connectBroker } from '@orchestrate/messaging';
import { problemLine, type Sandbox, startSandbox } from '@orchestrate/sandbox';
import { Command, InvalidArgumentError } from 'commander';
import { withExample } from '../arguments.ts';
import { globalOptions } from '../connect.ts';
import { DetachedUp, tellParent, type UpTold } from '../detach.ts';
import { Failure } from '../failure.ts';
import { untilInterrupted } from '../interrupt.ts';
import { OUTPUTS } from '../outputs.ts';
import { colours, pathHere, printJson, printLine } from '../print.ts';
import { whileWaiting } from '../progress.ts';
import { REPOSITORY } from '../repository.ts';
import { provision } from './provision.ts';

const SERVICES = ['layer-runtime', 'truth-aggregator', 'dispatch-governance', 'evidence-probes'] as const;

interface UpOptions {
  readonly policy?: string;
  readonly sync: string;
  readonly sandbox?: string;
  readonly detach?: boolean;
}

export function upCommand(): Command {
  const command = new Command('up')
    .description('run the platform on this machine: one nats-server and one process per service')
    .option(
      '--policy <file>',
      'a policy to put in force (default: the one that is, at first policies/default.json)',
    )
    .option(
      '--sync <interval>',
      'how often the store is flushed to disk: `always`, or an interval such as 100ms',
      syncInterval,
      'always',
    )
    .option(
      '--sandbox <folder>',
      'with a small world on loopback: a DNS server for the zone files of the folder, and a mail server that keeps what it gets',
    )
    .option('--detach', 'go on in the background once it is up; `orchestrate down` stops it')
    .action(up);
  return withExample(
    command,
    'up',
    'up --detach --sandbox examples/quickstart/zones',
    'up --sync 100ms --data-dir /var/lib/orchestrate',
  );
}

function syncInterval(text: string): string {
  if (text === 'always' || /^[1-9]\d{0,8}(ms|s|m|h)$/.test(text)) return text;
  throw new InvalidArgumentError('it takes `always`, or an interval such as 100ms, 2s or 1m');
}

async function up(options: UpOptions, command: Command): Promise<void> {
  const { dataDir, json } = globalOptions(command);
  const running = attach(dataDir);
  if (running) {
    refuseOptions(command, dataDir);
    return tellRunning(dataDir, running, json === true);
  }
  // Before anything is started for it.
  if (options.policy !== undefined) readPolicyFile(options.policy);
  if (options.detach) return detach(dataDir, json === true);
  const interrupted = untilInterrupted();
  const startedMs = Date.now();
  await using sandbox = options.sandbox === undefined ? null : await openSandbox(dataDir, options.sandbox);
  const smtpUrl = sandbox?.smtpUrl ?? process.env.SMTP_URL;
  const services = [...SERVICES, ...(smtpUrl ? ['reference-sender'] : [])];
  if (!json) printLine(`starting nats-server and ${services.length} services`);
  const platform = await start(dataDir, services, options, sandbox?.environment ?? {});
  const told: UpTold = {
    natsUrl: platform.natsUrl,
    dataDir: resolve(dataDir),
    services,
    pid: process.pid,
    tookMs: Date.now() - startedMs,
    sync: options.sync,
    sandbox: sandbox && {
      dns: sandbox.dnsAddress,
      zones: sandbox.zonesDir,
      smtp: sandbox.smtpUrl,
      mail: sandbox.mailDir,
    },
  };
  if (json) printJson(OUTPUTS.up, documentOf(told));
  else {
    tellUp(told);
    printLine('^C stops everything');
  }
  tellParent({ up: told });
  await interrupted;
  await platform.stop();
  if (!json) printLine('down');
}

/** What a platform was started with does not change by starting it once more. */
function refuseOptions(command: Command, dataDir: string): void {
  const given = ['policy', 'sync', 'sandbox'].filter((name) => command.getOptionValueSource(name) === 'cli');
  if (given.length === 0) return;
  const told = given.map((name) => `--${name}`).join(' and ');
  const policy = given.includes('policy')
    ? ', or put a policy in force with `orchestrate provision --policy`'
    : '';
  throw new Failure(
    'failed',
    `the platform in ${dataDir} is up already, and starting it again with ${told} changes nothing: stop it first with \`orchestrate down\`${policy}`,
  );
}

/** Zones that a person edits badly are told where the services log. */
function openSandbox(dataDir: string, zonesFrom: string): Promise<Sandbox> {
  return startSandbox({
    zonesFrom,
    dataDir,
    onProblem: (problem) => process.stderr.write(`sandbox: ${problemLine(problem)}\n`),
    onMended: (file) => process.stderr.write(`sandbox: ${file} is served again\n`),
  });
}

function start(
  dataDir: string,
  services: readonly string[],
  options: UpOptions,
  env: Readonly<Record<string, string>>,
): Promise<Platform> {
  return startPlatform({
    root: REPOSITORY,
    dataDir,
    syncInterval: options.sync,
    services: services.map((name) => ({ name })),
    env,
    prepare: (url) => prepare(url, options.policy),
    onLog: (line) => process.stderr.write(`${line}\n`),
    colour: process.stderr.isTTY === true && !process.env.NO_COLOR,
  }).catch((error: unknown) => {
    if (error instanceof AlreadyRunning)
      throw new Failure('failed', `${error.message}; stop it with \`orchestrate down\``);
    throw error;
  });
}

async function prepare(url: string, policyFile: string | undefined): Promise<void> {
  await using broker = await connectBroker({ url, name: 'provisioner' });
  await provision(broker, policyFile);
}

async function detach(dataDir: string, json: boolean): Promise<void> {
  const child = new DetachedUp(join(resolve(dataDir), 'platform.log'));
  const told = await whileWaiting('starting the platform', child.up());
  if (json) printJson(OUTPUTS.up, documentOf(told));
  else {
    tellUp(told);
    printLine(
      `in the background (pid ${told.pid}), log in ${pathHere(child.log)}; \`orchestrate down\` stops it`,
    );
  }
}

function tellRunning(dataDir: string, natsUrl: string, json: boolean): void {
  const run = readRunFile(dataDir);
  if (json) {
    const services = run?.services.map(({ name }) => name) ?? [];
    printJson(OUTPUTS.up, { up: true, natsUrl, dataDir: resolve(dataDir), services, pid: run?.pid ?? 0 });
  } else printLine(`the platform is up already: ${natsUrl} (${dataDir})`);
}

const documentOf = ({ natsUrl, dataDir, services, pid }: UpTold) =>
  ({ up: true, natsUrl, dataDir, services, pid }) as const;

function tellUp({ natsUrl, dataDir, services, tookMs, sync, sandbox }: UpTold): void {
  printLine(`${colours.green('up')} in ${(tookMs / 1000).toFixed(1)} s: ${services.join(', ')}`);
  printLine(`nats-server ${natsUrl}, store in ${pathHere(dataDir)} (sync ${sync})`);
  if (sandbox) {
    printLine(`a small world: DNS on ${sandbox.dns} for the zones in ${pathHere(sandbox.zones)},`);
    printLine(`  and mail on ${sandbox.smtp}, kept in ${pathHere(sandbox.mail)}`);
  } else if (!services.includes('reference-sender')) {
    printLine('no sender is started: to deliver mail set SMTP_URL, for example smtp://127.0.0.1:2525');
  }
  printLine('next: orchestrate tenant apply <file>, and orchestrate doctor if anything looks wrong');
}
