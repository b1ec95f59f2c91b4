import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

export interface ReceivedMessage {
  /** Envelope sender; empty for the null reverse-path of a bounce. */
  readonly from: string;
  readonly to: readonly string[];
  /** As in its header field, angle brackets included; empty when there is none. */
  readonly messageId: string;
  /** Unfolded values by field name in lower case; a repeated field holds its values joined by a line feed. */
  readonly headers: ReadonlyMap<string, string>;
  readonly raw: string;
  /** The message octet by octet, dots unstuffed. */
  readonly bytes: Uint8Array;
}

export interface SmtpServerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Called before a message counts as received. A throw answers `451` and the message does not count. */
  readonly onMessage?: (message: ReceivedMessage) => void | Promise<void>;
  /** The reply that refuses a recipient, such as `550 5.1.1 no such user`, or null to take it. */
  readonly rejectRecipient?: (address: string) => string | null;
  /** Whether `messages` keeps what came; default true. */
  readonly keepsMessages?: boolean;
  /**
   * How long the reply to DATA is held back. The message is received before the wait: a sender that is gone
   * by then has sent a message and does not know it.
   */
  readonly dataDelayMs?: number;
}

export interface SmtpServer extends AsyncDisposable {
  /** `smtp://127.0.0.1:PORT` */
  readonly url: string;
  readonly messages: readonly ReceivedMessage[];
  /** Resolves with all messages once there are `count`; rejects after the timeout. */
  waitFor(count: number, timeoutMs: number): Promise<readonly ReceivedMessage[]>;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

/** An SMTP server on loopback (RFC 5321) that keeps what it is sent. No TLS, no authentication. */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<SmtpServer> {
  const messages: ReceivedMessage[] = [];
  const arrivals = new EventTarget();
  const stopping = new AbortController();

  const receive = async (stream: SMTPServerDataStream, session: SMTPServerSession) => {
    const message = readMessage(await collect(stream), session);
    await options.onMessage?.(message);
    if (options.keepsMessages ?? true) messages.push(message);
    arrivals.dispatchEvent(new Event('message'));
    if (options.dataDelayMs !== undefined)
      await delay(options.dataDelayMs, undefined, { signal: stopping.signal });
  };

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    // replies are sent exactly as a test wrote them
    hideENHANCEDSTATUSCODES: true,
    closeTimeout: 100,
    onRcptTo(address, _session, callback) {
      const refusal = options.rejectRecipient?.(address.address) ?? null;
      callback(refusal === null ? null : replyError(refusal));
    },
    onData(stream, session, callback) {
      receive(stream, session).then(
        () => callback(null, 'accepted'),
        (error: unknown) =>
          callback(replyError(`451 ${error instanceof Error ? error.message : String(error)}`)),
      );
    },
  });
  // a client that goes away in mid-sentence is its own business
  server.on('error', () => undefined);
  server.listen(options.port ?? 0, HOST);
  await once(server.server, 'listening');

  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopping.abort();
    stopped ??= new Promise((resolve) => server.close(resolve));
    return stopped;
  };
  return {
    url: `smtp://${HOST}:${(server.server.address() as AddressInfo).port}`,
    messages,
    waitFor: (count, timeoutMs) => waitFor(messages, arrivals, count, timeoutMs),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function waitFor(
  messages: readonly ReceivedMessage[],
  arrivals: EventTarget,
  count: number,
  timeoutMs: number,
): Promise<readonly ReceivedMessage[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  while (messages.length < count) {
    try {
      await once(arrivals, 'message', { signal });
    } catch (cause) {
      throw new Error(`waited ${timeoutMs} ms for ${count} messages, got ${messages.length}`, { cause });
    }
  }
  return messages;
}

async function collect(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function readMessage(bytes: Buffer, session: SMTPServerSession): ReceivedMessage {
  const raw = bytes.toString('utf8');
  const headers = readHeaders(raw);
  const { mailFrom, rcptTo } = session.envelope;
  return {
    from: mailFrom === false ? '' : mailFrom.address,
    to: rcptTo.map(({ address }) => address),
    messageId: headers.get('message-id') ?? '',
    headers,
    raw,
    bytes,
  };
}

/** RFC 5322 2.2.3: a line that starts with a space or a tab goes on with the field before it. */
function readHeaders(raw: string): Map<string, string> {
  const [head = ''] = raw.split(/\r?\n\r?\n/, 1);
  const headers = new Map<string, string>();
  for (const line of head.replace(/\r?\n(?=[ \t])/g, '').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}\n${value}`);
  }
  return headers;
}

function replyError(reply: string): Error {
  const [, code, text] = /^(\d{3})[ -](.*)$/s.exec(reply) ?? [undefined, '550', reply];
  return Object.assign(new Error(text), { responseCode: Number(code) });
}
