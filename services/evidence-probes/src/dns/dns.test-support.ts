import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Answer } from '../probe/answer.ts';
import type { DnsResolver } from './dns-answer.ts';
import { createDnsResolver } from './resolver.ts';

/** What a test DNS server is started with: one zone `test` in master format, and an empty reverse zone. */
export function serving<Behaviours extends object>(zone: string, behaviours?: Behaviours) {
  return { zones: { test: zone, 'in-addr.arpa': '' }, ...(behaviours === undefined ? {} : { behaviours }) };
}

/** Long enough for the busiest machine: nothing that answers is taken for silent. */
const PATIENT_MS = 30_000;
/** For a server that never answers. */
const IMPATIENT_MS = 100;

export function patienceFor(behaviour: string): number {
  return behaviour === 'silent' ? IMPATIENT_MS : PATIENT_MS;
}

export function resolverFor(server: { readonly address: string }, timeoutMs = PATIENT_MS): DnsResolver {
  return createDnsResolver({ servers: [server.address], timeoutMs, tries: 1 });
}

export function resolverOf(
  servers: readonly { readonly address: string }[],
  change: { readonly timeoutMs?: number; readonly tries?: number } = {},
): DnsResolver {
  const addresses = servers.map(({ address }) => address);
  return createDnsResolver({ servers: addresses, timeoutMs: PATIENT_MS, tries: 1, ...change });
}

/** `{ spf: 'pass', dkim: '?timeout' }`: values as they are, unknowns with a question mark. */
export function summary(answers: readonly Answer[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    answers.map((answer) => [answer.fact, 'unknown' in answer ? `?${answer.unknown}` : answer.value]),
  );
}

/** A TXT record of any length in master format, cut into strings of 250. */
export function txt(text: string): string {
  const strings = text.match(/.{1,250}/gs) ?? [''];
  return `TXT ${strings.map((string) => `"${string}"`).join(' ')}`;
}

export interface Reply {
  send(message: Buffer): void;
  /** To the same socket, from another port than the one that was asked. */
  sendFromElsewhere(message: Buffer): void;
}

export interface RawHandlers {
  readonly udp: (query: Buffer, reply: Reply) => void;
  readonly tcp?: (socket: Socket) => void;
}

/** A server on UDP and TCP of one port that says whatever it is told to, well-formed or not. */
export async function startRawServer({ udp: answer, tcp: accept }: RawHandlers) {
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket.on('error', () => socket.destroy()));
    accept?.(socket);
  });
  const udp = await bindBoth(tcp);
  const elsewhere = createSocket('udp4');
  let queries = 0;
  udp.on('message', (query: Buffer, { port, address }: RemoteInfo) => {
    queries += 1;
    answer(query, {
      send: (message) => udp.send(message, port, address),
      sendFromElsewhere: (message) => elsewhere.send(message, port, address),
    });
  });
  return {
    address: `127.0.0.1:${udp.address().port}`,
    get queries() {
      return queries;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      tcp.close();
      await Promise.all([udp[Symbol.asyncDispose](), elsewhere[Symbol.asyncDispose](), once(tcp, 'close')]);
    },
  };
}

async function bindBoth(tcp: Server): Promise<UdpSocket> {
  for (;;) {
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const udp = createSocket('udp4');
    try {
      udp.bind((tcp.address() as AddressInfo).port, '127.0.0.1');
      await once(udp, 'listening');
      return udp;
    } catch {
      udp.close();
      tcp.close();
      await once(tcp, 'close');
    }
  }
}
