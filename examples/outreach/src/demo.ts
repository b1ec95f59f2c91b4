import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type CanonicalRuntimeTruth, DISPATCH_DECISIONS } from '@orchestrate/canon';
import {
  applyEvidenceFile,
  applyTenantFile,
  type ImportedLead,
  importLeads,
  type LeadImportReport,
  readPolicyFile,
  readTenantConfig,
  readTruth,
  requestDispatches,
} from '@orchestrate/client';
import { type Platform, startPlatform } from '@orchestrate/embedded';
import { activatePolicy, type Broker, connectBroker, provisionStreams } from '@orchestrate/messaging';
import { type SmtpServer, startDnsServer, startSmtpServer } from '@orchestrate/sandbox';
import { bookProblems, doubled, mailsByTenant, stateProblems, unknownProblems } from './check.ts';
import { type DemoOptions, demoOptions, HELP } from './options.ts';
import { decisionTable, honestUnknowns, readinessMatrix, table } from './report.ts';
import { progress, say } from './tell.ts';
import { awaitBooks, killMidway } from './watch-run.ts';
import { type Expectations, files, readExpectations } from './workspace.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SERVICES = [
  'layer-runtime',
  'truth-aggregator',
  'dispatch-governance',
  'evidence-probes',
  'reference-sender',
];
const READY_MS_MAX = 20_000;

let options: DemoOptions | null;
try {
  options = demoOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(2);
}
if (options) process.exitCode = (await demo(options)) ? 0 : 1;
else say(HELP);

/** The whole example, end to end; true when everything came out as it must. */
async function demo(options: DemoOptions): Promise<boolean> {
  const expectations = readExpectations();
  const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-demo-'));
  await using stack = new AsyncDisposableStack();
  endOnSignals(stack);
  stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
  const dns = stack.use(
    await startDnsServer({
      zoneFiles: files.zones(),
      behaviours: Object.fromEntries(expectations.dns.silent.map((zone) => [zone, 'silent' as const])),
    }),
  );
  const smtp = stack.use(await startSmtpServer({}));
  progress(`DNS on ${dns.address}, mail on ${smtp.url}`);
  const platform = await startPlatform({
    root: ROOT,
    dataDir,
    syncInterval: '100ms',
    services: SERVICES.map((name) => ({ name })),
    prepare,
    env: {
      DNS_SERVERS: dns.address,
      DNS_TIMEOUT_MS: '400',
      DNS_TRIES: '2',
      SMTP_URL: smtp.url,
      LOG_LEVEL: options.verbose ? 'info' : 'warn',
    },
    onLog: (line) => {
      if (options.verbose) process.stderr.write(`${line}\n`);
    },
  });
  stack.defer(() => platform.stop());
  progress(`platform up: ${SERVICES.length} services, nats-server ${platform.natsUrl}, sync_interval 100ms`);
  const broker = stack.use(await connectBroker({ url: platform.natsUrl, name: 'demo' }));
  const ok = await run(options, expectations, platform, broker, smtp);
  if (options.stay) await lookAround(platform.natsUrl);
  return ok;
}

/** ^C leaves nothing behind: no server, no process, no folder. */
function endOnSignals(stack: AsyncDisposableStack): void {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    // Also the second time: a signal may come twice, and must not end the clearing up.
    process.on(signal, () => {
      void stack.disposeAsync().finally(() => process.exit(exitCode));
    });
  }
}

/** Everything goes on running, for a person with the command line. */
async function lookAround(natsUrl: string): Promise<void> {
  const orchestrate = `npm run orchestrate -- --nats-url ${natsUrl}`;
  say(`\nStill running, until ^C. In another terminal:

  ${orchestrate} readiness cedar
  ${orchestrate} decisions aurora --last 10
  ${orchestrate} tenant list\n`);
  await new Promise<never>(() => {});
}

/** The shipped policy, without the minutes that mailboxes wait between two messages. */
async function prepare(url: string): Promise<void> {
  await using broker = await connectBroker({ url, name: 'provisioner' });
  await provisionStreams(broker);
  const shipped = readPolicyFile();
  await activatePolicy(broker, { ...shipped, name: 'demo', pacing: { ...shipped.pacing, minGapSec: 0 } });
}

