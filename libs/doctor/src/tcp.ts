import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly isTls?: boolean;
}

/** Connects, lets `use` have the socket and ends it. Rejects when the whole takes longer than the limit. */
export async function withSocket<T>(
  target: TcpTarget,
  limitMs: number,
  use: (socket: Socket) => Promise<T> | T,
): Promise<T> {
  const { host, port, isTls = false } = target;
  const socket = isTls ? connectTls({ host, port, servername: host }) : connectTcp({ host, port });
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  // what breaks after the answer is nobody's news any more
  socket.on('error', late.reject);
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  try {
    const work = once(socket, isTls ? 'secureConnect' : 'connect').then(() => use(socket));
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
