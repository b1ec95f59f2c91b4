import {
  CANONICAL_BLOCKER_LAYERS,
  type CanonicalBlockerLayer,
  partitionOf,
  type TruthLayer,
  TruthReading,
} from '@orchestrate/canon';
import {
  applyTenantFile,
  isFresh,
  loadTenantFile,
  type OffboardReport,
  offboardTenant,
  readTenantConfig,
  readTenants,
  readTruth,
  readTruthMark,
} from '@orchestrate/client';
import { INTERVENTION_REASONS, type TenantConfig } from '@orchestrate/contracts';
import type { Broker } from '@orchestrate/messaging';
import { readPolicyInForce } from '@orchestrate/service-kit';
import { Command, Option } from 'commander';
import pLimit from 'p-limit';
import { actorOption, idArgument, withExample } from '../arguments.ts';
import { globalOptions, withBroker } from '../connect.ts';
import { Failure } from '../failure.ts';
import { onInterruptSay } from '../interrupt.ts';
import { storedTenant } from '../only-one.ts';
import { OUTPUTS } from '../outputs.ts';
import { colours, inBucketColour, printJson, printLine, printTable, shortDigest } from '../print.ts';

const READ_AT_A_TIME = 32;

export function tenantCommand(): Command {
  const tenant = new Command('tenant').description('tenants and what they declare');
  const apply = tenant
    .command('apply')
    .description('put a tenant file in force: its sources, schedule, governance and templates')
    .argument('<file...>', 'YAML files')
    .action(applyFiles);
  withExample(apply, 'tenant apply examples/outreach/tenants/aurora.yaml');
  const list = tenant
    .command('list')
    .description('all tenants, with the layers of each that are not ready')
    .action(listAll);
  withExample(list, 'tenant list', 'tenant list --json');
  const show = tenant
    .command('show')
    .description(
      'what a tenant declares of itself: governance, schedule, domains, mailboxes, campaigns, imports',
    )
    .argument('<tenant>', 'its id', idArgument)
    .action(showOne);
  withExample(show, 'tenant show aurora');
  const offboard = tenant
    .command('offboard')
    .description(
      'a tenant leaves: nothing goes out any more, its people, content and lists are erased for good, its records stay',
    )
    .argument('<tenant>', 'its id, which is not given out again', idArgument)
    .option('--confirm <tenant>', 'the id once more: this cannot be undone')
    .addOption(new Option('--reason <code>', 'why').choices(INTERVENTION_REASONS).default('client_request'))
    .addOption(actorOption())
    .action(offboardOne);
  withExample(offboard, 'tenant offboard aurora --confirm aurora');
  return tenant;
}

async function applyFiles(files: string[], _options: object, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    // All of them first: a mistake in one leaves nothing of any in force.
    for (const file of files) await loadTenantFile(file);
    for (const file of files) {
      const report = await applyTenantFile(broker, file);
      if (globalOptions(command).json) {
        printJson(OUTPUTS['tenant apply'], report);
        continue;
      }
      printLine(`${report.tenantId} applied (CONFIG/${report.sequence})`);
      for (const { id, lint, templateDigest, problems } of report.campaigns) {
        printLine(`  campaign ${id}: lint ${lint}, template ${shortDigest(templateDigest)}`);
        for (const problem of problems) printLine(`    ${colours.yellow(problem)}`);
      }
    }
  });
}

async function listAll(_options: object, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const inForce = await readPolicyInForce(broker);
    const atATime = pLimit(READ_AT_A_TIME);
    const tenants = await Promise.all(
      (await readTenants(broker)).map((tenantId) => atATime(() => summaryOf(broker, tenantId, inForce))),
    );
    if (globalOptions(command).json) {
      for (const tenant of tenants) printJson(OUTPUTS['tenant list'], tenant);
      return;
    }
    if (tenants.length === 0) {
      printLine('no tenants yet: apply a tenant file with `orchestrate tenant apply <file>`');
      return;
    }
    printTable(
      ['TENANT', 'MODE', 'EPOCH', 'NOT READY'],
      tenants.map(({ tenantId, mode, epoch, fresh, notReady }) => [
        tenantId,
        mode ?? '-',
        String(epoch ?? '-'),
        fresh
          ? notReady
              .map(({ layer, state, bucket }) => inBucketColour(bucket, `${layer} ${state}`))
              .join(', ') || colours.green('all nine layers are ready')
          : colours.yellow('everything unknown: truth_stale'),
      ]),
    );
  });
}

async function summaryOf(
  broker: Broker,
  tenantId: string,
  inForce: Awaited<ReturnType<typeof readPolicyInForce>>,
) {
  const [config, stored, mark] = await Promise.all([
    readTenantConfig(broker, tenantId),
    readTruth(broker, tenantId),
    readTruthMark(broker, partitionOf(tenantId)),
  ]);
  const nowMs = Date.now();
  const fresh = inForce !== null && isFresh(mark?.asOfMs ?? null, inForce.policy, nowMs);
  const reading = new TruthReading(stored?.truth ?? null, fresh, nowMs);
  const layers = CANONICAL_BLOCKER_LAYERS.map(
    (layer): [CanonicalBlockerLayer, Pick<TruthLayer, 'state' | 'bucket' | 'owner' | 'reason'>] => [
      layer,
      reading.layer(layer),
    ],
  );
  return {
    tenantId,
    mode: stored?.truth.mode.resolved ?? config?.governance.mode ?? null,
    epoch: stored?.truth.epoch ?? null,
    fresh: reading.fresh,
    notReady: layers
      .filter(([, { state }]) => state !== 'ready' && state !== 'executing')
      .map(([layer, { state, bucket, owner, reason }]) => ({ layer, state, bucket, owner, reason })),
  };
}

