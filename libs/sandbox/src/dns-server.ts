import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import {
  answerQuestion,
  type DnsBehaviour,
  RCODES,
  type Rcode,
  type Served,
  type ZoneAnswer,
} from './dns-answer.ts';
import { canonicalName, readZone, type Zone } from './dns-zone.ts';

/**
 * An authoritative DNS server on loopback, UDP and TCP on one port. It serves zone files and zone texts, and
 * can be told to fail for a name and all below it. An answer over the size the client takes (512 octets, or
 * what its EDNS record says, RFC 6891) comes back empty with TC set, so that the client asks again over TCP.
 */
export interface DnsServerOptions {
  /** Paths of zone files in RFC 1035 master format, each with its own `$ORIGIN`. */
  readonly zoneFiles?: readonly string[];
  /** Zone text by origin. */
  readonly zones?: Readonly<Record<string, string>>;
  /** Default: a free one. */
  readonly port?: number;
  /** By zone or name; `.` is every name. */
  readonly behaviours?: Readonly<Record<string, DnsBehaviour>>;
}

export interface DnsServer extends AsyncDisposable {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** `127.0.0.1:PORT`, as a resolver takes it. */
  readonly address: string;
  /** Questions received so far, retries and the unanswered ones included. */
  readonly queries: number;
  /** Serves these zone texts, and the zone files read anew, in place of what was served. */
  reload(zones?: Readonly<Record<string, string>>): void;
  /** Serves these zones, and misbehaves like this, in place of what was served. */
  serve(served: Served): void;
  /** `null` makes the name behave again. */
  setBehaviour(name: string, behaviour: DnsBehaviour | null): void;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const UDP_OCTETS_MIN = 512;
const EDNS: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};
const MESSAGE_OCTETS_MAX = 65_535;
const HEADER_OCTETS = 12;
const PORT_TRIES = 20;
const OPCODE_MASK = 0x7800;
const RECURSION_DESIRED = 0x0100;

