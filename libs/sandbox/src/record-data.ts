import { isIPv4, isIPv6 } from 'node:net';
import type { SoaData } from 'dns-packet';
import type { Word } from './master-file.ts';

/** An entry that cannot be taken. The message is for the person who wrote it. */
export class EntryProblem extends Error {}

/** The data of a record as it goes on the wire; names are relative to the origin (RFC 1035 5.1). */
export function readData(type: string, words: readonly Word[], origin: string, owner: string): unknown {
  const reader = READERS[type];
  if (reader === undefined) {
    const known = Object.keys(READERS).join(', ');
    throw new EntryProblem(`cannot serve record type \`${type}\` at \`${owner}\`: the types are ${known}`);
  }
  const { takes, read } = reader;
  if (takes !== null && takes.length !== words.length) {
    throw new EntryProblem(`${type} takes ${takes.join(', ')}: ${takes.length} words, not ${words.length}`);
  }
  return read(
    words.map(({ text }) => text),
    { origin, owner },
  );
}

interface Place {
  readonly origin: string;
  readonly owner: string;
}

interface DataReader {
  /** What its words are; null for any number of them. */
  readonly takes: readonly string[] | null;
  read(words: string[], place: Place): unknown;
}

const U16_MAX = 65_535;
const U32_MAX = 4_294_967_295;

const oneName: DataReader = {
  takes: ['a name'],
  read: ([name = ''], { origin }) => readName(name, origin),
};

const READERS: Readonly<Record<string, DataReader>> = {
  A: { takes: ['an IPv4 address'], read: ([address = '']) => readAddress(address, isIPv4, 'IPv4') },
  AAAA: { takes: ['an IPv6 address'], read: ([address = '']) => readAddress(address, isIPv6, 'IPv6') },
  NS: oneName,
  CNAME: oneName,
  PTR: oneName,
  MX: {
    takes: ['a preference', 'a name'],
    read: ([preference = '', exchange = ''], { origin }) => ({
      preference: readNumber(preference, U16_MAX),
      exchange: readName(exchange, origin),
    }),
  },
  SRV: {
    takes: ['a priority', 'a weight', 'a port', 'a name'],
    read: ([priority = '', weight = '', port = '', target = ''], { origin }) => ({
      priority: readNumber(priority, U16_MAX),
      weight: readNumber(weight, U16_MAX),
      port: readNumber(port, U16_MAX),
      target: readName(target, origin),
    }),
  },
  TXT: { takes: null, read: (words, { owner }) => characterStrings(words, owner) },
  SOA: {
    takes: ['a server', 'a mailbox', 'a serial', 'refresh', 'retry', 'expire', 'a minimum'],
    read: (words, { origin }): SoaData => {
      const [mname = '', rname = '', serial = '', ...times] = words;
      const [refresh = 0, retry = 0, expire = 0, minimum = 0] = times.map(readSeconds);
      return {
        mname: readName(mname, origin),
        rname: readName(rname, origin),
        serial: readNumber(serial, U32_MAX),
        refresh,
        retry,
        expire,
        minimum,
      };
    },
  },
};

const LABEL_OCTETS_MAX = 63;
const NAME_OCTETS_MAX = 253;

/** In lower case without the trailing dot; the root is `.`. */
export function readName(word: string, origin: string): string {
  if (word === '@') return origin;
  if (word === '.') return '.';
  const given = word.toLowerCase();
  const isRelative = !given.endsWith('.');
  const name = isRelative ? `${given}${origin === '' ? '' : `.${origin}`}` : given.slice(0, -1);
  if (isRelative && origin !== '' && name.endsWith(`.${origin}.${origin}`)) {
    throw new EntryProblem(`\`${word}\` becomes \`${name}\`: end it with a dot, or leave out \`.${origin}\``);
  }
  const labels = name.split('.');
  if (labels.includes('')) throw new EntryProblem(`\`${word}\` has an empty label`);
  if (labels.some((label) => Buffer.byteLength(label) > LABEL_OCTETS_MAX)) {
    throw new EntryProblem(`a label of \`${name}\` is over ${LABEL_OCTETS_MAX} octets`);
  }
  if (Buffer.byteLength(name) > NAME_OCTETS_MAX) {
    throw new EntryProblem(`\`${name}\` is over ${NAME_OCTETS_MAX} octets`);
  }
  return name;
}

const TIME = /^(?:\d+[smhdw]?)+$/i;
const UNIT_SEC: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
/** RFC 2181 8: a TTL has 31 bits. */
const TIME_SEC_MAX = 2_147_483_647;

export function isTime(word: string): boolean {
  return TIME.test(word);
}

/** Seconds, or with units as in `1h30m`. */
export function readSeconds(word: string): number {
  if (!isTime(word)) throw new EntryProblem(`\`${word}\` is no time: seconds, or such as 1h30m`);
  const parts = [...word.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)];
  const seconds = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNIT_SEC[unit] ?? 1), 0);
  if (seconds > TIME_SEC_MAX) throw new EntryProblem(`\`${word}\` is over ${TIME_SEC_MAX} s`);
  return seconds;
}

function readNumber(word: string, max: number): number {
  if (/^\d+$/.test(word) && Number(word) <= max) return Number(word);
  throw new EntryProblem(`\`${word}\` is no whole number of 0 to ${max}`);
}

function readAddress(word: string, is: (word: string) => boolean, family: string): string {
  if (is(word)) return word;
  throw new EntryProblem(`\`${word}\` is no ${family} address`);
}

const STRING_OCTETS_MAX = 255;
const RDATA_OCTETS_MAX = 65_000;

/** RFC 1035 5.1: strings quoted or bare, `\X` is that character, `\DDD` is the octet of that value. */
function characterStrings(words: readonly string[], owner: string): Buffer[] {
  if (words.length === 0) throw new EntryProblem(`the TXT record at \`${owner}\` holds no text`);
  const strings = words.map(octets);
  if (strings.some((string) => string.length > STRING_OCTETS_MAX)) {
    throw new EntryProblem(`a string of the TXT record at \`${owner}\` is over ${STRING_OCTETS_MAX} octets`);
  }
  if (strings.reduce((sum, string) => sum + string.length + 1, 0) > RDATA_OCTETS_MAX) {
    throw new EntryProblem(`the TXT record at \`${owner}\` is over ${RDATA_OCTETS_MAX} octets`);
  }
  return strings;
}

function octets(text: string): Buffer {
  const parts = text.match(/\\\d{3}|\\.|[^\\]+/gs) ?? [];
  return Buffer.concat(
    parts.map((part) => {
      if (/^\\\d{3}$/.test(part)) return Buffer.from([Number(part.slice(1))]);
      return Buffer.from(part.startsWith('\\') ? part.slice(1) : part);
    }),
  );
}
