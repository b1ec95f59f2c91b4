import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export interface ImapPeerOptions {
  /** What is said of the server's abilities. */
  readonly capabilities?: string;
  /** The tagged reply to a command, without its tag, such as `NO [UNAVAILABLE] later`. Null hangs. Default: `OK done`. */
  readonly replies?: Readonly<Record<string, string | null>>;
}

/** Speaks just as much IMAP on loopback as it takes to reply in a way that no well-kept server would. */
export async function startImapPeer({ capabilities = 'IMAP4rev1', replies = {} }: ImapPeerOptions) {
  const sockets = new Set<Socket>();
  const commands: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.write('* OK ready\r\n');
    createInterface(socket).on('line', (line) => {
      const [tag = '', command = ''] = line.split(' ');
      commands.push(command);
      const reply = replies[command] === undefined ? 'OK done' : replies[command];
      if (command === 'CAPABILITY') socket.write(`* CAPABILITY ${capabilities}\r\n`);
      if (reply !== null) socket.write(`${tag} ${reply}\r\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    commands: commands as readonly string[],
    get open() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
