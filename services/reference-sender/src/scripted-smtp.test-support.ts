import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Where in a session the server does something other than what it should. */
export type Moment = 'greeting' | 'EHLO' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'in message' | 'after message';

/** `drop` ends the connection, `silence` says nothing more, `trickle` begins an answer that never ends. */
export type Fault = 'drop' | 'silence' | 'trickle' | `${number} ${string}`;

export interface ScriptedSmtp extends AsyncDisposable {
  readonly url: string;
  /** Connections in which a message was begun. */
  readonly messagesBegun: number;
  readonly connections: number;
  /** Ends the open connections, as a server does with those that are idle. */
  dropConnections(): void;
}

/** An SMTP server that misbehaves at one moment, from the n-th message on. */
export async function startScriptedSmtp(
  moment: Moment | null,
  fault: Fault,
  options: { fromMessage?: number; extensions?: readonly string[] } = {},
): Promise<ScriptedSmtp> {
  const sockets = new Set<Socket>();
  let [messages, messagesBegun, connections] = [0, 0, 0];
  const isFaulty = (at: Moment) => at === moment && messages + 1 >= (options.fromMessage ?? 1);
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    let [inMessage, hasSender, hasRecipient, isMute] = [false, false, false, false];
    const answer = (at: Moment, reply: string) => {
      if (isFaulty(at)) isMute = !commit(socket, fault);
      else socket.write(`${reply}\r\n`);
      return !isFaulty(at);
    };
    const hear = (line: string) => {
      const verb = line.split(' ', 1)[0]?.toUpperCase() as Moment | 'QUIT';
      if (inMessage && isFaulty('in message')) answer('in message', '');
      else if (inMessage && line !== '.') return;
      else if (inMessage) {
        inMessage = false;
        answer('after message', '250 taken');
        messages++;
      } else if (verb === 'QUIT') socket.end('221 bye\r\n');
      else if (verb === 'EHLO')
        answer(verb, ['250-scripted', ...(options.extensions ?? []), '250 HELP'].join('\r\n'));
      else if (verb === 'AUTH') answer(verb, '235 welcome');
      else if (verb === 'MAIL') hasSender = answer(verb, '250 ok');
      else if (verb === 'RCPT') hasRecipient = answer(verb, '250 ok') && hasSender;
      else if (verb !== 'DATA') answer(verb, '250 ok');
      else if (!hasRecipient) socket.write('503 nobody to send to\r\n');
      else if (answer(verb, '354 go on')) {
        inMessage = true;
        messagesBegun++;
      }
    };
    let pending = '';
    socket.on('data', (chunk) => {
      const lines = (pending + chunk.toString('latin1')).split('\r\n');
      pending = lines.pop() ?? '';
      for (const line of lines) if (!isMute) hear(line);
    });
    answer('greeting', '220 scripted');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const dropConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get messagesBegun() {
      return messagesBegun;
    },
    get connections() {
      return connections;
    },
    dropConnections,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      dropConnections();
      await closed;
    },
  };
}

/** Answers whether the session goes on. */
function commit(socket: Socket, fault: Fault): boolean {
  if (fault === 'drop') socket.destroy();
  else if (fault === 'trickle') {
    const timer = setInterval(() => socket.write('250-wait\r\n'), 20);
    socket.on('close', () => clearInterval(timer));
  } else if (fault !== 'silence') return socket.write(`${fault}\r\n`) || true;
  return false;
}
