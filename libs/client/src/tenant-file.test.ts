import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tenantConfigured } from '@orchestrate/contracts';
import { expect, test } from 'vitest';
import { InputFileError } from './input-problem.ts';
import { loadTenantFile } from './tenant-file.ts';

const TENANT = `tenant: acme
governance: { mode: autonomous, sector: technology, jurisdiction: eu, lawfulBasis: legitimate_interest }
schedule:
  timeZone: Europe/Madrid
  days: [mon, tue]
  from: 09:00
  to: 17:30
domains:
  - { id: main, name: acme.example, egressIp: 192.0.2.1, dkimSelectors: [s1] }
mailboxes:
  - id: ann
    domain: main
    provider: gmail
    address: ann@acme.example
    name: Ann
    postalAddress: 1 Street
    unsubscribeUrl: https://acme.example/u
  - id: ben
    domain: main
    provider: gmail
    address: ben@acme.example
    name: Ben
    postalAddress: 1 Street
    unsubscribeUrl: https://acme.example/u
campaigns:
  - id: spring
    state: active
    mailboxes: [ann, ben]
    steps: [{ template: first.txt }]
    approved: true
    cta: question
imports:
  - id: list
`;
const TEMPLATE = `Subject: A question, {{ firstName }}

Hello {{ firstName }} at {{ company }}, would that help?
{{ sender.name }}, {{ sender.postalAddress }}
{{ unsubscribeUrl }}
`;

async function load(tenant: string, templates: Record<string, string> = { 'first.txt': TEMPLATE }) {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'tenant-'));
  const file = join(directory.path, 'acme.yaml');
  writeFileSync(file, tenant);
  for (const [name, text] of Object.entries(templates)) writeFileSync(join(directory.path, name), text);
  return await loadTenantFile(file);
}

/** What is wrong with a file, as `name:line: path: message`. */
async function problemsOf(tenant: string, templates?: Record<string, string>): Promise<string[]> {
  try {
    await load(tenant, templates);
  } catch (error) {
    if (!(error instanceof InputFileError)) throw error;
    return error.message.split('\n').map((line) => line.slice(line.lastIndexOf('/', line.indexOf(':')) + 1));
  }
  return [];
}

test('a tenant file becomes a configuration that its contract allows', async () => {
  const { config, mailboxes, contents, campaigns } = await load(TENANT);
  expect(tenantConfigured.strict.safeParse(config).error).toBeUndefined();
  expect(config.schedule).toMatchObject({ from: '09:00', holidays: [], quietHours: null, cadenceSec: 3600 });
  expect(config.campaigns[0]).toMatchObject({
    lint: 'pass',
    unresolvedVars: 0,
    optOut: true,
    address: true,
    oneClick: true,
    tone: 'neutral_lint',
    bindings: 'bound',
    approvedDigest: config.campaigns[0]!.templateDigest,
    templates: [contents[0]!.digest],
  });
  expect(campaigns[0]!.problems).toEqual([]);
  expect(mailboxes.map(({ mailbox }) => mailbox)).toEqual(['ann', 'ben']);
});

test('the configuration holds no address and no content', async () => {
  const { config } = await load(TENANT);
  expect(JSON.stringify(config)).not.toMatch(/@|Street|Hello|https/);
});

test('an unknown key is named with its line and the key that was meant', async () => {
  expect(await problemsOf(TENANT.replace('  timeZone:', '  timezone:'))).toEqual([
    'acme.yaml:3: schedule.timeZone: is missing: it takes a text',
    expect.stringMatching(
      /^acme\.yaml:4: schedule\.timezone: is not known here; did you mean `timeZone`\? \(known: timeZone, days,/,
    ),
  ]);
});

test('all problems are told together, in the order of their lines', async () => {
  const broken = TENANT.replace('mode: autonomous', 'mode: autonomus')
    .replace('09:00', '25:00')
    .replace('192.0.2.1', '192.0.2.256')
    .replace('ann@acme.example', 'ann at acme')
    .replace('approved: true', 'approved: perhaps');
  const problems = await problemsOf(broken);
  expect(problems.map((problem) => problem.split(': ').slice(0, 2).join(': '))).toEqual([
    'acme.yaml:2: governance.mode',
    'acme.yaml:6: schedule.from',
    'acme.yaml:9: domains[0].egressIp',
    'acme.yaml:14: mailboxes[0].address',
    'acme.yaml:30: campaigns[0].approved',
  ]);
  expect(problems[0]).toContain('not `autonomus`; did you mean `autonomous`?');
  expect(problems[1]).toContain('`25:00` does not fit: a time as HH:MM');
});

test('a reference to nothing is named where it stands', async () => {
  const dangling = TENANT.replace('[ann, ben]', '[anne, ben]').replace('domain: main', 'domain: mian');
  expect(await problemsOf(dangling)).toEqual([
    'acme.yaml:12: mailboxes[0].domain: no domain `mian` is declared; did you mean `main`?',
    'acme.yaml:28: campaigns[0].mailboxes[0]: no mailbox `anne` is declared; did you mean `ann`?',
  ]);
});

test('an id that is taken, and an address of a foreign domain, are refused', async () => {
  const doubled = TENANT.replace('id: ben', 'id: ann').replace('ben@acme.example', 'ben@other.example');
  expect(await problemsOf(doubled.replace('[ann, ben]', '[ann]'))).toEqual([
    'acme.yaml:18: mailboxes[1].id: `ann` is already mailboxes[0]',
    'acme.yaml:21: mailboxes[1].address: `ben@other.example` does not belong to its domain `acme.example`',
  ]);
});

test('a template that is missing or has no subject is named before anything is written', async () => {
  expect(await problemsOf(TENANT, {})).toEqual([
    'acme.yaml:29: campaigns[0].steps[0].template: `first.txt`: there is no such file',
  ]);
  expect(await problemsOf(TENANT, { 'first.txt': 'Hello\n' })).toEqual([
    'first.txt:1: the first line must be `Subject: ` and the subject',
  ]);
});

test('broken YAML is named with its line', async () => {
  expect(await problemsOf('tenant: acme\ndomains: [\n')).toEqual([expect.stringMatching(/^acme\.yaml:3: /)]);
  expect(await problemsOf('tenant: acme\ntenant: acme\n')).toEqual([
    expect.stringMatching(/^acme\.yaml:2: .*unique/),
  ]);
  expect(await problemsOf('# nothing\n')).toEqual(['acme.yaml:1: is empty']);
});

test('a disabled mailbox leaves its campaign partly bound, and all of them leave it broken', async () => {
  const one = TENANT.replace('name: Ben', 'name: Ben\n    enabled: false');
  expect((await load(one)).config.campaigns[0]!.bindings).toBe('partial');
  const all = TENANT.replace('dkimSelectors: [s1]', 'dkimSelectors: [s1], enabled: false');
  expect((await load(all)).config.campaigns[0]!.bindings).toBe('broken');
});

test('a change of the text changes the digest, and an approval by digest stays with the old one', async () => {
  const before = (await load(TENANT)).config.campaigns[0]!;
  const pinned = TENANT.replace('approved: true', `approved: ${before.templateDigest}`);
  const after = (await load(pinned, { 'first.txt': TEMPLATE.replace('that', 'this') })).config.campaigns[0]!;
  expect(after.templateDigest).not.toBe(before.templateDigest);
  expect(after.approvedDigest).toBe(before.templateDigest);
});
