import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importFacts } from './lead-import.ts';
import { type ImportedLead, LeadLedger, LISTED_MAX } from './lead-ledger.ts';
import { type LeadRow, type RejectedRow, readLeadRows, readSuppressionRows } from './lead-rows.ts';
import { recipientKeyOf } from './recipient-address.ts';

const SECRET = Buffer.alloc(32, 7);
const keyOf = (identity: string) => recipientKeyOf(SECRET, identity);

async function read<Row>(
  content: string | Buffer,
  reader: (file: string) => AsyncGenerator<Row>,
): Promise<Row[]> {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'leads-'));
  const file = join(directory.path, 'leads.csv');
  writeFileSync(file, content);
  return await Array.fromAsync(reader(file));
}
const leads = (content: string | Buffer) => read<LeadRow | RejectedRow>(content, readLeadRows);

function ledgerOf(rows: readonly (LeadRow | RejectedRow)[]): LeadLedger {
  const ledger = new LeadLedger({ keyOf });
  for (const row of rows) ledger.add(row);
  return ledger;
}

test('a file with a byte order mark, CRLF, empty lines and names in any script is read', async () => {
  const rows = await leads(
    '\uFEFFEmail,firstname,company,verified,provenance,conversation,x_note\r\n' +
      ' Zoe@Sample.Example ,Zoë,"Müller, Söhne",Yes,referral,replied,hi\r\n' +
      '\r\n' +
      'wang@münchen.example,王小明,,,,,\r\n',
  );
  expect(rows).toEqual([
    {
      row: 2,
      address: 'Zoe@sample.example',
      identity: 'zoe@sample.example',
      verified: true,
      prospect: 'referral',
      conversation: 'replied',
      variables: { firstName: 'Zoë', company: 'Müller, Söhne' },
    },
    {
      row: 4,
      address: 'wang@xn--mnchen-3ya.example',
      identity: 'wang@xn--mnchen-3ya.example',
      verified: false,
      prospect: 'none_found',
      conversation: 'none',
      variables: { firstName: '王小明' },
    },
  ]);
});

test('a broken row is told and skipped, and those after it keep their line numbers', async () => {
  const rows = await leads(
    'email,company\na@s.example,One\nb@s.example,Two,too,many\nc@s.example,"Th\nree"\nd@s.example,Fo"ur\ne@s.example,Five\n',
  );
  const inOrder = rows.toSorted((one, other) => one.row - other.row);
  expect(inOrder.map((row) => ('problem' in row ? [row.row, row.problem] : [row.row]))).toEqual([
    [2],
    [3, 'has more or fewer fields than the header: put quotes around a field that holds a comma'],
    [4, 'must be one line of at most 200 characters'],
    [6, 'has a stray quote: put the field in quotes and double the quotes in it'],
    [7],
  ]);
});

test('a quote that is never closed swallows the rest of the file, and that is said', async () => {
  const rows = await leads('email,company\na@s.example,One\nb@s.example,"Two\nc@s.example,Three\n');
  expect(rows.at(-1)).toEqual({
    row: 3,
    field: null,
    problem: 'opens a quote that is never closed: nothing after it was read',
  });
});

test.each([
  ['', 'is empty'],
  ['nobody', 'needs exactly one @'],
  ['a@b@s.example', 'needs exactly one @'],
  ['a b@s.example', 'has a space or a forbidden character before the @'],
  ['@s.example', 'has nothing before the @'],
  ['a..b@s.example', 'has a dot too many before the @'],
  ['a@localhost', 'has no valid domain after the @'],
  ['a@s..example', 'has no valid domain after the @'],
  ['a@192.0.2.1', 'has no valid domain after the @'],
  ['a@-s.example', 'has no valid domain after the @'],
  [`${'a'.repeat(65)}@s.example`, 'has over 64 octets before the @'],
])('the address `%s` is refused without being repeated', async (address, problem) => {
  const [row] = await leads(`email,company\n${address},One\n`);
  expect(row).toEqual({ row: 2, field: 'email', problem });
});

test.each([
  ['verified', 'maybe'],
  ['provenance', 'a_friend'],
  ['conversation', 'angry'],
])('a %s that is not in its list is refused by row and field', async (field, value) => {
  const [row] = await leads(`email,${field}\na@s.example,${value}\n`);
  expect(row).toMatchObject({ row: 2, field });
  expect(JSON.stringify(row)).not.toMatch(new RegExp(`${value}|a@s`));
});

test('a file that is not UTF-8 is not imported with broken names', async () => {
  const [row] = await leads(Buffer.from('email,firstName\na@s.example,Zo\xEB\n', 'latin1'));
  expect(row).toEqual({ row: 2, field: 'firstName', problem: 'is not UTF-8: save the file as UTF-8' });
});

test('a header that cannot be used stops the import and says what to do', async () => {
  await expect(leads('email,fistName\na@s.example,Ann\n')).rejects.toThrow(
    /leads\.csv:1: column `fistName` is not known here; did you mean `firstName`\? .*x_/,
  );
  await expect(leads('email;firstName\na@s.example;Ann\n')).rejects.toThrow(
    /no column `email`: separate the columns with commas/,
  );
  await expect(leads('email,email\na,b\n')).rejects.toThrow(/stands there twice/);
  await expect(leads('')).rejects.toThrow(/is empty/);
  await expect(Array.fromAsync(readLeadRows('/nowhere/leads.csv'))).rejects.toThrow(
    '/nowhere/leads.csv:1: there is no such file',
  );
});

