import { type DecodedPacket, decode, encode, type OptAnswer, RECURSION_DESIRED } from 'dns-packet';
import { isNameTooLong } from './answer.ts';
import type { Question } from './dns-answer.ts';

export interface Query {
  readonly id: number;
  readonly question: Question;
  readonly bytes: Buffer;
}

/**
 * What a message is to a query. `stray` does not belong to it, whoever sent it. `garbage` claims to, and cannot be
 * read. `truncated` did not fit into a datagram and has to be fetched over TCP (RFC 1035 4.2.1).
 */
export type Reading =
  | { readonly kind: 'response'; readonly packet: DecodedPacket }
  | { readonly kind: 'stray' | 'garbage' | 'truncated' };

/** What travels unfragmented nearly everywhere (DNS flag day 2020). */
const UDP_OCTETS = 1232;
const EDNS: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: UDP_OCTETS,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

const HEADER_OCTETS = 12;
const OPCODE_MASK = 0x7800;
/** Header, name, type and class of one question (RFC 1035 4.1). */
const HEAD_OCTETS_MAX = HEADER_OCTETS + 255 + 4;
/** Each record may lead the reader through a long chain of compressed names. */
const RECORDS_MAX = 1_000;

const PRINTABLE = /^[\x20-\x7e]+$/;

/** Lower case and without its root dot; undefined for a name that no query can carry. */
export function askableName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  const isAskable = PRINTABLE.test(name) && !isNameTooLong(name) && !name.split('.').includes('');
  return isAskable ? name : undefined;
}

/** A recursive query (RFC 1035 4.1) with EDNS (RFC 6891). The name is one that can be asked for. */
export function writeQuery(question: Question, id: number): Query {
  const bytes = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ ...question, class: 'IN' }],
    additionals: [EDNS],
  });
  return { id, question, bytes };
}

/**
 * RFC 5452 9.1: an answer has the id and the question of its query. The question is read on its own at first: what
 * follows it in a truncated message may end anywhere.
 */
export function readReply(message: Buffer, query: Query): Reading {
  if (message.length < HEADER_OCTETS || message.readUInt16BE(0) !== query.id) return { kind: 'stray' };
  const head = readHead(message);
  if (head === undefined) return { kind: 'garbage' };
  if (!isAnswerTo(query.question, head)) return { kind: 'stray' };
  if (head.flag_tc) return { kind: 'truncated' };
  const packet = recordsIn(message) > RECORDS_MAX ? undefined : tryDecode(message);
  return packet === undefined ? { kind: 'garbage' } : { kind: 'response', packet };
}

function readHead(message: Buffer): DecodedPacket | undefined {
  const head = Buffer.from(message.subarray(0, HEAD_OCTETS_MAX));
  head.fill(0, 6, HEADER_OCTETS);
  return tryDecode(head);
}

function isAnswerTo(asked: Question, { flag_qr, flags = 0, questions = [] }: DecodedPacket): boolean {
  const [question, ...others] = questions;
  return (
    flag_qr &&
    (flags & OPCODE_MASK) === 0 &&
    others.length === 0 &&
    question?.name.toLowerCase() === asked.name &&
    question.type === asked.type &&
    question.class === 'IN'
  );
}

function recordsIn(message: Buffer): number {
  return message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
}

/** The codec reads a record that ends before its length says so without complaint, and then no longer knows where it is. */
function tryDecode(message: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(message);
    return decode.bytes <= message.length ? packet : undefined;
  } catch {
    return undefined;
  }
}
