import { CONVERSATION_STATES, type ConversationState } from '@orchestrate/canon';
import { PROSPECT_CODES } from '@orchestrate/contracts';
import { type BrokenRow, type CsvRow, type Fields, readCsv } from './csv-rows.ts';
import { InputFileError } from './input-problem.ts';
import { readAddress } from './recipient-address.ts';

export type ProspectCode = (typeof PROSPECT_CODES)[number];

/** A person as a row describes them. */
export interface LeadRow {
  readonly row: number;
  readonly address: string;
  readonly identity: string;
  readonly verified: boolean;
  readonly prospect: ProspectCode;
  readonly conversation: ConversationState;
  /** What the template may say of the person; empty ones are left out. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Names the row and the field, never what stands there. */
export interface RejectedRow {
  readonly row: number;
  /** Null when the row as a whole cannot be read. */
  readonly field: string | null;
  readonly problem: string;
}

const VARIABLES = ['firstName', 'lastName', 'company', 'role'] as const;
const VARIABLE_CHARACTERS_MAX = 200;
const COLUMNS = { required: ['email'], optional: [...VARIABLES, 'verified', 'provenance', 'conversation'] };

/** `onRead` is told how many octets of the file are read. */
export async function* readLeadRows(
  file: string,
  onRead?: (octets: number) => void,
): AsyncGenerator<LeadRow | RejectedRow> {
  for await (const row of readCsv(file, COLUMNS, onRead))
    yield isBroken(row) ? rejected(row.row, null, row.problem) : readLeadRow(row);
}

export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number];
export const SUPPRESSION_REASONS = ['listed', 'unsubscribed', 'complained', 'bounced'] as const;

export interface SuppressionRow {
  readonly row: number;
  readonly identity: string;
  readonly reason: SuppressionReason;
}

/**
 * A reason that is not known still suppresses: the row is there because somebody must not be written to. A row that
 * cannot be read at all stops everything with an InputFileError, since nobody can tell whom it, or those after it,
 * would have named. A row whose address is none can name nobody that would ever be written to.
 */
export async function* readSuppressionRows(file: string): AsyncGenerator<SuppressionRow | RejectedRow> {
  for await (const row of readCsv(file, { required: ['email'], optional: ['reason'] })) {
    if (isBroken(row)) throw new InputFileError([{ file, line: row.row, path: '', message: row.problem }]);
    const email = row.fields.email ?? '';
    if (isGarbled(email))
      throw new InputFileError([{ file, line: row.row, path: 'email', message: NOT_UTF8 }]);
    const read = readAddress(email);
    if ('problem' in read) {
      yield rejected(row.row, 'email', read.problem);
      continue;
    }
    const written = (row.fields.reason ?? '').trim().toLowerCase();
    const reason = SUPPRESSION_REASONS.find((one) => one === written);
    if (reason === undefined && written !== '') {
      yield rejected(row.row, 'reason', `takes one of ${SUPPRESSION_REASONS.join(', ')}; counted as listed`);
    }
    yield { row: row.row, identity: read.identity, reason: reason ?? 'listed' };
  }
}

const NOT_UTF8 = 'is not UTF-8: save the file as UTF-8';
/** What decoding leaves in place of octets that are no UTF-8. */
const isGarbled = (text: string): boolean => text.includes('\uFFFD');

const isBroken = (row: CsvRow | BrokenRow): row is BrokenRow => 'problem' in row;

export function readLeadRow({ row, fields }: CsvRow): LeadRow | RejectedRow {
  const garbled = Object.keys(fields).find((field) => isGarbled(fields[field] ?? ''));
  if (garbled !== undefined) return rejected(row, garbled, NOT_UTF8);
  const read = readAddress(fields.email ?? '');
  if ('problem' in read) return rejected(row, 'email', read.problem);
  const unfit = VARIABLES.find((name) => !fitsOneLine(fields[name] ?? ''));
  if (unfit) return rejected(row, unfit, `must be one line of at most ${VARIABLE_CHARACTERS_MAX} characters`);
  const verified = readYesNo(fields.verified ?? '');
  if (verified === undefined) return rejected(row, 'verified', 'takes true, false, yes, no or nothing');
  const prospect = readWord(PROSPECT_CODES, fields.provenance ?? '', 'none_found');
  if (prospect === undefined)
    return rejected(row, 'provenance', `takes one of ${PROSPECT_CODES.join(', ')} or nothing`);
  const conversation = readWord(CONVERSATION_STATES, fields.conversation ?? '', 'none');
  if (conversation === undefined) {
    return rejected(row, 'conversation', `takes one of ${CONVERSATION_STATES.join(', ')} or nothing`);
  }
  return { row, ...read, verified, prospect, conversation, variables: variablesOf(fields) };
}

const rejected = (row: number, field: string | null, problem: string): RejectedRow => ({
  row,
  field,
  problem,
});

/** A line break in a name would end a header of the message. */
const fitsOneLine = (text: string): boolean =>
  text.length <= VARIABLE_CHARACTERS_MAX && !/\p{Cc}/u.test(text.trim());

const YES_NO: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  false: false,
  no: false,
  '': false,
};

const readYesNo = (written: string): boolean | undefined => YES_NO[written.trim().toLowerCase()];

function readWord<W extends string>(words: readonly W[], written: string, empty: W): W | undefined {
  const word = written.trim().toLowerCase();
  return word === '' ? empty : words.find((one) => one === word);
}

function variablesOf(fields: Fields): Record<string, string> {
  const named = VARIABLES.map((name) => [name, (fields[name] ?? '').trim().normalize('NFC')] as const);
  return Object.fromEntries(named.filter(([, text]) => text !== ''));
}
