import { existsSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BrokenRow, type CsvRow, readCsv } from './csv-rows.ts';
import { InputFileError } from './input-problem.ts';

const COLUMNS = { required: ['email'], optional: ['company'] };

async function read(content: string | Uint8Array): Promise<(CsvRow | BrokenRow)[]> {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'csv-'));
  const file = join(directory.path, 'leads.csv');
  writeFileSync(file, content);
  return await Array.fromAsync(readCsv(file, COLUMNS));
}

const emails = (rows: readonly (CsvRow | BrokenRow)[]) =>
  rows.map((row) => ('problem' in row ? [row.row, row.problem] : [row.row, row.fields.email]));

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function octetsInUse(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const STRAY = 'has a stray quote: put the field in quotes and double the quotes in it';
const NOT_CLOSED = 'opens a quote that is never closed: nothing after it was read';

test('line ends of all three kinds may stand in one file, and rows keep their line numbers', async () => {
  expect(emails(await read('email\r\na\nb\rc\r\n\r\n\n\rd\r\r\ne'))).toEqual([
    [2, 'a'],
    [3, 'b'],
    [4, 'c'],
    [8, 'd'],
    [10, 'e'],
  ]);
});

test('rows come in the order of their lines, the broken ones between the good ones', async () => {
  const rows = await read('email,company\na,1\nb\nc,"x"y\nd,4\ne,5,6\nf,"7\n8"\ng,9\n');
  expect(rows.map(({ row }) => row)).toEqual([2, 3, 4, 5, 6, 7, 9]);
  expect(rows.map((row) => 'problem' in row)).toEqual([false, true, true, false, true, false, false]);
});

test('a stray quote costs its row and no other, and is told once however many there are', async () => {
  const quotes = 'q"'.repeat(20_000);
  expect(emails(await read(`email,company\na,${quotes}\nb,"5" disk, old\nc,d\n`))).toEqual([
    [2, STRAY],
    [3, STRAY],
    [4, 'c'],
  ]);
});

test('lines that a quote drew into another row are told, since nobody would miss them', async () => {
  expect(emails(await read('email,company\na,"Two\nb,Three\nc,"Four"\nd,Five\n'))).toEqual([
    [2, `${STRAY}; nothing up to line 4 was read`],
    [5, 'd'],
  ]);
});

test('a quote that is never closed takes no memory for the rest of the file', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'csv-'));
  const file = join(directory.path, 'leads.csv');
  const rest = 'b,a company of somebody\n'.repeat(400_000);
  writeFileSync(file, `email,company\na,One\nb,"${rest}`);
  const before = octetsInUse();
  let after = 0;
  const rows = await Array.fromAsync(
    readCsv(file, COLUMNS, (octets) => {
      if (octets > rest.length) after ||= octetsInUse();
    }),
  );
  expect(emails(rows)).toEqual([
    [2, 'a'],
    [3, NOT_CLOSED],
  ]);
  expect(after).toBeGreaterThan(0);
  expect(after - before).toBeLessThan(rest.length / 4);
});

test('a row of a megabyte is refused, and the next one is read', async () => {
  const long = 'x'.repeat(1_000_000);
  expect(emails(await read(`email,company\na,${long}\nb,"${long}\n"\nc,One\n`))).toEqual([
    [2, 'is over 64 KiB long'],
    [3, 'is over 64 KiB long; nothing up to line 4 was read'],
    [5, 'c'],
  ]);
});

test('ten thousand fields are a row that does not fit, and ten thousand columns a file that does not', async () => {
  expect(emails(await read(`email,company\n${'a,'.repeat(10_000)}\nb,One\n`))).toEqual([
    [2, expect.stringMatching(/^has more or fewer fields than the header/)],
    [3, 'b'],
  ]);
  const header = Array.from({ length: 10_000 }, (_, n) => `x_${n.toString(36)}`).join(',');
  await expect(read(`email,${header}\n`)).rejects.toThrow(
    'leads.csv:1: has 10001 columns: at most 256 are read',
  );
});

test('a file whose first line does not end is refused before it is read to its end', async () => {
  const sentence = ':1: has a header of over 64 KiB: it is no CSV file, or its lines do not end';
  await expect(read('a'.repeat(1_000_000))).rejects.toThrow(sentence);
  await expect(read(`email,"${'a\n'.repeat(500_000)}`)).rejects.toThrow(sentence);
  if (!existsSync('/dev/zero')) return;
  await expect(Array.fromAsync(readCsv('/dev/zero', COLUMNS))).rejects.toThrow(sentence);
});

