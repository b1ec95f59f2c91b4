import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Whether a service does its work, and the figures that say how. */
export interface Health {
  readonly ok: boolean;
  readonly detail: Record<string, unknown>;
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number;
}

/** The text format that Prometheus has always read. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Answers `GET /healthz` with 200 or 503 and a JSON body, and `GET /metrics` for Prometheus. */
export async function startHealthServer(
  at: { host: string; port: number },
  health: () => Health,
  metrics: () => Promise<string>,
): Promise<HealthServer> {
  const answerHealth = (response: ServerResponse) => {
    const { ok, detail } = askFor(health);
    answerJson(response, ok ? 200 : 503, { ok, ...detail });
  };
  const answerMetrics = async (response: ServerResponse) => {
    try {
      answer(response, 200, METRICS_TYPE, await metrics());
    } catch (error) {
      answerJson(response, 500, { error: (error as Error).message });
    }
  };
  const pages = new Map([
    ['/healthz', answerHealth],
    ['/metrics', answerMetrics],
  ]);
  const server = createServer((request, response) => {
    const page = pages.get(request.url?.split('?', 1)[0] ?? '');
    if (!page) return answerJson(response, 404, { error: 'no such page: ask for /healthz or /metrics' });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answerJson(response, 405, { error: 'only GET is answered here' });
    }
    return page(response);
  });
  server.listen(at.port, at.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A service that cannot say how it is, is not well. */
function askFor(health: () => Health): Health {
  try {
    return health();
  } catch (error) {
    return { ok: false, detail: { error: (error as Error).message } };
  }
}

function answerJson(response: ServerResponse, status: number, body: object): void {
  answer(response, status, 'application/json', JSON.stringify(body));
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}
