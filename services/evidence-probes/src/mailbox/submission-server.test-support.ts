import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerAuthentication } from 'smtp-server';
import type { Certificate } from './certificate.test-support.ts';

export interface SubmissionOptions {
  readonly certificate?: Certificate;
  /** Whether a login is known at all. Default true. */
  readonly auth?: boolean;
  /** The reply to every login in place of looking at its credentials. */
  readonly reply?: { readonly code: number; readonly text: string };
  /** Whether a login is never replied to. */
  readonly hangs?: boolean;
}

export const USER = 'ann@example.com';
export const PASSWORD = 'planted-password +/=';
export const ACCESS_TOKEN = 'planted.access-token';

/** A submission server on loopback (RFC 6409) that knows one user; STARTTLS where it has a certificate. */
export async function startSubmissionServer({
  certificate,
  auth = true,
  reply,
  hangs,
}: SubmissionOptions = {}) {
  const logins: string[] = [];
  const server = new SMTPServer({
    disabledCommands: [...(certificate ? [] : ['STARTTLS']), ...(auth ? [] : ['AUTH'])],
    ...(certificate ?? {}),
    allowInsecureAuth: true,
    authOptional: !auth,
    authMethods: ['PLAIN', 'XOAUTH2'],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 100,
    onAuth(login, session, callback) {
      logins.push(`${login.method} ${session.secure ? 'in TLS' : 'in the clear'}`);
      if (hangs) return;
      if (reply) callback(Object.assign(new Error(reply.text), { responseCode: reply.code }));
      else if (isKnown(login)) callback(null, { user: USER });
      else if (login.method === 'XOAUTH2') callback(null, { data: { status: '401', schemes: 'bearer' } });
      else callback(new Error('5.7.8 no such user or password'));
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    logins: logins as readonly string[],
    get open() {
      return server.connections.size;
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

function isKnown({ method, username, password, accessToken }: SMTPServerAuthentication): boolean {
  if (username !== USER) return false;
  return method === 'XOAUTH2' ? accessToken === ACCESS_TOKEN : password === PASSWORD;
}
