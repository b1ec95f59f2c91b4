import type { SoaData, Answer as WireRecord } from 'dns-packet';
import { parseZone } from 'dnsz';

/**
 * A zone read from RFC 1035 master format: names in lower case without the trailing dot, `.` excluded.
 * `names` also holds the empty non-terminals (RFC 4592 2.2.2): a name with nothing of its own but with
 * something below it exists, so it answers NODATA and not NXDOMAIN.
 */
export interface Zone {
  readonly origin: string;
  readonly soa: WireRecord;
  readonly records: ReadonlyMap<string, readonly WireRecord[]>;
  readonly names: ReadonlySet<string>;
}

const STRING_OCTETS_MAX = 255;
const LABEL_OCTETS_MAX = 63;
const RDATA_OCTETS_MAX = 65_000;

/** Lower case, no trailing dot. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** The name and every name above it: `a.b.c`, `b.c`, `c`. */
export function withParents(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

/**
 * Reads one zone. Text written inside an indented template literal may keep its indentation.
 * A zone that brings no SOA gets a plain one, since RFC 2308 wants it in every negative answer.
 */
export function readZone(text: string, origin?: string): Zone {
  const sections = splitAtOrigins(dedent(text), origin);
  const first = sections[0];
  if (first === undefined) throw new Error('a zone needs an origin: give one or start with $ORIGIN');
  const records = sections.flatMap(readSection);
  return buildZone(canonicalName(first.origin), records);
}

function buildZone(origin: string, records: readonly WireRecord[]): Zone {
  const stray = records.find(({ name }) => name !== origin && !name.endsWith(`.${origin}`));
  if (stray !== undefined) throw new Error(`\`${stray.name}\` lies outside its zone \`${origin}\``);
  const soa = records.find(({ type }) => type === 'SOA') ?? plainSoa(origin);
  const byName = Map.groupBy(new Set([soa, ...records]), ({ name }) => name);
  const names = [...byName.keys()].flatMap(withParents);
  return {
    origin,
    soa,
    records: byName,
    names: new Set(names.filter((name) => name === origin || name.endsWith(`.${origin}`))),
  };
}

function plainSoa(origin: string): WireRecord {
  const data: SoaData = {
    mname: `ns.${origin}`,
    rname: `hostmaster.${origin}`,
    serial: 1,
    refresh: 7200,
    retry: 3600,
    expire: 86_400,
    minimum: 60,
  };
  return { type: 'SOA', name: origin, ttl: 60, data };
}

interface Section {
  readonly origin: string;
  readonly text: string;
}

/** RFC 1035 5.1: a relative name takes the `$ORIGIN` in force where it stands. */
function splitAtOrigins(text: string, origin: string | undefined): Section[] {
  if (/^\$INCLUDE\b/im.test(text)) throw new Error('$INCLUDE is not served: give the files one by one');
  const [head = '', ...rest] = text.split(/^\$ORIGIN\s+/im);
  const ttl = /^\$TTL\s+\S+/im.exec(text)?.[0] ?? '$TTL 60';
  const sections = rest.map((part) => {
    const [name = '', body = ''] = splitOnce(part, /[\s;]/);
    return { origin: name, text: body };
  });
  const all = origin === undefined ? sections : [{ origin, text: head }, ...sections];
  return all.map((section) => ({
    origin: canonicalName(section.origin),
    text: `$ORIGIN ${canonicalName(section.origin)}.\n${ttl}\n${section.text}`,
  }));
}

function splitOnce(text: string, at: RegExp): [string, string] {
  const index = text.search(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index)];
}

function dedent(text: string): string {
  const lines = text.split(/\r?\n/);
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const common = Math.min(...indents);
  return Number.isFinite(common) ? lines.map((line) => line.slice(common)).join('\n') : text;
}

function readSection({ origin, text }: Section): WireRecord[] {
  return parseZone(text).records.map((record) => {
    const name = checkedName(record.name);
    const base = { name, ttl: record.ttl };
    return { ...base, ...readData(record.type, record.content, origin, name) } as WireRecord;
  });
}

function checkedName(name: string): string {
  const canonical = canonicalName(name);
  const long = canonical.split('.').find((label) => Buffer.byteLength(label) > LABEL_OCTETS_MAX);
  if (long !== undefined) throw new Error(`a label of \`${canonical}\` is over ${LABEL_OCTETS_MAX} octets`);
  return canonical;
}

function readData(
  type: string,
  content: string,
  origin: string,
  owner: string,
): { type: string; data: unknown } {
  const words = content.split(/\s+/);
  const name = (index: number) => absolute(words[index] ?? '', origin);
  const number = (index: number) => Number(words[index] ?? 0);
  switch (type) {
    case 'A':
    case 'AAAA':
      return { type, data: words[0] ?? '' };
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return { type, data: name(0) };
    case 'MX':
      return { type, data: { preference: number(0), exchange: name(1) } };
    case 'SRV':
      return { type, data: { priority: number(0), weight: number(1), port: number(2), target: name(3) } };
    case 'TXT':
      return { type, data: characterStrings(content, owner) };
    case 'SOA': {
      const [serial, refresh, retry, expire, minimum] = [2, 3, 4, 5, 6].map(number);
      return {
        type,
        data: { mname: name(0), rname: name(1), serial, refresh, retry, expire, minimum },
      };
    }
    default:
      throw new Error(`cannot serve record type \`${type}\` at \`${owner}\``);
  }
}

function absolute(name: string, origin: string): string {
  if (name === '@') return origin;
  if (name === '.') return '.';
  return name.endsWith('.') ? canonicalName(name) : `${name.toLowerCase()}.${origin}`;
}

const CHARACTER_STRING = /"((?:\\.|[^"\\])*)"|((?:\\.|[^\s"\\])+)/gs;

/** RFC 1035 5.1: strings quoted or bare, `\X` is that character, `\DDD` is the octet of that value. */
function characterStrings(content: string, owner: string): Buffer[] {
  const strings = [...content.matchAll(CHARACTER_STRING)].map(([, quoted, bare]) =>
    octets(quoted ?? bare ?? ''),
  );
  if (strings.some((string) => string.length > STRING_OCTETS_MAX)) {
    throw new Error(`a string of the TXT record at \`${owner}\` is over ${STRING_OCTETS_MAX} octets`);
  }
  if (strings.reduce((sum, string) => sum + string.length + 1, 0) > RDATA_OCTETS_MAX) {
    throw new Error(`the TXT record at \`${owner}\` is over ${RDATA_OCTETS_MAX} octets`);
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
