import { createReadStream } from 'node:fs';
import { type CsvError, parse } from 'csv-parse';
import { InputFileError, unreadable } from './input-problem.ts';
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

interface Parsed {
  readonly fields: Record<string, string>;
  readonly endsOn: number;
}

/**
 * Streams a CSV file (RFC 4180; byte order mark, CRLF and empty lines allowed). A row that cannot be parsed is
 * told and skipped. Throws InputFileError for a file or a header that cannot be used at all.
 */
export async function* readCsv(
  file: string,
  columns: CsvColumns,
  onRead?: (octets: number) => void,
): AsyncGenerator<CsvRow | BrokenRow> {
  let headerSeen = false;
  let broken: BrokenRow[] = [];
  let lastRow = 1;
  const parser = parse<Parsed, Record<string, string>>({
    bom: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    columns: (header: string[]) => {
      headerSeen = true;
      return readHeader(header, columns, file);
    },
    on_record: (fields, { lines }) => {
      lastRow = lines;
      return { fields, endsOn: lines };
    },
    on_skip: (error) => {
      broken.push({ row: error ? lineOf(error, lastRow) : lastRow, problem: skipSentence(error) });
    },
  });
  const source = createReadStream(file).on('error', (error) => parser.destroy(unreadable(file, error)));
  source.pipe(parser);
  try {
    for await (const { fields, endsOn } of parser as AsyncIterable<Parsed>) {
      yield* broken;
      broken = [];
      onRead?.(source.bytesRead);
      yield { row: endsOn - newlinesIn(fields), fields };
    }
    yield* broken;
  } finally {
    source.destroy();
  }
  if (!headerSeen) throw problemIn(file, `is empty: it needs a header with ${columns.required.join(', ')}`);
}

function readHeader(header: readonly string[], columns: CsvColumns, file: string): string[] {
  const known = [...columns.required, ...columns.optional];
  const names = header.map((written) => {
    const name = written.trim();
    return known.find((column) => column.toLowerCase() === name.toLowerCase()) ?? name;
  });
  const missing = columns.required.filter((column) => !names.includes(column));
  const strange = names.filter((name) => !known.includes(name) && !name.startsWith('x_'));
  const doubled = names.filter((name, index) => names.indexOf(name) < index);
  const problems = [
    ...missing.map(
      (column) =>
        `there is no column \`${column}\`${names.length === 1 && /[;\t|]/.test(names[0]!) ? ': separate the columns with commas' : ''}`,
    ),
    ...strange.map(
      (name) =>
        `column \`${name.slice(0, 80)}\` is not known here${hint(name, known)} (known: ${known.join(', ')}; call a column of your own x_...)`,
    ),
    ...doubled.map((name) => `column \`${name.slice(0, 80)}\` stands there twice`),
  ];
  if (problems.length > 0)
    throw new InputFileError(problems.map((message) => ({ file, line: 1, path: '', message })));
  return names;
}

function problemIn(file: string, message: string): InputFileError {
  return new InputFileError([{ file, line: 1, path: '', message }]);
}

/** A quote that is never closed is noticed at the end of the file, and stands right after the last good row. */
function lineOf(error: CsvError, lastRow: number): number {
  return error.code === 'CSV_QUOTE_NOT_CLOSED' ? lastRow + 1 : Number(error.lines ?? lastRow);
}

/** The parser's own sentences repeat the row, which may hold an address. */
function skipSentence(error: CsvError | undefined): string {
  switch (error?.code) {
    case 'CSV_RECORD_INCONSISTENT_COLUMNS':
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
      return 'has more or fewer fields than the header: put quotes around a field that holds a comma';
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'opens a quote that is never closed: nothing after it was read';
    case 'INVALID_OPENING_QUOTE':
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'has a stray quote: put the field in quotes and double the quotes in it';
    default:
      return 'cannot be parsed as CSV';
  }
}

function newlinesIn(fields: Fields): number {
  return Object.values(fields).reduce((sum, text) => sum + (text?.match(/\r\n|\n|\r/g)?.length ?? 0), 0);
}
