import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { startTcpPeer } from './tcp-peer.test-support.ts';

export interface StubReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly afterMs?: number;
}

export interface StubRequest {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A web server on loopback that replies as it is told and keeps what it was asked. */
export async function startHttpStub(reply: (request: StubRequest) => StubReply) {
  const requests: StubRequest[] = [];
  const server = createServer(async (incoming, response) => {
    const request = await readRequest(incoming);
    requests.push(request);
    const { status = 200, headers = {}, body = '', afterMs = 0 } = reply(request);
    setTimeout(() => {
      response.writeHead(status, headers);
      response.end(body);
    }, afterMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests: requests as readonly StubRequest[],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readRequest(incoming: IncomingMessage): Promise<StubRequest> {
  const { method = '', url = '', headers } = incoming;
  return { method, url, authorization: headers.authorization, body: await text(incoming) };
}

/** Ways in which nobody answers over HTTP, and the reason that each leaves. */
export const UNPLUGGED = [
  ['gone', async () => startTcpPeer({ gone: true }), 'unreachable'],
  ['hanging after the connection', async () => startTcpPeer({}), 'timeout'],
  [
    'speaking something else',
    async () => startTcpPeer({ says: '\u0000\u0001 garbage\r\n\r\n' }),
    'no_answer',
  ],
  ['hanging up', async () => startTcpPeer({ hangsUp: true }), 'no_answer'],
  [
    'stopping in the middle of its reply',
    async () => startTcpPeer({ says: 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"active":true' }),
    'timeout',
  ],
] as const;
