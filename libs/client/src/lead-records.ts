/**
 * Where the records of a CSV file begin and end (RFC 4180), told octet by octet in bounded memory, before anything is
 * made of what stands in them. Lines may end in LF, CRLF or CR, also mixed. A quote in the wrong place costs the record
 * up to the end of its line; a quote that is never closed costs the rest of the file; a record that is too long is
 * dropped while it is read. The first record, the header, says how many fields each of the others has.
 */

export const RECORD_OCTETS_MAX = 65_536;

export type RecordProblem = 'too_long' | 'stray_quote' | 'quote_not_closed' | 'other_width';

export interface CutRecord {
  /** The line it starts on, counted from 1. */
  readonly row: number;
  readonly lastRow: number;
  readonly fields: number;
  readonly problem: RecordProblem | null;
}

/** The records that ended, and the octets of those among them that have no problem. */
export interface Cut {
  readonly records: readonly CutRecord[];
  readonly octets: Buffer;
}

const OTHER = 0;
const QUOTE = 1;
const COMMA = 2;
const LINE_END = 3;

const LF = 0x0a;
const CR = 0x0d;

const KINDS = new Uint8Array(256).fill(OTHER);
KINDS[0x22] = QUOTE;
KINDS[0x2c] = COMMA;
KINDS[LF] = LINE_END;
KINDS[CR] = LINE_END;

/** Between records: nothing stands on the line yet. */
const BETWEEN = 0;
const FIELD_START = 1;
const PLAIN = 2;
const QUOTED = 3;
/** The end of a quoted field, or the first of two quotes that stand for one. */
const QUOTE_SEEN = 4;
const STRAY = 5;
const ENDED = 6;

/** By state, what an octet leads to: in the order OTHER, QUOTE, COMMA, LINE_END. */
const NEXT: readonly Uint8Array[] = [
  Uint8Array.of(PLAIN, QUOTED, FIELD_START, BETWEEN),
  Uint8Array.of(PLAIN, QUOTED, FIELD_START, ENDED),
  Uint8Array.of(PLAIN, STRAY, FIELD_START, ENDED),
  Uint8Array.of(QUOTED, QUOTE_SEEN, QUOTED, QUOTED),
  Uint8Array.of(STRAY, QUOTED, FIELD_START, ENDED),
  Uint8Array.of(STRAY, STRAY, STRAY, ENDED),
];

export class RecordCutter {
  #state = BETWEEN;
  #line = 1;
  #previous = 0;
  #row = 1;
  #fields = 0;
  /** Fields of the header. */
  #width: number | null = null;
  /** Of the record that goes on: what earlier chunks held of it, and how many octets that was. */
  #held: Buffer[] = [];
  #heldOctets = 0;
  #records: CutRecord[] = [];
  #pieces: Buffer[] = [];

  /** Whether the record that goes on is over the limit already, however much of it is still to come. */
  get isOverlong(): boolean {
    return this.#heldOctets > RECORD_OCTETS_MAX;
  }

  cut(chunk: Buffer): Cut {
    let keptFrom = 0;
    let recordFrom = 0;
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at]!;
      const kind = KINDS[octet]!;
      const state = NEXT[this.#state]![kind]!;
      if (this.#state === BETWEEN && state !== BETWEEN) {
        recordFrom = at;
        this.#row = this.#line;
        this.#fields = 1;
      }
      if (kind === COMMA && state === FIELD_START) this.#fields++;
      if (state === ENDED) {
        const end = at + 1;
        if (!this.#finish(chunk.subarray(keptFrom, recordFrom), end - recordFrom)) keptFrom = end;
        recordFrom = end;
        this.#state = BETWEEN;
      } else this.#state = state;
      if (kind === LINE_END) this.#countLine(octet);
      this.#previous = octet;
    }
    this.#keep(chunk, keptFrom, this.#state === BETWEEN ? chunk.length : recordFrom);
    return this.#taken();
  }

  /** The last record may lack the end of its line. */
  end(): Cut {
    if (this.#state !== BETWEEN) this.#finish(Buffer.alloc(0), 0);
    this.#state = BETWEEN;
    return this.#taken();
  }

  /** Ends a record, and says whether its octets are kept; `before` are those of good records since the last bad one. */
  #finish(before: Buffer, octets: number): boolean {
    const problem = this.#problemOf(this.#heldOctets + octets);
    this.#width ??= this.#fields;
    this.#records.push({ row: this.#row, lastRow: this.#line, fields: this.#fields, problem });
    if (problem === null) this.#pieces.push(...this.#held);
    else this.#pieces.push(before);
    this.#held = [];
    this.#heldOctets = 0;
    return problem === null;
  }

  #problemOf(octets: number): RecordProblem | null {
    if (this.#state === QUOTED) return 'quote_not_closed';
    if (octets > RECORD_OCTETS_MAX) return 'too_long';
    if (this.#state === STRAY) return 'stray_quote';
    return this.#width === null || this.#fields === this.#width ? null : 'other_width';
  }

  /** Gives away what is complete, and holds what belongs to the record that goes on, unless that is too long. */
  #keep(chunk: Buffer, keptFrom: number, recordFrom: number): void {
    this.#pieces.push(chunk.subarray(keptFrom, recordFrom));
    const rest = chunk.subarray(recordFrom);
    this.#heldOctets += rest.length;
    if (this.isOverlong) this.#held = [];
    else if (rest.length > 0) this.#held.push(rest);
  }

  /** The LF of a CRLF is no line of its own. */
  #countLine(octet: number): void {
    if (octet === CR || this.#previous !== CR) this.#line++;
  }

  #taken(): Cut {
    const taken = { records: this.#records, octets: Buffer.concat(this.#pieces) };
    this.#records = [];
    this.#pieces = [];
    return taken;
  }
}
