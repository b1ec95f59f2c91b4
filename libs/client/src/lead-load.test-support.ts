/**
 * Imports a list of many rows into a nats-server of its own, and prints what came of it and what it took:
 * `node libs/client/src/lead-load.test-support.ts 1000000`. The server is a process of its own and is not counted.
 */
import { createWriteStream, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startTestBroker } from '@orchestrate/test-kit';
import { importLeads } from './lead-import.ts';
import { applyTenantFile } from './tenant-file.ts';

export interface LoadFigures {
  readonly rows: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly tookMs: number;
  /** Of the importing process: on a busy machine it says more than the time. */
  readonly cpuMs: number;
  /** The most that the importing process ever had in memory, as the operating system counts. */
  readonly residentOctetsMax: number;
}

export const TENANT_FILE = `tenant: acme
governance: { mode: autonomous, sector: technology, jurisdiction: us, lawfulBasis: consent }
schedule: { timeZone: UTC, days: [mon], from: 00:00, to: 00:00 }
domains: []
mailboxes: []
campaigns: []
imports: [{ id: list }]
`;

const ROWS = 1_000_000;
/** Of so many rows one is no address, one has a field too many, and one names a person of far above. */
const ONE_OF = 100;
const COMPANIES = 50_021;
const KIB = 1024;
const US_PER_MS = 1000;

function rowOf(n: number): string {
  const fields = `Anaïs ${n},García,"Vellum, Archive ${n % 977}",Customer Success,TRUE,icp_rule_match,none,note ${n}`;
  const place = n % ONE_OF;
  if (place === 1) return `person.${n},${fields}`;
  const person = place === 3 ? Math.floor(n / ONE_OF / 2) * ONE_OF : n;
  const row = `Person.${person}@company-${person % COMPANIES}.example,${fields}`;
  return place === 2 ? `${row},too many` : row;
}

function* csvOf(rows: number): Generator<string> {
  yield 'email,firstName,lastName,company,role,verified,provenance,conversation,x_note\r\n';
  for (let n = 0; n < rows; n += ONE_OF) {
    const some = Array.from({ length: Math.min(ONE_OF, rows - n) }, (_, place) => `${rowOf(n + place)}\r\n`);
    yield some.join('');
  }
}

async function importMany(count: number): Promise<LoadFigures> {
  await using server = await startTestBroker();
  using directory = mkdtempDisposableSync(join(tmpdir(), 'orchestrate-leads-'));
  const tenantFile = join(directory.path, 'tenant.yaml');
  const file = join(directory.path, 'leads.csv');
  writeFileSync(tenantFile, TENANT_FILE);
  await pipeline(Readable.from(csvOf(count)), createWriteStream(file));
  await applyTenantFile(server.broker, tenantFile);
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const report = await importLeads(server.broker, { tenantId: 'acme', importId: 'list', file });
  const cpu = process.cpuUsage(cpuBefore);
  const { rows, accepted, duplicates, duplicatesMore, rejected, rejectedMore } = report;
  return {
    rows,
    accepted,
    duplicates: duplicates.length + duplicatesMore,
    rejected: rejected.length + rejectedMore,
    tookMs: Math.round(performance.now() - startedMs),
    cpuMs: Math.round((cpu.user + cpu.system) / US_PER_MS),
    residentOctetsMax: process.resourceUsage().maxRSS * KIB,
  };
}

if (import.meta.main) console.log(JSON.stringify(await importMany(Number(process.argv[2] ?? ROWS))));