export async function startDnsServer(options: DnsServerOptions = {}): Promise<DnsServer> {
  const zoneFiles = options.zoneFiles ?? [];
  let behaviours = new Map(
    Object.entries(options.behaviours ?? {}).map(([name, behaviour]) => [canonicalName(name), behaviour]),
  );
  let zones: Served['zones'] = readZones(zoneFiles, options.zones ?? {});
  let queries = 0;

  const respond = (message: Buffer, octetsMax: (query: DecodedPacket) => number): Buffer | undefined => {
    const query = decodeQuery(message);
    if (query === 'not_a_query') return undefined;
    queries += 1;
    if (query === 'malformed')
      return encode({ type: 'response', id: message.readUInt16BE(0), flags: RCODES.formerr });
    const answer = answerQuery(query, zones, behaviours);
    return answer === 'silent' ? undefined : encodeWithin(query, answer, octetsMax(query));
  };

  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    serveStream(socket, (message) => respond(message, () => MESSAGE_OCTETS_MAX));
  });
  const udp = await bindBoth(tcp, options.port ?? 0);
  udp.on('message', (message: Buffer, from: RemoteInfo) => {
    const response = respond(message, udpOctetsMax);
    if (response !== undefined) udp.send(response, from.port, from.address);
  });

  const port = udp.address().port;
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= closeAll(tcp, udp, sockets);
    return stopped;
  };
  return {
    host: HOST,
    port,
    address: `${HOST}:${port}`,
    get queries() {
      return queries;
    },
    reload(texts = {}) {
      zones = readZones(zoneFiles, texts);
    },
    serve(served) {
      zones = served.zones;
      behaviours = new Map(served.behaviours);
    },
    setBehaviour(name, behaviour) {
      if (behaviour === null) behaviours.delete(canonicalName(name));
      else behaviours.set(canonicalName(name), behaviour);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function readZones(files: readonly string[], texts: Readonly<Record<string, string>>): Map<string, Zone> {
  const zones = [
    ...files.map((file) => readZone(readFileSync(file, 'utf8'))),
    ...Object.entries(texts).map(([origin, text]) => readZone(text, { origin })),
  ];
  return new Map(zones.map((zone) => [zone.origin, zone]));
}

function decodeQuery(message: Buffer): DecodedPacket | 'malformed' | 'not_a_query' {
  if (message.length < HEADER_OCTETS || (message.readUInt8(2) & 0x80) !== 0) return 'not_a_query';
  try {
    return decode(message);
  } catch {
    return 'malformed';
  }
}

function answerQuery(
  query: DecodedPacket,
  zones: ReadonlyMap<string, Zone>,
  behaviours: ReadonlyMap<string, DnsBehaviour>,
): ZoneAnswer | 'silent' {
  const [question, ...others] = query.questions ?? [];
  if (((query.flags ?? 0) & OPCODE_MASK) !== 0) return only('notimp');
  if (question === undefined || others.length > 0) return only('formerr');
  if (question.class !== undefined && question.class !== 'IN') return only('refused');
  if (question.type === 'AXFR' || question.type === 'IXFR') return only('refused');
  return answerQuestion(question, { zones, behaviours });
}

function only(rcode: Rcode): ZoneAnswer {
  return { rcode, authoritative: false, answers: [], authorities: [] };
}

function udpOctetsMax(query: DecodedPacket): number {
  const edns = query.additionals?.find((record) => record.type === 'OPT');
  return edns?.type === 'OPT' ? Math.max(UDP_OCTETS_MIN, edns.udpPayloadSize) : UDP_OCTETS_MIN;
}

function encodeWithin(query: DecodedPacket, answer: ZoneAnswer, octetsMax: number): Buffer {
  const whole = encode(responsePacket(query, answer, 0));
  if (whole.length <= octetsMax) return whole;
  if (octetsMax === MESSAGE_OCTETS_MAX) return encode(responsePacket(query, only('servfail'), 0));
  return encode(responsePacket(query, { ...answer, answers: [], authorities: [] }, TRUNCATED_RESPONSE));
}

function responsePacket(query: DecodedPacket, answer: ZoneAnswer, extraFlags: number): Packet {
  const withEdns = query.additionals?.some((record) => record.type === 'OPT') ?? false;
  return {
    type: 'response',
    id: query.id ?? 0,
    flags:
      RCODES[answer.rcode] | (answer.authoritative ? AUTHORITATIVE_ANSWER : 0) | echoed(query) | extraFlags,
    questions: query.questions ?? [],
    answers: [...answer.answers],
    authorities: [...answer.authorities],
    additionals: withEdns ? [EDNS] : [],
  };
}

/** RFC 1035 4.1.1: the opcode and RD are copied from the query. */
function echoed(query: DecodedPacket): number {
  return (query.flags ?? 0) & (OPCODE_MASK | RECURSION_DESIRED);
}

/** RFC 1035 4.2.2: over TCP each message is preceded by its length in two octets. */
function serveStream(socket: Socket, respond: (message: Buffer) => Buffer | undefined): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      const response = respond(pending.subarray(2, end));
      pending = pending.subarray(end);
      if (response !== undefined) socket.write(Buffer.concat([lengthOf(response), response]));
    }
  });
}

function lengthOf(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return length;
}

/** A port free for TCP may be taken for UDP: with port 0 the pair is tried again on another one. */
async function bindBoth(tcp: Server, wanted: number): Promise<UdpSocket> {
  for (let tries = 1; ; tries++) {
    tcp.listen(wanted, HOST);
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    try {
      udp.bind(port, HOST);
      await once(udp, 'listening');
      return udp;
    } catch (error) {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
      if (wanted !== 0 || tries === PORT_TRIES) throw error;
    }
  }
}

async function closeAll(tcp: Server, udp: UdpSocket, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = Promise.all([once(tcp, 'close'), once(udp, 'close')]);
  tcp.close();
  udp.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}
