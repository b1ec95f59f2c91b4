/**
 * Writes leads/*.csv and suppressions/*.csv: the same bytes at every run. Lists of people as they come out of real
 * systems, so with names in many scripts, duplicates, addresses that are none, and rows that are broken.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface ListPlan {
  /** Different people, each with one good row. */
  readonly people: number;
  readonly duplicates: number;
  readonly badAddresses: number;
  /** Rows with more fields than the header. */
  readonly brokenRows: number;
  readonly suppressed: number;
  /** People on the suppression list of whom the leads know nothing. */
  readonly suppressedElsewhere: number;
  readonly replied: number;
  readonly outOfOffice: number;
  readonly touchedByColleague: number;
  readonly unverified: number;
  readonly withoutProvenance: number;
  readonly newline: '\n' | '\r\n';
  readonly byteOrderMark: boolean;
}

const SMALL: ListPlan = {
  people: 36,
  duplicates: 1,
  badAddresses: 1,
  brokenRows: 0,
  suppressed: 2,
  suppressedElsewhere: 1,
  replied: 0,
  outOfOffice: 0,
  touchedByColleague: 0,
  unverified: 1,
  withoutProvenance: 0,
  newline: '\n',
  byteOrderMark: false,
};

export const LISTS: Readonly<Record<string, ListPlan>> = {
  aurora: {
    people: 1012,
    duplicates: 16,
    badAddresses: 10,
    brokenRows: 4,
    suppressed: 24,
    suppressedElsewhere: 12,
    replied: 14,
    outOfOffice: 6,
    touchedByColleague: 6,
    unverified: 40,
    withoutProvenance: 20,
    newline: '\r\n',
    byteOrderMark: true,
  },
  birch: { ...SMALL, people: 30 },
  cedar: { ...SMALL, people: 40, brokenRows: 1 },
  dune: { ...SMALL, people: 48, replied: 2, newline: '\r\n' },
  ember: { ...SMALL, people: 34 },
  fjord: { ...SMALL, people: 44, duplicates: 2 },
  grove: { ...SMALL, people: 38, newline: '\r\n', byteOrderMark: true },
  harbor: { ...SMALL, people: 50, withoutProvenance: 22 },
  iris: { ...SMALL, people: 36, unverified: 0 },
  juniper: { ...SMALL, people: 46, outOfOffice: 1, touchedByColleague: 1 },
  kelp: { ...SMALL, people: 42, replied: 1, badAddresses: 2 },
};

const COLUMNS = [
  'email',
  'firstName',
  'lastName',
  'company',
  'role',
  'verified',
  'provenance',
  'conversation',
  'x_source',
];

// biome-ignore format: lists of words
const FIRST_NAMES = ['Zoë', 'Łukasz', 'Søren', 'José', 'Chloé', 'Björn', 'Ayşe', 'Nguyễn', 'Márta', 'Jürgen', 'Siobhán', 'Mateo', 'Anaïs', 'Ivan', 'Priya', 'Kofi', 'Aiko', 'Thandiwe', 'Omar', 'Hannah', 'Élodie', 'Rūta', 'Þóra', 'Dmitri', 'Noor', 'Giulia', 'Emil', 'Fatima', 'Leif', 'Sunita', '美咲', '小明'];
// biome-ignore format: lists of words
const LAST_NAMES = ['Müller', 'Kowalski', 'Nørgaard', 'García', "O'Brien", 'Åkesson', 'Yılmaz', 'Trần', 'Szabó', 'Weiß', 'Ní Dhomhnaill', 'Fernández', 'Lefèvre', 'Petrov', 'Sharma', 'Mensah', 'Tanaka', 'Dlamini', 'Haddad', 'Smith', 'Dubois', 'Jankauskas', 'Sigurðsson', 'Smirnov', 'van der Berg', 'Rossi', 'Hansen', 'Al-Sayed', 'Lindqvist', 'Patel', 'Sato', 'Wang'];
// biome-ignore format: lists of words
const COMPANIES = ['Alder & Sons', 'Blue Lantern', 'Cobalt Works', 'Driftwood Labs', 'Elm Street Books', 'Fennel Foods', 'Granite Freight', 'Hawthorn Health', 'Inkwell Press', 'Jasmine Travel', 'Kestrel Optics', 'Larch, Pine & Partner', 'Meadow Dairy', 'Nimbus Sails', 'Orchard Tools', 'Pebble Games', 'Quarry Stone', 'Reed Instruments', 'Saffron "Gold" Trading', 'Thistle Textiles', 'Umber Paints', 'Vellum Archive', 'Willow Energy', 'Yarrow Seeds', 'Bücher König'];
const ROLES = ['Operations', 'Head of Sales', 'CTO', 'Marketing', 'Founder', 'Customer Success', ''];
const PROVENANCE = [
  'verified_import',
  'verified_import',
  'icp_rule_match',
  'icp_rule_match',
  'referral',
  'inbound_interest',
  'existing_customer',
];
const YES = ['true', 'yes', 'TRUE', 'Yes'];
const NO = ['false', 'no', ''];
// biome-ignore format: lists of words
const BAD_ADDRESSES = ['no-at-sign.example', 'two@@signs.example', 'a space@inside.example', '@nobody.example', 'nowhere@', 'double..dot@blue-lantern.example', 'someone@localhost', 'comma,inside@cobalt-works.example', 'under@-hyphen.example', ''];
const SUPPRESSION_REASONS = ['unsubscribed', 'complained', 'bounced', ''];

interface Person {
  readonly email: string;
  readonly fields: readonly string[];
}