test.each([
  ['with a byte order mark', Buffer.from('\uFEFFemail\na\n', 'utf16le'), 'is UTF-16: save the file as UTF-8'],
  [
    'of the other order',
    Buffer.from('\uFEFFemail\na\n', 'utf16le').swap16(),
    'is UTF-16: save the file as UTF-8',
  ],
  ['without a mark', Buffer.from('email\na\n', 'utf16le'), 'it is UTF-16 or no text; save the file as UTF-8'],
])('UTF-16 %s is called by its name', async (_which, content, sentence) => {
  await expect(read(content)).rejects.toThrow(sentence);
});

test('a byte order mark before a quoted name is no part of it', async () => {
  expect(emails(await read('\uFEFF"email"\r\na\r\n'))).toEqual([[2, 'a']]);
  await expect(read('\uFEFF')).rejects.toThrow('leads.csv:1: is empty: it needs a header with email');
});

test('a header that is broken is told as such', async () => {
  await expect(read('em"ail\na\n')).rejects.toThrow('leads.csv:1: has a stray quote in its header');
  await expect(read('email,"company\na,b\n')).rejects.toThrow(
    'leads.csv:1: opens a quote in its header that is never closed',
  );
});

test('a file without a header does not get its first person repeated', async () => {
  const refused = read('ann@s.example,Ann & Co\nben@s.example,Two\n');
  await expect(refused).rejects.toThrow(/there is no column `email`: the first line is to name the columns/);
  await expect(refused).rejects.toThrow(/column 1 is not known here/);
  await expect(refused).rejects.not.toThrow(/ann@|Ann & Co/);
});

const LINE_ENDS = fc.constantFrom('\n', '\r\n', '\r');

test('what was written as RFC 4180 has it is read back, with any line ends', async () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'é', '王', ',', '"', '\n', '\r', ' ', '=', '\uFEFF', '\0'),
  });
  const table = fc.array(fc.tuple(text, text, LINE_ENDS), { minLength: 1 });
  const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(table, LINE_ENDS, async (records, headerEnd) => {
      const lines = records.map(([email, company, end]) => `${quoted(email)},${quoted(company)}${end}`);
      const rows = await read(`email,company${headerEnd}${lines.join('')}`);
      expect(rows.map((row) => 'fields' in row && row.fields)).toEqual(
        records.map(([email, company]) => ({ email, company })),
      );
    }),
  );
});

/** What a file may be made of: what means something in CSV, and anything else. */
const anyOctets = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('"', ',', '\n', '\r', '\r\n', 'email', 'company', '@', 'é') },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }).map((octets) => Buffer.from(octets)) },
    ),
    { maxLength: 200 },
  )
  .map((pieces) => Buffer.concat(pieces.map((piece) => Buffer.from(piece))));

async function endOf(content: Uint8Array): Promise<'rows' | 'refused'> {
  try {
    for (const row of await read(content)) expect(row.row).toBeGreaterThan(1);
    return 'rows';
  } catch (error) {
    expect(error).toBeInstanceOf(InputFileError);
    return 'refused';
  }
}

test('octets of any kind end with rows or with an error about the file', async () => {
  await fc.assert(
    fc.asyncProperty(anyOctets, async (octets) => {
      await endOf(octets);
    }),
  );
});

test('below a good header octets of any kind are rows, good or broken', async () => {
  await fc.assert(
    fc.asyncProperty(anyOctets, async (octets) => {
      const end = await endOf(Buffer.concat([Buffer.from('email,company\n'), octets]));
      expect(end).toBe('rows');
    }),
  );
});

test('no problem of a row repeats what stands in it', async () => {
  const piece = fc.constantFrom('PLANTED', 'PLANTED@s.example', '"', ',', '\n', '\0', 'é');
  const noise = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
  await fc.assert(
    fc.asyncProperty(noise, async (content) => {
      const rows = await read(`email,company\n${content}`);
      expect(JSON.stringify(rows.filter((row) => 'problem' in row))).not.toContain('PLANTED');
    }),
  );
});
