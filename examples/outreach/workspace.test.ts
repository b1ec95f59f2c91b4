import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadEvidenceFile, loadTenantFile } from '@orchestrate/client';
import { startDnsServer } from '@orchestrate/sandbox';
import { expect, test } from 'vitest';
import { generateLists, LISTS } from './scripts/generate-leads.ts';
import { readExpectations } from './src/workspace.ts';

const at = (...path: string[]) => join(import.meta.dirname, ...path);
const TENANTS = Object.keys(LISTS);

test('every tenant has all its files, and no file is without a tenant', () => {
  expect(new Set(readdirSync(at('tenants')))).toEqual(new Set(TENANTS.map((tenant) => `${tenant}.yaml`)));
  for (const tenant of TENANTS) {
    for (const path of [`evidence/${tenant}.yaml`, `zones/${tenant}.example.zone`, `leads/${tenant}.csv`]) {
      expect(existsSync(at(path)), path).toBe(true);
    }
  }
});

test.each(TENANTS)('the files of %s are valid and are about each other', async (tenant) => {
  const { config, campaigns } = await loadTenantFile(at('tenants', `${tenant}.yaml`));
  expect(config.tenantId).toBe(tenant);
  expect(campaigns.flatMap(({ problems }) => problems)).toEqual([]);
  const evidence = await loadEvidenceFile(at('evidence', `${tenant}.yaml`), Date.now());
  expect(evidence.tenantId).toBe(tenant);
  const sources = (layer: string) =>
    evidence.messages.filter((one) => one.layer === layer).map(({ source }) => source);
  const mailboxes = config.mailboxes.map(({ id }) => id);
  expect(sources('mailbox')).toEqual(mailboxes);
  expect(sources('pacing')).toEqual(mailboxes);
  expect(sources('sending_domain')).toEqual(config.domains.map(({ id }) => id));
});

test('the lists are what their script writes', () => {
  for (const [path, text] of generateLists()) {
    expect(readFileSync(at(path), 'utf8') === text, `${path} differs: run scripts/generate-leads.ts`).toBe(
      true,
    );
  }
});

test('what is expected is said of every tenant, and does not contradict itself', () => {
  const expectations = readExpectations().tenants;
  expect(new Set(Object.keys(expectations))).toEqual(new Set(TENANTS));
  for (const [tenant, { maySend, mustContain, mustNotContain }] of Object.entries(expectations)) {
    expect(
      mustContain.filter((decision) => mustNotContain.includes(decision)),
      tenant,
    ).toEqual([]);
    const sends = mustContain.some(
      (decision) => decision === 'APPROVE' || decision === 'DEGRADE_AND_APPROVE',
    );
    expect(sends, tenant).toBe(maySend);
  }
});

test('a DNS server takes all zones', async () => {
  const zoneFiles = readdirSync(at('zones')).map((name) => at('zones', name));
  await using server = await startDnsServer({ zoneFiles });
  expect(server.port).toBeGreaterThan(0);
});