/** The files by path, relative to this example. */
export function generateLists(): Map<string, string> {
  return new Map(
    Object.entries(LISTS).flatMap(([tenant, plan]) => {
      const random = randomOf(tenant);
      const people = peopleOf(plan, random);
      return [
        [`leads/${tenant}.csv`, leadsText(plan, people, random)],
        [`suppressions/${tenant}.csv`, suppressionsText(plan, people, random)],
      ] as [string, string][];
    }),
  );
}

function peopleOf(plan: ListPlan, random: Random): Person[] {
  const places = shuffled(plan.people, random);
  const take = (count: number) => new Set(places.splice(0, count));
  const suppressed = take(plan.suppressed);
  const conversations = new Map([
    ...[...take(plan.replied)].map((place) => [place, 'replied'] as const),
    ...[...take(plan.outOfOffice)].map((place) => [place, 'out_of_office'] as const),
    ...[...take(plan.touchedByColleague)].map((place) => [place, 'touched_by_colleague'] as const),
  ]);
  const unverified = take(plan.unverified);
  const withoutProvenance = take(plan.withoutProvenance);
  const people = Array.from({ length: plan.people }, (_, place): Person & { suppressed: boolean } => {
    const first = FIRST_NAMES[(place * 7 + random.below(3)) % FIRST_NAMES.length]!;
    const last = random.of(LAST_NAMES);
    const company = random.of(COMPANIES);
    const email = `${localPart(first, last)}${place + 1}@${domainOf(company)}`;
    const fields = [
      email,
      first,
      last,
      company,
      random.of(ROLES),
      random.of(unverified.has(place) ? NO : YES),
      withoutProvenance.has(place) ? '' : random.of(PROVENANCE),
      conversations.get(place) ?? (random.below(10) === 0 ? 'none' : ''),
      random.below(4) === 0 ? 'fair 2026' : '',
    ];
    return { email, fields, suppressed: suppressed.has(place) };
  });
  return people.toSorted((one, other) => Number(other.suppressed) - Number(one.suppressed));
}

function leadsText(plan: ListPlan, people: readonly Person[], random: Random): string {
  const order = shuffled(people.length, random);
  const rows = order.map((place) => people[place]!.fields);
  for (let count = 0; count < plan.duplicates; count++) {
    const [email = '', ...rest] = rows[random.below(Math.floor(rows.length / 2))]!;
    const respelled = [email, email.toUpperCase(), ` ${email}`, capitalised(email)][count % 4]!;
    insertLater(rows, [respelled, ...rest], random);
  }
  for (let count = 0; count < plan.badAddresses; count++) {
    const [, ...rest] = random.of(rows);
    insertLater(rows, [BAD_ADDRESSES[count % BAD_ADDRESSES.length]!, ...rest], random);
  }
  for (let count = 0; count < plan.brokenRows; count++) {
    const email = `broken${count + 1}@driftwood-labs.example`;
    insertLater(
      rows,
      [email, 'Max', 'Muster', 'Driftwood Labs', 'Operations', 'true', 'referral', '', '', 'one', 'too many'],
      random,
    );
  }
  return textOf([COLUMNS, ...rows], plan);
}

function suppressionsText(plan: ListPlan, people: readonly Person[], random: Random): string {
  const known = people
    .slice(0, plan.suppressed)
    .map(({ email }, index) => (index % 3 === 1 ? email.toUpperCase() : email));
  const elsewhere = Array.from(
    { length: plan.suppressedElsewhere },
    (_, index) => `left${index + 1}@umber-paints.example`,
  );
  const rows = [...known, ...elsewhere].map((email) => [email, random.of(SUPPRESSION_REASONS)]);
  return textOf([['email', 'reason'], ...rows], plan);
}

function insertLater(rows: (readonly string[])[], row: readonly string[], random: Random): void {
  const half = Math.floor(rows.length / 2);
  rows.splice(half + random.below(rows.length - half), 0, row);
}

function textOf(rows: readonly (readonly string[])[], { newline, byteOrderMark }: ListPlan): string {
  const lines = rows.map((fields) => fields.map(quoted).join(','));
  return `${byteOrderMark ? '\uFEFF' : ''}${lines.join(newline)}${newline}`;
}

/** RFC 4180 2.6 and 2.7. */
function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

function localPart(first: string, last: string): string {
  const plain = (name: string) =>
    name
      .normalize('NFD')
      .replaceAll('ß', 'ss')
      .replace(/[^A-Za-z]/g, '')
      .toLowerCase();
  return [plain(first), plain(last)].filter((part) => part !== '').join('.');
}

/** One of the companies has a domain with an umlaut. */
function domainOf(company: string): string {
  const label = company
    .toLowerCase()
    .replace(/[^\p{L}]+/gu, '-')
    .replace(/^-|-$/g, '');
  return `${label}.example`;
}

interface Random {
  below(limit: number): number;
  of<T>(items: readonly T[]): T;
}

/** mulberry32: good enough to shuffle with, and the same everywhere. */
function randomOf(word: string): Random {
  let state = [...word].reduce((sum, letter) => Math.imul(sum, 31) + letter.codePointAt(0)!, 2026);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, of: (items) => items[below(items.length)]! };
}

function shuffled(length: number, random: Random): number[] {
  const places = Array.from({ length }, (_, place) => place);
  for (let at = length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [places[at], places[other]] = [places[other]!, places[at]!];
  }
  return places;
}

if (import.meta.main) {
  const lists = generateLists();
  for (const [path, text] of lists) writeFileSync(join(import.meta.dirname, '..', path), text);
  console.log(`wrote ${lists.size} files`);
}
