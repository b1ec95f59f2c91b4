import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import type { ProviderLook, ProviderQuestion } from './ask-provider.ts';
import { askProvider } from './ask-provider.ts';

/** Looks like one, and is searched for wherever it must not appear. */
export const KEY = 'sk-test-0123456789abcdef';
export const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
export const LISTING = JSON.stringify({ object: 'list', data: [{ id: 'model-1', object: 'model' }] });

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestProvider extends AsyncDisposable {
  readonly baseUrl: string;
  readonly seen: readonly Seen[];
}

/** A provider on the loopback that remembers what it was asked. */
export async function startProvider(answer: RequestListener): Promise<TestProvider> {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    const body = (await Array.fromAsync(request)).join('');
    seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
    answer(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

export function startReplying(
  status: number,
  body: string | object,
  headers: Record<string, string> = {},
): Promise<TestProvider> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return startProvider((_, response) => void response.writeHead(status, headers).end(text));
}

/** Takes connections and says these octets, whatever it is asked; nothing at all when there are none. */
export async function startSaying(octets: string): Promise<TestProvider & { readonly connections: number }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    // a peer that hangs up is what half of these tests are about
    socket.on('error', () => socket.destroy());
    socket.once('data', () => octets !== '' && socket.end(octets));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    get connections() {
      return sockets.size;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Where nobody listens: a port that was free a moment ago. */
export async function closedPort(): Promise<string> {
  await using provider = await startSaying('');
  return provider.baseUrl;
}

export function question(
  provider: { readonly baseUrl: string },
  change: Partial<ProviderQuestion> = {},
): ProviderQuestion {
  return {
    style: 'openai',
    baseUrl: provider.baseUrl,
    key: async () => KEY,
    timeoutMs: 10_000,
    ...change,
  };
}

export function ask(
  provider: { readonly baseUrl: string },
  change: Partial<ProviderQuestion> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<ProviderLook> {
  return askProvider(question(provider, change), { nowMs: NOW_MS, signal });
}

/** Writes until the other side hangs up, and resolves with how much it took. */
export function flood(response: ServerResponse, beginning: string, octetsMax: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const chunk = Buffer.alloc(16_384, ' ');
  let octets = 0;
  response.on('close', () => resolve(octets));
  const write = () => {
    if (response.destroyed || octets >= octetsMax) return;
    octets += chunk.length;
    response.write(chunk, () => setImmediate(write));
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(beginning, write);
  return promise;
}
