import { Buffer } from 'node:buffer';
import { parseHeaders } from 'mailauth/lib/tools.js';

export const MESSAGE_OCTETS_MAX = 1_048_576;
/** Far over what relays, lists and spam filters add to a real message. */
const HEADER_OCTETS_MAX = 65_536;
const HEADER_LINES_MAX = 2_000;
/** Each signature may cost a key lookup and a pass over the body (RFC 6376 6.1 lets a verifier set a limit). */
const SIGNATURES_MAX = 8;

export interface Field {
  /** In lower case. */
  readonly name: string;
  /** Unfolded, without the white space around it. */
  readonly value: string;
}

export const READING_REFUSALS = [
  'oversize',
  'header_too_large',
  'too_many_signatures',
  'unreadable',
] as const;
export type ReadingRefusal = (typeof READING_REFUSALS)[number];

export type Reading =
  | { readonly kind: 'message'; readonly bytes: Buffer; readonly fields: readonly Field[] }
  | { readonly kind: 'refused'; readonly reason: ReadingRefusal };

/**
 * The header fields of a message that is small enough to be worked on. They are told apart by the parser of
 * the verifier, so that no field can be one thing here and another one there.
 */
export function readMessage(raw: Uint8Array): Reading {
  if (raw.length > MESSAGE_OCTETS_MAX) return { kind: 'refused', reason: 'oversize' };
  const bytes = withLineEndings(raw);
  const header = headerOf(bytes);
  if (header.length > HEADER_OCTETS_MAX || lineCount(header) > HEADER_LINES_MAX)
    return { kind: 'refused', reason: 'header_too_large' };
  const fields = parseHeaders(header).parsed.map(({ key, line }) => asField(key, line));
  const signatures = fields.filter(({ name }) => name === 'dkim-signature');
  if (signatures.length > SIGNATURES_MAX) return { kind: 'refused', reason: 'too_many_signatures' };
  return { kind: 'message', bytes, fields };
}

/** RFC 5322 2.3: lines end with CRLF. A file saved elsewhere often has bare line feeds. */
function withLineEndings(raw: Uint8Array): Buffer {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.length).toString('latin1');
  return Buffer.from(text.replace(/(?<!\r)\n/g, '\r\n'), 'latin1');
}

/** RFC 5322 2.1: an empty line ends the header; before everything it says that there is none. */
function headerOf(bytes: Buffer): Buffer {
  if (bytes.indexOf('\r\n') === 0) return bytes.subarray(0, 2);
  const end = bytes.indexOf('\r\n\r\n');
  return end === -1 ? bytes : bytes.subarray(0, end + 2);
}

function lineCount(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf('\n'); at !== -1; at = bytes.indexOf('\n', at + 1)) lines++;
  return lines;
}

function asField(name = '', line: Buffer): Field {
  const text = line.toString('latin1');
  const value = text.slice(text.indexOf(':') + 1);
  return { name, value: value.replace(/\r\n(?=[ \t])/g, '').trim() };
}
