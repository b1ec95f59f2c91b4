import type { DecodedPacket, StringAnswer, TxtAnswer, Answer as WireRecord } from 'dns-packet';
import {
  type Absence,
  type DnsAnswer,
  type MailExchange,
  type NoAnswer,
  noAnswer,
  type Question,
  type QuestionType,
  type RecordData,
} from './dns-answer.ts';

const RCODE_MASK = 0xf;
const NOERROR = 0;
const NXDOMAIN = 3;

/**
 * RFC 1035 4.1.1. NXDOMAIN is an authoritative no, NOERROR an answer that may be empty. All other codes are news about
 * the resolver.
 */
const FAILURES: Readonly<Record<number, NoAnswer>> = { 2: noAnswer('servfail'), 5: noAnswer('refused') };

/** Receivers follow no longer chains either. */
const ALIASES_MAX = 16;
const TTL_SEC_MAX = 0x7fff_ffff;
/** All TXT records of a name. What a domain publishes stays far below; a policy over 10 kB is refused as one. */
const TXT_OCTETS_MAX = 32_768;

/** What a response says about its question. Aliases are followed as the resolver gives them (RFC 1034 3.6.2). */
export function readAnswer<Type extends QuestionType>(
  packet: DecodedPacket,
  question: Question<Type>,
): DnsAnswer<Type> {
  const rcode = rcodeOf(packet);
  if (rcode !== NOERROR && rcode !== NXDOMAIN) return FAILURES[rcode] ?? noAnswer('no_answer');
  const answers = (packet.answers ?? []).filter(isOfInternet);
  const chain = followAliases(question.name, question.type, answers);
  if (chain === undefined) return noAnswer('no_answer');

  const matches = recordsOf(chain.name, question.type, answers);
  if (matches.length === 0) return readAbsence(rcode, packet, chain.ttlsSec);
  // a name that does not exist and has records is a contradiction
  if (rcode === NXDOMAIN) return noAnswer('no_answer');
  if (txtOctets(matches) > TXT_OCTETS_MAX) return noAnswer('probe_fault');
  const records = matches.map((match) => dataOf(match) as RecordData[Type]);
  return { kind: 'records', records, ttlSec: shortest([...chain.ttlsSec, ...matches.map(ttlOf)]) };
}

/** RFC 6891 6.1.3: EDNS brings the upper eight bits of the code. */
function rcodeOf({ flags = 0, additionals = [] }: DecodedPacket): number {
  const edns = additionals.find((record) => record.type === 'OPT');
  return ((edns?.extendedRcode ?? 0) << 4) | (flags & RCODE_MASK);
}

type DataRecord = Exclude<WireRecord, { type: 'OPT' }>;

function isOfInternet(record: WireRecord): record is DataRecord {
  return record.type !== 'OPT' && 'class' in record && record.class === 'IN';
}

function recordsOf(name: string, type: string, records: readonly DataRecord[]): DataRecord[] {
  return records.filter((record) => record.type === type && record.name.toLowerCase() === name);
}

/** Where the aliases of a name lead; undefined when they lead in a circle or too far. */
function followAliases(
  asked: string,
  type: QuestionType,
  answers: readonly DataRecord[],
): { readonly name: string; readonly ttlsSec: readonly number[] } | undefined {
  const ttlsSec: number[] = [];
  let name = asked;
  while (recordsOf(name, type, answers).length === 0) {
    const [alias] = recordsOf(name, 'CNAME', answers) as StringAnswer[];
    if (alias === undefined) break;
    if (ttlsSec.length === ALIASES_MAX) return undefined;
    ttlsSec.push(ttlOf(alias));
    name = alias.data.toLowerCase();
  }
  return { name, ttlsSec };
}

/**
 * RFC 2308 5: a no may be kept for the TTL of the SOA record beside it or its MINIMUM, whichever is less; without an
 * SOA record not at all. An empty answer with name servers in place of the SOA is a referral (2.2), and an alias whose
 * end is not told in either way leads nowhere yet: neither says that there is nothing.
 */
function readAbsence(
  rcode: number,
  packet: DecodedPacket,
  aliasTtlsSec: readonly number[],
): Absence | NoAnswer {
  const authorities = packet.authorities ?? [];
  const soa = authorities.find((record) => record.type === 'SOA');
  const isReferral = authorities.some((record) => record.type === 'NS');
  if (rcode === NOERROR && soa === undefined && (isReferral || aliasTtlsSec.length > 0)) {
    return noAnswer('no_answer');
  }
  const negativeSec = soa === undefined ? 0 : Math.min(ttlOf(soa), soa.data.minimum ?? 0);
  return {
    kind: 'absent',
    how: rcode === NXDOMAIN ? 'nxdomain' : 'nodata',
    ttlSec: shortest([...aliasTtlsSec, negativeSec]),
  };
}

/** RFC 2181 8: a TTL has 31 bits, and one with the highest bit set counts as 0. */
function ttlOf({ ttl = 0 }: { readonly ttl?: number | undefined }): number {
  return ttl > TTL_SEC_MAX ? 0 : ttl;
}

function shortest(ttlsSec: readonly number[]): number {
  return ttlsSec.reduce((least, ttlSec) => Math.min(least, ttlSec), TTL_SEC_MAX);
}

function dataOf(record: DataRecord): string | MailExchange {
  switch (record.type) {
    case 'TXT':
      return Buffer.concat(stringsOf(record)).toString('latin1');
    case 'MX':
      return { exchange: hostOf(record.data.exchange), priority: record.data.preference ?? 0 };
    default:
      return hostOf(String(record.data));
  }
}

/** The root is written as nothing, as `node:dns` does. */
function hostOf(name: string): string {
  return name === '.' ? '' : name;
}

/** The codec gives the strings of a record as octets; its type allows for what it takes when it writes one. */
function stringsOf(record: TxtAnswer): Buffer[] {
  return [record.data].flat().map((string) => (typeof string === 'string' ? Buffer.from(string) : string));
}

function txtOctets(records: readonly DataRecord[]): number {
  const strings = records.filter((record) => record.type === 'TXT').flatMap(stringsOf);
  return strings.reduce((octets, string) => octets + string.length, 0);
}