test('the same person in another spelling is a duplicate of the first row', async () => {
  const ledger = ledgerOf(
    await leads(
      'email\nann@s.example\nANN@S.EXAMPLE\n ann@s.example\njosé@s.example\njose\u0301@s.example\nnobody\n',
    ),
  );
  expect(ledger.rows).toBe(6);
  expect(ledger.accepted).toBe(2);
  expect(ledger.duplicates.listed).toEqual([
    { row: 3, firstRow: 2 },
    { row: 4, firstRow: 2 },
    { row: 6, firstRow: 5 },
  ]);
  expect(ledger.rejected.listed).toEqual([{ row: 7, field: 'email', problem: 'needs exactly one @' }]);
});

test('another tenant has another key for the same person', () => {
  expect(recipientKeyOf(SECRET, 'ann@s.example')).toMatch(/^[0-9a-f]{64}$/);
  expect(recipientKeyOf(SECRET, 'ann@s.example')).not.toBe(
    recipientKeyOf(Buffer.alloc(32, 8), 'ann@s.example'),
  );
});

test('a suppression with a reason that is not known still suppresses', async () => {
  const rows = await read(
    'email,reason\nAnn@s.example,Bounced\nben@s.example,because\nnobody,\n',
    readSuppressionRows,
  );
  expect(rows).toEqual([
    { row: 2, identity: 'ann@s.example', reason: 'bounced' },
    { row: 3, field: 'reason', problem: expect.stringMatching(/counted as listed$/) },
    { row: 3, identity: 'ben@s.example', reason: 'listed' },
    { row: 4, field: 'email', problem: 'needs exactly one @' },
  ]);
});

test('a suppression row that cannot be read stops the import, since nobody knows whom it names', async () => {
  const broken = 'email,reason\nann@s.example,listed\nben@s.example,listed,too many\n';
  await expect(read(broken, readSuppressionRows)).rejects.toThrow(/leads\.csv:3: has more or fewer fields/);
  const latin1 = Buffer.from('email\njos\xE9@s.example\n', 'latin1');
  await expect(read(latin1, readSuppressionRows)).rejects.toThrow(/leads\.csv:2: email: is not UTF-8/);
});

const PERSON = {
  row: 2,
  address: 'ann@s.example',
  identity: 'ann@s.example',
  verified: true,
  prospect: 'referral',
  conversation: 'none',
  variables: {},
} as const;

test('the facts of an import tell shares, and none where there is nobody', () => {
  const ledger = new LeadLedger({ keyOf, isSuppressed: (key) => key === keyOf('ben@s.example') });
  expect(importFacts(ledger.counts, 5)).not.toHaveProperty('verifiedShare');
  ledger.add(PERSON);
  ledger.add({ ...PERSON, row: 3, identity: 'ben@s.example', verified: false, prospect: 'none_found' });
  expect(importFacts(ledger.counts, 5)).toEqual({
    importState: 'done',
    queueReady: 1,
    verifiedShare: 0.5,
    provenanceShare: 0.5,
    importAgeH: 0,
    importDueAt: 5,
  });
});

test('a file that is wrong on every line fills no memory: the first are listed, the others counted', () => {
  const ledger = ledgerOf([PERSON]);
  for (let row = 3; row < 5003; row++) {
    ledger.add({ row, field: null, problem: 'is none' });
    ledger.add({ ...PERSON, row });
  }
  expect([ledger.rows, ledger.accepted]).toEqual([10_001, 1]);
  expect([ledger.rejected.listed.length, ledger.rejected.more]).toEqual([LISTED_MAX, 4000]);
  expect([ledger.duplicates.listed.length, ledger.duplicates.more]).toEqual([LISTED_MAX, 4000]);
  expect(ledger.duplicates.listed.at(-1)).toEqual({ row: 1002, firstRow: 2 });
});

test('whoever needs the leads is told each in the order of the rows, and no person twice', () => {
  const told: ImportedLead[] = [];
  const ledger = new LeadLedger({ keyOf, onLead: (lead) => told.push(lead) });
  for (const identity of ['zoe@s.example', 'ann@s.example', 'zoe@s.example', 'ben@s.example'])
    ledger.add({ ...PERSON, identity });
  expect(told.map(({ recipientKey }) => recipientKey)).toEqual(
    ['zoe@s.example', 'ann@s.example', 'ben@s.example'].map(keyOf),
  );
  expect(JSON.stringify(told)).not.toContain('@');
});

test('a formula is a text like any other', async () => {
  const [row] = await leads(`email,firstName,company\na@s.example,"=cmd|' /C calc'!A0",+49\n`);
  expect(row).toMatchObject({ variables: { firstName: "=cmd|' /C calc'!A0", company: '+49' } });
});

test.each([
  ['an address of 10,000 characters', `${'a'.repeat(10_000)}@s.example`, 'email'],
  ['a domain of 10,000 characters', `a@${'s.'.repeat(5000)}example`, 'email'],
  ['a NUL in the address', 'a\0@s.example', 'email'],
])('%s is refused without being repeated', async (_what, address, field) => {
  const [row, next] = await leads(`email,company\n${address},One\nb@s.example,Two\n`);
  expect(row).toMatchObject({ row: 2, field });
  expect(JSON.stringify(row).length).toBeLessThan(100);
  expect(next).toMatchObject({ row: 3, address: 'b@s.example' });
});

test('a NUL in a name does not reach a message', async () => {
  const [row] = await leads('email,firstName\na@s.example,An\0n\n');
  expect(row).toMatchObject({ row: 2, field: 'firstName' });
});
