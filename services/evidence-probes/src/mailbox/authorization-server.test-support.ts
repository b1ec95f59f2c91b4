import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { styleText } from 'node:util';
import type { Configuration, Provider } from 'oidc-provider';

export const CLIENT = { clientId: 'orchestrate', clientSecret: 'client-secret:with+signs %/=' } as const;
export const SCOPES = ['openid', 'offline_access', 'gmail.send', 'gmail.readonly'] as const;

/** An authorization server on loopback (RFC 6749, 7009, 7662) that rotates refresh tokens, and a grant made there. */
export async function startAuthorizationServer(options: { readonly rotates?: boolean } = {}) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = await quietly(async () => {
    const oidc = await import('oidc-provider');
    return new oidc.default(url, configuration(options.rotates ?? false));
  });
  provider.on('server_error', (_, error) =>
    process.stderr.write(`${styleText('red', String(error.stack))}\n`),
  );
  server.on('request', provider.callback());
  return {
    introspectionUrl: `${url}/token/introspection`,
    tokenUrl: `${url}/token`,
    /** With the credentials of the client in it, for a mail server that asks there. */
    introspectionUrlWithClient: `${url}/token/introspection`.replace('//', `//${userInfoOf(CLIENT)}@`),
    grant: () => makeGrant(provider, url),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async [Symbol.asyncDispose]() {
      await this.stop();
    },
  };
}

function configuration(rotates: boolean): Configuration {
  return {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        token_endpoint_auth_method: 'client_secret_basic',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['https://orchestrate.test/back'],
      },
    ],
    scopes: [...SCOPES],
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
    },
    rotateRefreshToken: rotates,
    ttl: { AccessToken: 3_600, RefreshToken: 86_400, Grant: 86_400, IdToken: 3_600 },
    cookies: { keys: ['only for tests'] },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  };
}

/** Encoded once for the authorization server, which decodes what it is sent (RFC 6749 2.3.1), and once for the URL. */
function userInfoOf({ clientId, clientSecret }: typeof CLIENT): string {
  return [clientId, clientSecret].map((part) => encodeURIComponent(encodeURIComponent(part))).join(':');
}

async function makeGrant(provider: Provider, url: string) {
  const client = await provider.Client.find(CLIENT.clientId);
  if (!client) throw new Error('the client is not registered');
  const grant = new provider.Grant({ clientId: client.clientId, accountId: 'ann' });
  grant.addOIDCScope(SCOPES.join(' '));
  const grantId = await grant.save();
  const token = { client, accountId: 'ann', grantId, scope: SCOPES.join(' '), gty: 'authorization_code' };
  const refresh = new provider.RefreshToken({ ...token, expiresWithSession: false } as never);
  const access = new provider.AccessToken({ ...token, expiresWithSession: false } as never);
  return {
    refreshToken: await refresh.save(),
    accessToken: await access.save(),
    revoke: (revoked: string) => revoke(url, revoked),
    /** From now on access tokens are issued without these. */
    async withdraw(...scopes: string[]) {
      grant.rejectOIDCScope(scopes.join(' '));
      await grant.save();
    },
  };
}

/** RFC 7009 2.1. */
async function revoke(url: string, token: string): Promise<void> {
  const pair = `${CLIENT.clientId}:${encodeURIComponent(CLIENT.clientSecret)}`;
  const response = await fetch(`${url}/token/revocation`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams({ token }),
  });
  if (!response.ok) throw new Error(`not revoked: ${response.status}`);
}

/** The provider tells at length on the console that its keys and its store are those of a test. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { info, warn } = console;
  console.info = console.warn = () => undefined;
  try {
    return await work();
  } finally {
    Object.assign(console, { info, warn });
  }
}
