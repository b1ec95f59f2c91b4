import { execFile } from 'node:child_process';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { partitionOf } from '@orchestrate/canon';
import { type EvidenceObserved, RECIPIENTS_BUCKET, recipientsKey } from '@orchestrate/contracts';
import { type Broker, readStreamsFile } from '@orchestrate/messaging';
import { jsonOf, startTestBroker, stored } from '@orchestrate/test-kit';
import { expect, test } from 'vitest';
import { importLeads, type LeadImport } from './lead-import.ts';
import { type LoadFigures, TENANT_FILE } from './lead-load.test-support.ts';
import { ImportStopped } from './lead-writes.ts';
import { recipientKeyOf } from './recipient-address.ts';
import { RecipientsStore } from './recipients-store.ts';
import { applyTenantFile } from './tenant-file.ts';

const TENANT = 'acme';
const addresses = (count: number) => Array.from({ length: count }, (_, n) => `person-${n}@s.example`);

/** A list, and what came of importing it. */
async function importList(
  broker: Broker,
  files: { readonly leads: readonly string[]; readonly suppressions?: readonly string[] },
  options: Pick<LeadImport, 'onProgress' | 'patienceMs'> = {},
) {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'orchestrate-leads-'));
  const put = (name: string, text: string): string => {
    const path = join(directory.path, name);
    writeFileSync(path, text);
    return path;
  };
  await applyTenantFile(broker, put('tenant.yaml', TENANT_FILE));
  return await importLeads(broker, {
    tenantId: TENANT,
    importId: 'list',
    file: put('leads.csv', ['email', ...files.leads].join('\n')),
    ...(files.suppressions && {
      suppressionFile: put('suppressions.csv', ['email,reason', ...files.suppressions].join('\n')),
    }),
    ...options,
  });
}

async function storedLeads(broker: Broker): Promise<number> {
  const kv = await broker.kvm.open(RECIPIENTS_BUCKET);
  return (await Array.fromAsync(await kv.keys(recipientsKey.lead(TENANT, '*')))).length;
}

const importEvidence = async (broker: Broker) =>
  (await stored(broker, 'EVIDENCE', `evidence.${partitionOf(TENANT)}.${TENANT}.data.list`)).map(
    jsonOf<EvidenceObserved>,
  );

test('a lead stands in the bucket as senders read it, and a suppression under its key alone', async () => {
  await using server = await startTestBroker();
  const { broker } = server;
  const report = await importList(broker, {
    leads: ['Ann@s.example', 'ben@s.example', 'ANN@s.example', 'nobody'],
    suppressions: ['ben@s.example,bounced', 'BEN@s.example,complained', 'zoe@s.example,'],
  });
  expect(report).toEqual({
    rows: 4,
    accepted: 2,
    duplicates: [{ row: 4, firstRow: 2 }],
    duplicatesMore: 0,
    rejected: [{ row: 5, field: 'email', problem: 'needs exactly one @' }],
    rejectedMore: 0,
    suppressed: 2,
    suppressionRejected: [],
    suppressionRejectedMore: 0,
    suppressedLeads: 1,
    verifiedShare: 0,
    provenanceShare: 0,
  });
  const secret = (await (await RecipientsStore.open(broker, TENANT)).secret())!;
  const key = recipientKeyOf(secret, 'ann@s.example');
  const entry = await (await broker.kvm.open(RECIPIENTS_BUCKET)).get(recipientsKey.lead(TENANT, key));
  expect(entry?.operation).toBe('PUT');
  expect(entry?.json()).toEqual({
    recipientKey: key,
    address: 'Ann@s.example',
    verified: false,
    variables: {},
  });
  const listed = await stored(broker, 'SUPPRESSIONS', `suppression.${partitionOf(TENANT)}.${TENANT}.*`);
  const reasons = listed.map((message) => jsonOf<{ recipientKey: string; reason: string }>(message));
  expect(Object.fromEntries(reasons.map((one) => [one.recipientKey, one.reason]))).toEqual({
    [recipientKeyOf(secret, 'ben@s.example')]: 'complained',
    [recipientKeyOf(secret, 'zoe@s.example')]: 'listed',
  });
  expect(Buffer.concat(listed.map(({ data }) => Buffer.from(data))).toString()).not.toContain('@');
  const [evidence] = await importEvidence(broker);
  expect(evidence?.facts).toContainEqual(expect.objectContaining({ fact: 'queueReady', value: 1 }));
});

test('a server that restarts under an import costs not one lead', async () => {
  await using server = await startTestBroker();
  const { broker } = server;
  const people = addresses(20_000);
  let restarted: Promise<void> | undefined;
  const onProgress: LeadImport['onProgress'] = ({ rows }) => {
    if (rows === 5000) restarted = server.killAndRestart();
  };
  const report = await importList(broker, { leads: people }, { onProgress });
  await restarted;
  expect(restarted).toBeDefined();
  expect(report.accepted).toBe(people.length);
  expect(await storedLeads(broker)).toBe(people.length);
});

test('a server that stays away ends the import with an error and without evidence, and the same import goes on', async () => {
  await using server = await startTestBroker();
  const { broker } = server;
  const people = addresses(20_000);
  let killed: Promise<unknown> | undefined;
  const onProgress: LeadImport['onProgress'] = ({ rows }) => {
    if (rows === 5000) killed = server.nats.kill();
  };
  const lost = await importList(broker, { leads: people }, { onProgress, patienceMs: 300 }).catch(
    (error: unknown) => error,
  );
  expect(lost).toBeInstanceOf(ImportStopped);
  expect(lost).toMatchObject({ code: 'disconnected' });
  await killed;
  await server.nats.restart();
  const again = await server.connect('again');
  expect(await storedLeads(again)).toBeLessThan(people.length);
  expect(await importEvidence(again)).toEqual([]);
  expect(await importList(again, { leads: people })).toMatchObject({ accepted: people.length });
  expect(await storedLeads(again)).toBe(people.length);
  expect(await importEvidence(again)).toHaveLength(1);
});

test('a bucket that is full ends the import with an error and without evidence', async () => {
  const { buckets, ...streams } = readStreamsFile();
  const small = buckets.map((one) => (one.name === RECIPIENTS_BUCKET ? { ...one, max_bytes: 262_144 } : one));
  await using server = await startTestBroker({ ...streams, buckets: small });
  const { broker } = server;
  const full = await importList(broker, { leads: addresses(5000) }).catch((error: unknown) => error);
  expect(full).toBeInstanceOf(ImportStopped);
  expect(full).toMatchObject({ code: 'refused', message: expect.stringContaining('maximum bytes exceeded') });
  expect(await storedLeads(broker)).toBeGreaterThan(0);
  expect(await importEvidence(broker)).toEqual([]);
});

const RESIDENT_OCTETS_MAX = 300_000_000;

test('a long list is counted to the row, in bounded memory', async () => {
  const script = join(import.meta.dirname, 'lead-load.test-support.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [script, '100000']);
  const { residentOctetsMax, tookMs: _took, cpuMs: _cpu, ...counted } = JSON.parse(stdout) as LoadFigures;
  expect(counted).toEqual({ rows: 100_000, accepted: 97_000, duplicates: 1000, rejected: 2000 });
  expect(residentOctetsMax).toBeLessThan(RESIDENT_OCTETS_MAX);
});
