import { createSocket, type RemoteInfo } from 'node:dgram';
import { addAbortListener } from 'node:events';
import { connect } from 'node:net';
import { type Query, type Reading, readReply } from './query-message.ts';
import type { ServerAddress } from './server-address.ts';

/** What came of one query to one server. `unreachable`: nobody listens there, or the connection broke. */
export type Exchanged = Exclude<Reading, { kind: 'stray' }> | { readonly kind: 'unreachable' | 'given_up' };

/** Whoever floods a query with messages that do not belong to it must not keep us reading. */
const STRAYS_MAX = 100;
const LENGTH_OCTETS = 2;
const MESSAGE_OCTETS_MAX = 65_535;

/**
 * One datagram there and one back, from a port of its own that the system chooses. RFC 5452 9.1: an answer comes from
 * the address that was asked; the kernel sees to it once the socket is connected, and we for what came before.
 */
export async function exchangeUdp(
  server: ServerAddress,
  query: Query,
  signal: AbortSignal,
): Promise<Exchanged> {
  const { promise, resolve } = Promise.withResolvers<Exchanged>();
  await using socket = createSocket(server.family === 6 ? 'udp6' : 'udp4');
  using _ = addAbortListener(signal, () => resolve({ kind: 'given_up' }));
  let strays = 0;
  let asked: { readonly address: string; readonly port: number } | undefined;
  socket.on('error', () => resolve({ kind: 'unreachable' }));
  socket.on('message', (message: Buffer, from: RemoteInfo) => {
    const isFromAsked = from.address === asked?.address && from.port === asked.port;
    const reading: Reading = isFromAsked ? readReply(message, query) : { kind: 'stray' };
    if (reading.kind !== 'stray') resolve(reading);
    else if (++strays >= STRAYS_MAX) resolve({ kind: 'garbage' });
  });
  socket.connect(server.port, server.host, (error?: Error) => {
    if (error) return resolve({ kind: 'unreachable' });
    asked = socket.remoteAddress();
    socket.send(query.bytes);
  });
  return await promise;
}

/** RFC 1035 4.2.2: over TCP each message is preceded by its length in two octets. What follows the first is not read. */
export async function exchangeTcp(
  server: ServerAddress,
  query: Query,
  signal: AbortSignal,
): Promise<Exchanged> {
  const { promise, resolve } = Promise.withResolvers<Exchanged>();
  using _ = addAbortListener(signal, () => resolve({ kind: 'given_up' }));
  const socket = connect({ host: server.host, port: server.port });
  const received = Buffer.alloc(LENGTH_OCTETS + MESSAGE_OCTETS_MAX);
  let octets = 0;
  socket.on('error', () => resolve({ kind: 'unreachable' }));
  socket.on('close', () => resolve({ kind: 'unreachable' }));
  socket.on('connect', () => socket.write(Buffer.concat([lengthOf(query.bytes), query.bytes])));
  socket.on('data', (chunk: Buffer) => {
    octets += chunk.copy(received, octets);
    const end = LENGTH_OCTETS + received.readUInt16BE(0);
    if (octets < LENGTH_OCTETS || octets < end) return;
    const reading = readReply(received.subarray(LENGTH_OCTETS, end), query);
    resolve(reading.kind === 'stray' ? { kind: 'garbage' } : reading);
  });
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function lengthOf(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_OCTETS);
  length.writeUInt16BE(message.length);
  return length;
}
