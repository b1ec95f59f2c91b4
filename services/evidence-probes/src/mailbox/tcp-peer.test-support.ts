import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface TcpPeerOptions {
  /** Sent as soon as somebody connects; nothing more is said after it. */
  readonly says?: string;
  /** Closes every connection at once. */
  readonly hangsUp?: boolean;
  /** Nobody listens: the port was free a moment ago. */
  readonly gone?: boolean;
}

/** A peer on loopback that does not do what is expected of it. */
export async function startTcpPeer({ says, hangsUp = false, gone = false }: TcpPeerOptions) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
    if (says !== undefined) socket.write(says);
    if (hangsUp) socket.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  if (gone) await stop();
  return {
    port,
    /** Connections that are open now. */
    get open() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: stop,
  };
}
