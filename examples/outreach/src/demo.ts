import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type CanonicalRuntimeTruth, DISPATCH_DECISIONS } from '@orchestrate/canon';
import {
  applyEvidenceFile,
  applyTenantFile,
  type Books,
  effectiveDecisions,
  importLeads,
  type LeadImportReport,
  readBooks,
  readChain,
  readPolicyFile,
  readTenantConfig,
  readTruth,
  requestDispatches,
} from '@orchestrate/client';
import { type Platform, startPlatform } from '@orchestrate/embedded';
import { activatePolicy, type Broker, connectBroker, provisionStreams } from '@orchestrate/messaging';
import { type SmtpServer, startDnsServer, startSmtpServer } from '@orchestrate/test-kit';
import { bookProblems, stateProblems } from './check.ts';
import { type DemoOptions, demoOptions, HELP } from './options.ts';
import { decisionTable, honestUnknowns, readinessMatrix, table } from './report.ts';
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
const SETTLED_MS_MAX = 45_000;
const QUIET_MS = 300;
const READ_TRIES_MAX = 10;

const startedMs = Date.now();
const say = (text: string) => process.stdout.write(`${text}\n`);
const progress = (text: string) =>
  process.stderr.write(`[${((Date.now() - startedMs) / 1000).toFixed(1).padStart(5)} s] ${text}\n`);

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

/** Everything goes on running, for a person with the command line. */
async function lookAround(natsUrl: string): Promise<void> {
  say(`\nStill running, until ^C. In another terminal:

  npm run orchestrate -- --nats-url ${natsUrl} readiness cedar
  npm run orchestrate -- --nats-url ${natsUrl} decisions aurora --last 10
  npm run orchestrate -- --nats-url ${natsUrl} tenant list\n`);
  await new Promise<void>((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
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
  const killing = options.kill ? killMidway(platform, broker, options.kill, imports) : null;
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

async function apply(
  broker: Broker,
  expectations: Expectations,
  tenants: readonly string[],
): Promise<ReadonlyMap<string, LeadImportReport>> {
  const imports = new Map<string, LeadImportReport>();
  for (const tenantId of tenants) {
    await applyTenantFile(broker, files.tenant(tenantId));
    await applyEvidenceFile(broker, files.evidence(tenantId));
    const report = await importLeads(broker, {
      tenantId,
      importId: expectations.importSource,
      file: files.leads(tenantId),
      suppressionFile: files.suppressions(tenantId),
    });
    imports.set(tenantId, report);
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
  imports: ReadonlyMap<string, LeadImportReport>,
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

/** SIGKILL once a part of the work is done, and the ordinary restart. */
async function killMidway(
  platform: Platform,
  broker: Broker,
  service: NonNullable<DemoOptions['kill']>,
  imports: ReadonlyMap<string, LeadImportReport>,
): Promise<void> {
  const total = [...imports.values()].reduce((sum, report) => sum + report.leads.length, 0);
  const stream = service === 'reference-sender' ? 'OUTCOMES' : 'DECISIONS';
  const share = service === 'reference-sender' ? 0.1 : 0.2;
  const deadline = Date.now() + SETTLED_MS_MAX;
  while ((await countMessages(broker, stream)) < total * share && Date.now() < deadline) await sleep(5);
  progress(`SIGKILL to ${service} after ${await countMessages(broker, 'DECISIONS')} records of the chains`);
  if (service === 'nats-server') await platform.nats.kill();
  else await platform.supervisor.kill(`${service}-1`, 'SIGKILL');
  progress(`${service} is back, ${await countMessages(broker, 'DECISIONS')} records`);
}

/** Reads the books whenever the chains have been quiet for a moment, until nothing is open any more. */
async function awaitBooks(broker: Broker, tenants: readonly string[]): Promise<readonly Books[]> {
  const deadline = Date.now() + SETTLED_MS_MAX;
  let records = -1;
  for (;;) {
    await sleep(QUIET_MS);
    const messages = await countMessages(broker, 'DECISIONS');
    const quiet = messages === records;
    records = messages;
    if (!quiet && Date.now() < deadline) continue;
    const books = await patiently(() => Promise.all(tenants.map((tenantId) => readBooks(broker, tenantId))));
    const settled = books.every((book) => book.requests === book.effectiveDecisions && book.open === 0);
    if (settled || Date.now() > deadline) return books;
  }
}

function countMessages(broker: Broker, stream: string): Promise<number> {
  return patiently(async () => (await broker.jsm.streams.info(stream)).state.messages);
}

/** A server that was killed is away for a moment; what only reads asks again. */
async function patiently<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (tries === READ_TRIES_MAX) throw error;
      await sleep(200);
    }
  }
}

/** A domain that cannot be asked is held for, never failed: only the suppressed people of its list are blocked. */
async function unknownProblems(
  broker: Broker,
  expectations: Expectations,
  imports: ReadonlyMap<string, LeadImportReport>,
): Promise<string[]> {
  const unknown = Object.entries(expectations.tenants).filter(
    ([, { layers }]) => layers.sending_domain === 'unknown',
  );
  const problems = await Promise.all(
    unknown.map(async ([tenantId, expected]) => {
      const truth = (await readTruth(broker, tenantId))?.truth;
      const records = [...effectiveDecisions(await readChain(broker, tenantId)).values()];
      const blocked = records.filter(({ kind }) => kind === 'BLOCK').length;
      const failed = records.filter(({ gates }) => gates[4]!.outcome !== 'unknown').length;
      const suppressed = imports.get(tenantId)!.suppressedLeads;
      return [
        ...stateProblems(tenantId, expected, truth),
        ...(blocked === suppressed ? [] : [`${tenantId}: ${blocked} blocked, ${suppressed} suppressed`]),
        ...(failed === 0 ? [] : [`${tenantId}: ${failed} decisions do not read its identity as unknown`]),
      ];
    }),
  );
  return problems.flat();
}

/** By the domain that a mail came from, which is the tenant's own. */
function mailsByTenant(smtp: SmtpServer, tenants: readonly string[]): ReadonlyMap<string, number> {
  return new Map(
    tenants.map((tenantId) => [
      tenantId,
      smtp.messages.filter((message) => message.from.endsWith(`@${tenantId}.example`)).length,
    ]),
  );
}

/** A message id names one dispatch; a recipient is written to once by a tenant. */
function doubled(smtp: SmtpServer): string[] {
  const seen = new Set<string>();
  return smtp.messages.flatMap(({ messageId, from, to }) => {
    const keys = [
      `message id ${messageId}`,
      `a recipient of ${from.split('@')[1]} (${to.length})|${from.split('@')[1]}|${to.join()}`,
    ];
    const twice = keys.filter((key) => seen.has(key));
    for (const key of keys) seen.add(key);
    return twice.map((key) => `sent twice: ${key.split('|')[0]}`);
  });
}
