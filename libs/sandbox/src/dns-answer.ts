import type { Question, StringAnswer, Answer as WireRecord } from 'dns-packet';
import { canonicalName, withParents, type Zone } from './dns-zone.ts';

/**
 * What an authoritative server says, without the sockets. RFC 1034 4.3.2 (the algorithm), RFC 2308 (NXDOMAIN
 * against NODATA), RFC 4592 (wildcards), RFC 6604 (the code of a CNAME chain is that of its last name).
 */
export const RCODES = { noerror: 0, formerr: 1, servfail: 2, nxdomain: 3, notimp: 4, refused: 5 } as const;
export type Rcode = keyof typeof RCODES;

export const DNS_BEHAVIOURS = ['silent', 'servfail', 'refused'] as const;
/** How a name and all below it misbehaves: no answer at all, or an answer with that code. */
export type DnsBehaviour = (typeof DNS_BEHAVIOURS)[number];

export interface ZoneAnswer {
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly answers: readonly WireRecord[];
  readonly authorities: readonly WireRecord[];
}

export interface Served {
  readonly zones: ReadonlyMap<string, Zone>;
  readonly behaviours: ReadonlyMap<string, DnsBehaviour>;
}

const CHAIN_NAMES_MAX = 16;

/** The answer to one question, or `silent` when the name is made to drop its queries. */
export function answerQuestion(question: Question, served: Served): ZoneAnswer | 'silent' {
  const answers: WireRecord[] = [];
  let name = canonicalName(question.name);
  let shownAs = question.name;
  for (let step = 0; step < CHAIN_NAMES_MAX; step++) {
    const behaviour = behaviourOf(name, served.behaviours);
    if (behaviour === 'silent') return 'silent';
    if (behaviour !== undefined) return without(behaviour);
    const zone = zoneOf(name, served.zones);
    if (zone === undefined) return step === 0 ? without('refused') : found(answers);

    const records = recordsAt(name, zone);
    if (records === undefined) return negative('nxdomain', answers, zone);
    const matches = records.filter(
      ({ type }) => question.type === type || (question.type as string) === 'ANY',
    );
    if (matches.length > 0) return found([...answers, ...named(matches, shownAs)]);
    const alias = records.find((record): record is StringAnswer => record.type === 'CNAME');
    if (alias === undefined) return negative('noerror', answers, zone);
    answers.push(...named([alias], shownAs));
    name = canonicalName(alias.data);
    shownAs = alias.data;
  }
  return without('servfail');
}

function behaviourOf(name: string, behaviours: ReadonlyMap<string, DnsBehaviour>): DnsBehaviour | undefined {
  const nearest = [...withParents(name), ''].find((parent) => behaviours.has(parent));
  return nearest === undefined ? undefined : behaviours.get(nearest);
}

function zoneOf(name: string, zones: ReadonlyMap<string, Zone>): Zone | undefined {
  const origin = withParents(name).find((parent) => zones.has(parent));
  return origin === undefined ? undefined : zones.get(origin);
}

/** The records of a name, none for an empty non-terminal, undefined where the name does not exist. */
function recordsAt(name: string, zone: Zone): readonly WireRecord[] | undefined {
  if (zone.names.has(name)) return zone.records.get(name) ?? [];
  const encloser = withParents(name).find((parent) => zone.names.has(parent));
  return zone.records.get(`*.${encloser}`);
}

/** The owner is written as it was asked: resolvers that mix the case of a name compare it. */
function named(records: readonly WireRecord[], name: string): WireRecord[] {
  return records.map((record) => ({ ...record, name }));
}

function found(answers: readonly WireRecord[]): ZoneAnswer {
  return { rcode: 'noerror', authoritative: true, answers, authorities: [] };
}

function negative(rcode: 'noerror' | 'nxdomain', answers: readonly WireRecord[], zone: Zone): ZoneAnswer {
  return { rcode, authoritative: true, answers, authorities: [zone.soa] };
}

function without(rcode: 'servfail' | 'refused'): ZoneAnswer {
  return { rcode, authoritative: false, answers: [], authorities: [] };
}