async function run(
  options: DemoOptions,
  expectations: Expectations,
  platform: Platform,
  broker: Broker,
  smtp: SmtpServer,
): Promise<boolean> {
  const tenants = Object.keys(expectations.tenants);
  const imports = await apply(broker, expectations, tenants);
  const truths = await awaitStates(broker, expectations);
  progress('every truth stands');
  say(`\nReadiness\n\n${readinessMatrix(truths)}\n\nHonest unknowns\n\n${honestUnknowns(truths)}\n`);

  const asking = askAll(broker, expectations, imports);
  const killing = options.kill ? killMidway(platform, broker, options.kill, total(imports)) : null;
  const requested = await asking;
  await killing;
  progress(`${requested} dispatches asked for`);
  const books = await awaitBooks(broker, tenants);
  progress('every decision made, every outcome settled');

  const mails = mailsByTenant(smtp, tenants);
  say(`Decisions, outcomes and mails\n\n${decisionTable(books, mails)}\n`);
  const problems = [
    ...Object.entries(expectations.tenants).flatMap(([id, expected]) =>
      stateProblems(id, expected, truths.get(id)),
    ),
    ...books.flatMap((book) =>
      bookProblems(
        expectations.tenants[book.tenantId]!,
        book,
        mails.get(book.tenantId) ?? 0,
        options.kill !== null,
      ),
    ),
    ...doubled(smtp),
    ...(await unknownProblems(broker, expectations, imports)),
    ...(smtp.messages.length === [...mails.values()].reduce((sum, n) => sum + n, 0)
      ? []
      : ['mail of nobody we know']),
  ];
  for (const problem of problems) say(`MISMATCH  ${problem}`);
  const ok = problems.length === 0;
  const unknown = books.reduce((sum, book) => sum + book.unknown, 0);
  say(
    ok
      ? `ok: ${tenants.length} tenants, ${requested} requests, each with one effective decision; ${smtp.messages.length} mails, none twice, none from a tenant that must not send${unknown > 0 ? `; ${unknown} unknown outcomes, shown and not retried` : ''}`
      : `not ok: ${problems.length} mismatches`,
  );
  if (options.json) {
    const decisions = Object.fromEntries(
      DISPATCH_DECISIONS.map((kind) => [kind, books.reduce((sum, book) => sum + book.decisions[kind], 0)]),
    );
    const requests = books.reduce((sum, book) => sum + book.requests, 0);
    const summary = {
      ok,
      tenants: tenants.length,
      requests,
      decisions,
      delivered: smtp.messages.length,
      mismatches: problems.length,
    };
    say(JSON.stringify(summary));
  }
  return ok;
}

interface Imported extends LeadImportReport {
  readonly leads: readonly ImportedLead[];
}

async function apply(
  broker: Broker,
  expectations: Expectations,
  tenants: readonly string[],
): Promise<ReadonlyMap<string, Imported>> {
  const imports = new Map<string, Imported>();
  for (const tenantId of tenants) {
    await applyTenantFile(broker, files.tenant(tenantId));
    await applyEvidenceFile(broker, files.evidence(tenantId));
    const leads: ImportedLead[] = [];
    const report = await importLeads(broker, {
      tenantId,
      importId: expectations.importSource,
      file: files.leads(tenantId),
      suppressionFile: files.suppressions(tenantId),
      onLead: (lead) => leads.push(lead),
    });
    imports.set(tenantId, { ...report, leads });
  }
  progress('tenants, evidence and leads are in');
  const rows = [...imports].map(([id, { rows, accepted, duplicates, rejected, suppressedLeads }]) => [
    id,
    rows,
    accepted,
    duplicates.length,
    rejected.length,
    suppressedLeads,
  ]);
  say(
    `\nLeads\n\n${table([['tenant', 'rows', 'accepted', 'duplicates', 'rejected', 'suppressed'], ...rows])}`,
  );
  return imports;
}

async function awaitStates(
  broker: Broker,
  expectations: Expectations,
): Promise<ReadonlyMap<string, CanonicalRuntimeTruth>> {
  const deadline = Date.now() + READY_MS_MAX;
  for (;;) {
    const truths = new Map<string, CanonicalRuntimeTruth>();
    for (const tenantId of Object.keys(expectations.tenants)) {
      const stored = await readTruth(broker, tenantId);
      if (stored) truths.set(tenantId, stored.truth);
    }
    const problems = Object.entries(expectations.tenants).flatMap(([id, expected]) =>
      stateProblems(id, expected, truths.get(id)),
    );
    const asked = [...truths.values()].every((truth) =>
      truth.unknowns.every(({ reason }) => reason !== 'never_observed'),
    );
    if ((problems.length === 0 && asked) || Date.now() > deadline) return truths;
    await sleep(200);
  }
}

async function askAll(
  broker: Broker,
  { campaign, step, importSource }: Expectations,
  imports: ReadonlyMap<string, Imported>,
): Promise<number> {
  const reports = await Promise.all(
    [...imports].map(async ([tenantId, { leads }]) => {
      const config = (await readTenantConfig(broker, tenantId))!;
      return requestDispatches(broker, {
        tenantId,
        campaign,
        step,
        importSource,
        leads,
        config,
        requestedBy: 'demo',
      });
    }),
  );
  return reports.reduce((sum, report) => sum + report.requested, 0);
}

function total(imports: ReadonlyMap<string, Imported>): number {
  return [...imports.values()].reduce((sum, { accepted }) => sum + accepted, 0);
}
