import type { SoaData, Answer as WireRecord } from 'dns-packet';
import { type Entry, readEntries, type Word, type ZoneProblem } from './master-file.ts';
import { EntryProblem, isTime, readData, readName, readSeconds } from './record-data.ts';

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

/** A zone text that cannot be served. Names every problem at once, so that one edit mends them all. */
export class ZoneError extends Error {
  readonly code = 'zone_text';
  readonly problems: readonly ZoneProblem[];

  constructor(problems: readonly ZoneProblem[]) {
    const inOrder = problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0));
    super(inOrder.map(({ line, message }) => (line ? `line ${line}: ${message}` : message)).join('\n'));
    this.problems = inOrder;
  }
}

export interface ZoneReading {
  /** The name in force at the start, and that of the zone; without it the first `$ORIGIN` is both. */
  readonly origin?: string;
  /** RFC 1035 5.2: a zone has one SOA record, at its top. Else one that brings none gets a plain one. */
  readonly needsSoa?: boolean;
}

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
 * RFC 2308 wants the SOA in every negative answer, which is why there is always one.
 * Throws `ZoneError`.
 */
export function readZone(text: string, { origin, needsSoa = false }: ZoneReading = {}): Zone {
  const { entries, problems } = readEntries(dedent(text.replace(/^\uFEFF/, '')));
  const reader = new RecordReader(origin === undefined ? undefined : canonicalName(origin));
  for (const entry of entries) {
    try {
      reader.take(entry);
    } catch (error) {
      if (!(error instanceof EntryProblem)) throw error;
      problems.push({ line: entry.line, message: error.message });
    }
  }
  const { zoneOrigin, found } = reader;
  if (zoneOrigin === undefined) {
    throw new ZoneError([...problems, { message: 'a zone needs an origin: give one or start with $ORIGIN' }]);
  }
  const all = [...problems, ...strayNames(found, zoneOrigin), ...soaProblems(found, zoneOrigin, needsSoa)];
  if (all.length > 0) throw new ZoneError(all);
  return buildZone(
    zoneOrigin,
    found.map(({ record }) => record),
  );
}

interface FoundRecord {
  readonly line: number;
  readonly record: WireRecord;
}

const TTL_SEC = 60;

/** Goes through the entries in order: each stands under the origin, the TTL and the name of those before it. */
class RecordReader {
  readonly found: FoundRecord[] = [];
  zoneOrigin: string | undefined;
  #origin: string | undefined;
  #owner: string | undefined;
  #ttlSec = TTL_SEC;

  constructor(origin: string | undefined) {
    this.zoneOrigin = origin;
    this.#origin = origin;
  }

  take(entry: Entry): void {
    const [first] = entry.words;
    if (first?.text.startsWith('$') && !first.isQuoted) this.#direct(entry.words);
    else this.found.push({ line: entry.line, record: this.#record(entry) });
  }

  #direct([directive, value]: readonly Word[]): void {
    const name = directive?.text.toUpperCase();
    if (name !== '$ORIGIN' && name !== '$TTL') {
      throw new EntryProblem(`${directive?.text} is not served: write its records out`);
    }
    if (value === undefined) throw new EntryProblem(`${name} says nothing`);
    if (name === '$TTL') this.#ttlSec = readSeconds(value.text);
    else {
      this.#origin = readName(value.text, this.#originFor(value.text));
      this.zoneOrigin ??= this.#origin;
    }
  }

  #record({ words, startsBlank }: Entry): WireRecord {
    const rest = [...words];
    const name = startsBlank ? this.#owner : this.#ownerFrom(rest.shift());
    if (name === undefined) throw new EntryProblem('a record needs a name, and none stands before it');
    this.#owner = name;
    const ttl = this.#ttlFrom(rest);
    const type = rest.shift();
    if (type === undefined || type.isQuoted) throw new EntryProblem(`no record type is given at \`${name}\``);
    const typeName = type.text.toUpperCase();
    const data = readData(typeName, rest, this.#originFor(name), name);
    return { type: typeName, name, ttl, data } as WireRecord;
  }

  #ownerFrom(word: Word | undefined): string | undefined {
    if (word === undefined) return undefined;
    if (word.isQuoted) throw new EntryProblem(`\`${word.text}\` is a name: write it without quotes`);
    return readName(word.text, this.#originFor(word.text));
  }

  /** TTL and class stand before the type, in either order. */
  #ttlFrom(rest: Word[]): number {
    let ttlSec = this.#ttlSec;
    for (let next = rest[0]; next !== undefined && !next.isQuoted; next = rest[0]) {
      if (isTime(next.text)) ttlSec = readSeconds(next.text);
      else if (/^(CH|HS|CS)$/i.test(next.text)) throw new EntryProblem(`class ${next.text} is not served`);
      else if (!/^IN$/i.test(next.text)) break;
      rest.shift();
    }
    return ttlSec;
  }

  #originFor(name: string): string {
    if (this.#origin !== undefined) return this.#origin;
    if (name.endsWith('.') && name !== '.') return name.slice(0, -1).toLowerCase();
    throw new EntryProblem(`\`${name}\` needs an origin, and no $ORIGIN stands before it`);
  }
}

function isWithin(name: string, origin: string): boolean {
  // everything lies in the root zone
  return origin === '' || name === origin || name.endsWith(`.${origin}`);
}

function strayNames(found: readonly FoundRecord[], origin: string): ZoneProblem[] {
  return found
    .filter(({ record }) => !isWithin(record.name, origin))
    .map(({ line, record }) => ({
      line,
      message: `\`${record.name}\` lies outside its zone \`${origin}\``,
    }));
}

function soaProblems(found: readonly FoundRecord[], origin: string, needsSoa: boolean): ZoneProblem[] {
  const soas = found.filter(({ record }) => record.type === 'SOA');
  const [, second] = soas;
  const low = soas.find(({ record }) => record.name !== origin && isWithin(record.name, origin));
  if (low) return [{ line: low.line, message: `the SOA record of a zone stands at its top, \`${origin}\`` }];
  if (second) return [{ line: second.line, message: 'a zone has one SOA record, and this is another' }];
  if (soas.length > 0 || !needsSoa) return [];
  return [{ message: `the zone \`${origin}\` has no SOA record: \`${soaLine(origin)}\` will do` }];
}

function soaLine(origin: string): string {
  return `@ IN SOA ns.${origin}. hostmaster.${origin}. ( 1 7200 3600 86400 60 )`;
}

function buildZone(origin: string, records: readonly WireRecord[]): Zone {
  const soa = records.find(({ type }) => type === 'SOA') ?? plainSoa(origin);
  const byName = Map.groupBy(new Set([soa, ...records]), ({ name }) => name);
  const names = [...byName.keys()].flatMap(withParents);
  return { origin, soa, records: byName, names: new Set(names.filter((name) => isWithin(name, origin))) };
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

function dedent(text: string): string {
  const lines = text.split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const common = Math.min(...indents);
  return Number.isFinite(common) ? lines.map((line) => line.slice(common)).join('\n') : text;
}
