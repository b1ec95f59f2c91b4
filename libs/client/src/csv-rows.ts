import { strict as assert } from 'node:assert';
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { InputFileError, unreadable } from './input-problem.ts';
import { type Cut, type CutRecord, RECORD_OCTETS_MAX, RecordCutter } from './lead-records.ts';
import { hint } from './nearest-word.ts';

/** By column; a column that the file does not have is absent. */
export type Fields = Readonly<Partial<Record<string, string>>>;

/** One row of a CSV file: its fields by column, or why there are none. */
export interface CsvRow {
  /** The line it starts on, counted from 1; the header is line 1. */
  readonly row: number;
  readonly fields: Fields;
}
export interface BrokenRow {
  readonly row: number;
  readonly problem: string;
}

export interface CsvColumns {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const COLUMNS_MAX = 256;
const NAME_CHARACTERS_MAX = 80;
const KIB = 1024;
/** All rows of a chunk are in memory at once. */
const CHUNK_OCTETS = 16 * KIB;

/**
 * Streams a CSV file (RFC 4180; byte order mark, CRLF, CR and empty lines allowed) in bounded memory, in the order of
 * its lines. A row that cannot be parsed is told and skipped. Throws InputFileError for a file or a header that cannot
 * be used at all.
 */
export async function* readCsv(
  file: string,
  columns: CsvColumns,
  onRead?: (octets: number) => void,
): AsyncGenerator<CsvRow | BrokenRow> {
  const source = createReadStream(file, { highWaterMark: CHUNK_OCTETS });
  const cutter = new RecordCutter();
  const rows = new RowReader(file, columns);
  for await (const chunk of withoutMark(file, chunksOf(file, source))) {
    onRead?.(source.bytesRead);
    for (const row of rows.read(cutter.cut(chunk))) yield row;
    if (cutter.isOverlong) rows.expectHeader(() => headerProblem('too_long'));
  }
  for (const row of rows.read(cutter.end())) yield row;
  rows.expectHeader(() => `is empty: it needs a header with ${columns.required.join(', ')}`);
}

async function* chunksOf(file: string, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* source;
  } catch (error) {
    throw unreadable(file, error);
  }
}

const MARK_OCTETS_MAX = 3;

/** Drops the byte order mark of UTF-8; that of another encoding is an error by name. */
async function* withoutMark(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let start: Buffer | null = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (start === null) {
      yield chunk;
      continue;
    }
    start = Buffer.concat([start, chunk]);
    if (start.length < MARK_OCTETS_MAX) continue;
    yield unmarked(file, start);
    start = null;
  }
  if (start !== null) yield unmarked(file, start);
}

function unmarked(file: string, start: Buffer): Buffer {
  const mark = start.toString('hex', 0, MARK_OCTETS_MAX);
  if (mark.startsWith('fffe') || mark.startsWith('feff'))
    throw problemIn(file, 'is UTF-16: save the file as UTF-8');
  return mark === 'efbbbf' ? start.subarray(MARK_OCTETS_MAX) : start;
}

/** The first record is the header; it gives the fields of the others their names. */
class RowReader {
  readonly #file: string;
  readonly #columns: CsvColumns;
  #names: readonly string[] | null = null;

  constructor(file: string, columns: CsvColumns) {
    this.#file = file;
    this.#columns = columns;
  }

