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

/** Answers `GET /healthz` with 200 or 503 and a JSON body. */
export async function startHealthServer(
  at: { host: string; port: number },
  health: () => Health,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/healthz') return answer(response, 404, { error: 'no such page: ask for /healthz' });
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answer(response, 405, { error: 'only GET is answered here' });
    }
    const { ok, detail } = askFor(health);
    answer(response, ok ? 200 : 503, { ok, ...detail });
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

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
