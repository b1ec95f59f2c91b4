import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { domainToASCII } from 'node:url';
import {
  SMTPServer,
  type SMTPServerDataStream,
  type SMTPServerOptions,
  type SMTPServerSession,
} from 'smtp-server';
import { MESSAGE_OCTETS_MAX } from './read-message.ts';
import type { SmtpOrigin } from './verify-message.ts';

export interface SeedMessage extends SmtpOrigin {
  readonly raw: Buffer;
  /** The local part of the recipient, in lower case. */
  readonly token: string;
}

export interface SeedIntakeOptions {
  /** The address to listen on. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Seeds are `<token>@<seedHost>`; mail for any other host is refused. */
  readonly seedHost: string;
  /** Whether this token was given out. A rejection defers the sender and turns nobody away. */
  readonly isSeed: (token: string) => boolean | Promise<boolean>;
  /** The sender is told 250 when this resolves, and 451 when it rejects. */
  readonly onMessage: (message: SeedMessage) => Promise<void>;
  readonly messageOctetsMax?: number;
  readonly connectionsMax?: number;
  /** For a whole connection: the idle time of SMTP starts anew with every octet. */
  readonly connectionMsMax?: number;
}

export interface SeedIntake extends AsyncDisposable {
  readonly port: number;
  stop(): Promise<void>;
}

const CONNECTIONS_MAX = 8;
const CONNECTION_MS_MAX = 300_000;
const CLOSE_MS_MAX = 1_000;

const NO_SUCH_SEED = replyWith(550, 'no such recipient here');
const TRY_LATER = replyWith(451, 'try again later');

/**
 * An SMTP server (RFC 5321) that takes mail for seed recipients only, one in each transaction, and keeps none
 * of it. No relaying, no authentication. Rejects when it cannot listen.
 */
export async function startSeedIntake(options: SeedIntakeOptions): Promise<SeedIntake> {
  const { connectionMsMax = CONNECTION_MS_MAX } = options;
  const deadlines = new Map<string, NodeJS.Timeout>();
  const server = new SMTPServer({
    ...limits(options),
    onConnect(session, callback) {
      deadlines.set(
        session.id,
        setTimeout(() => hangUp(server, session), connectionMsMax),
      );
      callback();
    },
    onClose(session) {
      clearTimeout(deadlines.get(session.id));
      deadlines.delete(session.id);
    },
    onRcptTo({ address }, _session, callback) {
      findSeed(address, options).then(
        (token) => callback(token === undefined ? NO_SUCH_SEED : null),
        () => callback(TRY_LATER),
      );
    },
    onData(stream, session, callback) {
      takeMessage(stream, session, options).then(
        () => callback(null, 'accepted'),
        () => callback(TRY_LATER),
      );
    },
  });
  // a client that goes away in mid-sentence is its own business
  server.on('error', () => undefined);
  server.listen(options.port, options.host);
  await once(server.server, 'listening');

  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= new Promise((resolve) => server.close(resolve));
    return stopped;
  };
  return {
    port: (server.server.address() as AddressInfo).port,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function limits(options: SeedIntakeOptions): SMTPServerOptions {
  return {
    name: options.seedHost,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: options.messageOctetsMax ?? MESSAGE_OCTETS_MAX,
    rejectOversized: true,
    maxClients: options.connectionsMax ?? CONNECTIONS_MAX,
    maxRecipients: 1,
    closeTimeout: CLOSE_MS_MAX,
  };
}

async function findSeed(address: string, options: SeedIntakeOptions): Promise<string | undefined> {
  const [token, host] = partsOf(address);
  if (token === '' || host !== domainToASCII(options.seedHost)) return undefined;
  return (await options.isSeed(token)) ? token : undefined;
}

/** A message over the size is read to its end and dropped; the server refuses it with 552 by itself. */
async function takeMessage(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  { onMessage }: SeedIntakeOptions,
): Promise<void> {
  const raw = await collect(stream);
  if (raw === undefined) return;
  const { mailFrom, rcptTo } = session.envelope;
  await onMessage({
    raw,
    token: partsOf(rcptTo[0]?.address ?? '')[0],
    clientIp: session.remoteAddress,
    helo: session.hostNameAppearsAs || '',
    mailFrom: mailFrom === false ? '' : mailFrom.address,
  });
}

async function collect(stream: SMTPServerDataStream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (stream.sizeExceeded) chunks.length = 0;
    else chunks.push(chunk as Buffer);
  }
  return stream.sizeExceeded ? undefined : Buffer.concat(chunks);
}

/** RFC 5321 2.4: relays keep the case of a local part or do not; a token does not depend on it. */
function partsOf(address: string): [token: string, host: string] {
  const at = address.lastIndexOf('@');
  return [address.slice(0, Math.max(at, 0)).toLowerCase(), domainToASCII(address.slice(at + 1))];
}

function hangUp(server: SMTPServer, session: SMTPServerSession): void {
  const connection = [...server.connections].find(({ id }) => id === session.id);
  connection?.send(421, 'this took too long');
}

function replyWith(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}