async function showOne(tenantId: string, _options: object, command: Command): Promise<void> {
  await withBroker(command, async (broker) => {
    const { config, seq } = await storedTenant(broker, tenantId);
    if (globalOptions(command).json) printJson(OUTPUTS['tenant show'], { config, sequence: seq });
    else printConfig(config, seq);
  });
}

interface OffboardOptions {
  readonly confirm?: string;
  readonly actor: string;
  readonly reason: (typeof INTERVENTION_REASONS)[number];
}

const STEPS = {
  record: 'waiting for the record of it',
  holds: 'ending open holds',
  services: 'waiting until every service has forgotten it',
  erasure: 'erasing',
} as const;

async function offboardOne(tenantId: string, options: OffboardOptions, command: Command): Promise<void> {
  if (options.confirm !== tenantId) {
    throw new Failure(
      'usage',
      `this erases the people, content and lists of \`${tenantId}\` for good: to go on, name it once more with --confirm ${tenantId}`,
    );
  }
  onInterruptSay(() => 'interrupted: the same command goes on where it stopped');
  await withBroker(command, async (broker) => {
    const { json } = globalOptions(command);
    let told = '';
    const report = await offboardTenant(broker, {
      tenantId,
      actor: options.actor,
      reasonCode: options.reason,
      onProgress: ({ step, left }) => {
        if (json || !process.stderr.isTTY || step === told || left === 0) return;
        told = step;
        process.stderr.write(`${colours.dim(STEPS[step])}\n`);
      },
    });
    if (json) printJson(OUTPUTS['tenant offboard'], report);
    else printOffboarded(report);
  });
}

function printOffboarded({ tenantId, already, interventionOrdinal, erased, kept }: OffboardReport): void {
  const when = already ? 'had left before; what was left to do is done' : 'has left';
  printLine(`${tenantId} ${when} (record ${interventionOrdinal})`);
  const rows = [
    ...Object.entries(erased).map(([stream, count]) => [stream, String(count), 'erased']),
    ...Object.entries(kept).map(([stream, count]) => [
      stream,
      String(count),
      'kept: the audit and what it cites',
    ]),
  ];
  printTable(['STREAM', 'MESSAGES', ''], rows);
}

function printConfig(config: TenantConfig, seq: number): void {
  const { tenantId, governance, schedule, domains, mailboxes, campaigns, imports, aiProvider, billing } =
    config;
  const { mode, sector, jurisdiction, lawfulBasis } = governance;
  const hours = schedule.from === schedule.to ? 'around the clock' : `${schedule.from} to ${schedule.to}`;
  const closed = [
    ...(schedule.holidays.length > 0 ? [`${schedule.holidays.length} holidays`] : []),
    ...(schedule.quietHours ? [`quiet ${schedule.quietHours.from} to ${schedule.quietHours.to}`] : []),
    ...(schedule.paused ? ['paused'] : []),
    ...(schedule.maintenance ? ['maintenance'] : []),
  ];
  printLine(`${colours.bold(tenantId)}   partition ${partitionOf(tenantId)}   CONFIG/${seq}`);
  printLine(`governance  ${mode}, sector ${sector}, jurisdiction ${jurisdiction}, basis ${lawfulBasis}`);
  printLine(
    `schedule    ${schedule.days.join(' ')} ${hours} ${schedule.timeZone}${closed.length > 0 ? `; ${closed.join(', ')}` : ''}`,
  );
  printLine(`AI provider ${aiProvider ?? 'none'}`);
  printLine(`billing     ${billing ? `Stripe customer ${billing.stripeCustomer}` : 'told from outside'}`);
  const use = (enabled: boolean) => (enabled ? '' : 'disabled');
  const rows = [
    ...domains.map(({ id, name, egressIp, dkimSelectors, enabled }) => [
      'domain',
      id,
      use(enabled),
      `${name}, leaves from ${egressIp}, DKIM ${dkimSelectors.join(' ') || 'none'}`,
    ]),
    ...mailboxes.map(({ id, domain, provider, capPerDay, credential, enabled }) => [
      'mailbox',
      id,
      use(enabled),
      `${provider}, domain ${domain}, ${capPerDay === null ? 'cap of the policy' : `${capPerDay} a day`}${credential === null ? '' : `, access ${credential}`}`,
    ]),
    ...campaigns.map(
      ({ id, state, templates, approvedDigest, templateDigest, lint, mailboxes: bound, enabled }) => [
        'campaign',
        id,
        use(enabled),
        `${state}, ${templates.length} steps, ${approvedDigest === null ? 'not approved' : approvedDigest === templateDigest ? 'approved' : 'changed after approval'}, lint ${lint}, mailboxes ${bound.join(' ')}`,
      ],
    ),
    ...imports.map(({ id, enabled }) => ['import', id, use(enabled), '']),
  ];
  printLine();
  printTable(['KIND', 'ID', '', 'DECLARED AS'], rows);
}