  read({ records, octets }: Cut): (CsvRow | BrokenRow)[] {
    const parsed = fieldsOf(octets);
    let next = 0;
    const rows: (CsvRow | BrokenRow)[] = [];
    for (const record of records) {
      const fields = record.problem === null ? parsed[next++]! : null;
      if (this.#names === null) this.#names = this.#readHeader(record, fields);
      else rows.push(rowOf(record, fields, this.#names));
    }
    assert.equal(next, parsed.length, 'records were cut otherwise than they were parsed');
    return rows;
  }

  expectHeader(problem: () => string): void {
    if (this.#names === null) throw problemIn(this.#file, problem());
  }

  #readHeader({ problem }: CutRecord, fields: readonly string[] | null): readonly string[] {
    if (problem !== null || fields === null) throw problemIn(this.#file, headerProblem(problem));
    const { names, problems } = readHeader(fields, this.#columns);
    if (problems.length === 0) return names;
    throw new InputFileError(problems.map((message) => ({ file: this.#file, line: 1, path: '', message })));
  }
}

/** Of whole records only, so that the parser has nothing left to find wrong, and nothing to hold. */
function fieldsOf(octets: Buffer): string[][] {
  if (octets.length === 0) return [];
  return parse(octets, {
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
  });
}

function rowOf(
  { row, lastRow, problem }: CutRecord,
  fields: readonly string[] | null,
  names: readonly string[],
): CsvRow | BrokenRow {
  if (problem !== null) return { row, problem: SENTENCES[problem](row, lastRow) };
  assert.equal(fields?.length, names.length, 'fields were cut otherwise than they were parsed');
  const named: Record<string, string> = {};
  for (const [index, name] of names.entries()) named[name] = fields[index]!;
  return { row, fields: named };
}

const SENTENCES: Readonly<
  Record<NonNullable<CutRecord['problem']>, (row: number, lastRow: number) => string>
> = {
  too_long: (row, lastRow) => `is over ${RECORD_OCTETS_MAX / KIB} KiB long${upTo(row, lastRow)}`,
  stray_quote: (row, lastRow) =>
    `has a stray quote: put the field in quotes and double the quotes in it${upTo(row, lastRow)}`,
  other_width: (row, lastRow) =>
    `has more or fewer fields than the header: put quotes around a field that holds a comma${upTo(row, lastRow)}`,
  quote_not_closed: () => 'opens a quote that is never closed: nothing after it was read',
};

/** A quote may have drawn whole lines into the row, and nobody finds them missing who is not told. */
const upTo = (row: number, lastRow: number): string =>
  lastRow === row ? '' : `; nothing up to line ${lastRow} was read`;

function headerProblem(problem: CutRecord['problem']): string {
  switch (problem) {
    case 'quote_not_closed':
      return 'opens a quote in its header that is never closed';
    case 'too_long':
      return `has a header of over ${RECORD_OCTETS_MAX / KIB} KiB: it is no CSV file, or its lines do not end`;
    default:
      return 'has a stray quote in its header: put the name in quotes and double the quotes in it';
  }
}

interface Header {
  readonly names: readonly string[];
  readonly problems: readonly string[];
}

function readHeader(header: readonly string[], columns: CsvColumns): Header {
  const problem = unusable(header);
  if (problem !== null) return { names: [], problems: [problem] };
  const known = [...columns.required, ...columns.optional];
  const names = header.map((written) => {
    const name = written.trim();
    return known.find((column) => column.toLowerCase() === name.toLowerCase()) ?? name;
  });
  const seen = new Set<string>();
  const problems = columns.required
    .filter((column) => !names.includes(column))
    .map((column) => `there is no column \`${column}\`${whyMissing(names)}`);
  names.forEach((name, index) => {
    if (!known.includes(name) && !name.startsWith('x_'))
      problems.push(
        `column ${shown(name, index)} is not known here${hintFor(name, known)} (known: ${known.join(', ')}; call a column of your own x_...)`,
      );
    if (seen.has(name)) problems.push(`column ${shown(name, index)} stands there twice`);
    seen.add(name);
  });
  return { names, problems };
}

/** A file of another kind, as far as its first line tells. */
function unusable(header: readonly string[]): string | null {
  if (header.some((name) => name.includes('\0')))
    return 'has NUL octets in its header: it is UTF-16 or no text; save the file as UTF-8';
  if (header.length > COLUMNS_MAX) return `has ${header.length} columns: at most ${COLUMNS_MAX} are read`;
  return null;
}

function whyMissing(names: readonly string[]): string {
  if (names.length === 1 && /[;\t|]/.test(names[0]!)) return ': separate the columns with commas';
  return names.some((name) => name.includes('@')) ? ': the first line is to name the columns' : '';
}

const isWord = (name: string): boolean =>
  name.length <= NAME_CHARACTERS_MAX && /^[\p{L}\p{M}\p{N}_. -]+$/u.test(name);

/** A file without a header has a person on its first line: what is no plain word is told by its place. */
const shown = (name: string, index: number): string => (isWord(name) ? `\`${name}\`` : `${index + 1}`);

const hintFor = (name: string, known: readonly string[]): string => (isWord(name) ? hint(name, known) : '');

function problemIn(file: string, message: string): InputFileError {
  return new InputFileError([{ file, line: 1, path: '', message }]);
}
