import type { Readable } from 'node:stream';
import type { OutcomeReason, SettledOutcome } from '@orchestrate/contracts';
import { createTransport } from 'nodemailer';
import type { OutgoingMessage } from './compose-message.ts';

export interface Delivered {
  readonly state: SettledOutcome;
  readonly reason: Extract<
    OutcomeReason,
    'accepted_by_server' | 'refused_by_server' | 'server_unavailable' | 'connection_lost_in_data'
  >;
  readonly smtpCode: number | null;
}

export type Deliver = (message: OutgoingMessage) => Promise<Delivered>;

export interface Delivery {
  readonly deliver: Deliver;
  /** Whether a server takes connections and our credentials; asked before a claim, which spends the one try. */
  isReachable(): Promise<boolean>;
  close(): void;
}

/** How long an answer about the server counts. */
const REACHABLE_MS = 5_000;
const UNREACHABLE_MS = 1_000;

export interface DeliveryOptions {
  readonly connections: number;
  readonly connectMsMax?: number;
  /** Without a word from the server. */
  readonly silenceMsMax?: number;
  /** For the whole of a delivery; well below the age at which a claim is taken for lost. */
  readonly deliveryMsMax?: number;
}

/**
 * Hands messages to a mail server. It never rejects, and answers `unknown` only where nobody can know: when the
 * server had asked for the message (354) and its answer to it did not come. Without that answer a message may be on
 * its way (RFC 5321 6.1), so it must not be sent again.
 *
 * nodemailer tells neither in its error codes nor in `command` how far it came. It reads a message only after the
 * 354, so whether its stream was read is the exact answer.
 */
export function createDelivery(smtpUrl: string, options: DeliveryOptions): Delivery {
  const { connections, connectMsMax = 10_000, silenceMsMax = 30_000, deliveryMsMax = 40_000 } = options;
  const transport = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: connections,
    maxRequeues: 2,
    idleTimeout: 30_000,
    connectionTimeout: connectMsMax,
    greetingTimeout: connectMsMax,
    socketTimeout: silenceMsMax,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // its signal is what tells one message from another
  const readings = new WeakMap<AbortSignal, MessageReading>();
  transport.use('stream', (mail, done) => {
    if (mail.data.signal) readings.get(mail.data.signal)?.watch(mail.message);
    done();
  });

  const deliver: Deliver = async (message) => {
    const reading = new MessageReading();
    const signal = AbortSignal.timeout(deliveryMsMax);
    readings.set(signal, reading);
    try {
      const { envelope, to, headers, ...rest } = message;
      const info = await transport.sendMail({
        ...rest,
        to,
        headers: { ...headers },
        envelope: { from: envelope.from, to: [...envelope.to] },
        textEncoding: 'quoted-printable',
        signal,
      });
      return { state: 'sent', reason: 'accepted_by_server', smtpCode: codeIn(info.response) };
    } catch (error) {
      return whatBecameOf(error, reading.hasBegun);
    }
  };
  let reachable = { is: false, untilMs: 0 };
  const isReachable = async (): Promise<boolean> => {
    if (Date.now() < reachable.untilMs) return reachable.is;
    const is = await transport.verify().then(
      () => true,
      () => false,
    );
    reachable = { is, untilMs: Date.now() + (is ? REACHABLE_MS : UNREACHABLE_MS) };
    return is;
  };
  return { deliver, isReachable, close: () => transport.close() };
}

/** A reply is the server's last word, whenever it comes; without one it counts how far the message had come. */
function whatBecameOf(error: unknown, hasBegun: boolean): Delivered {
  const smtpCode = replyCodeOf(error);
  if (smtpCode !== null) return { state: 'not_sent', reason: 'refused_by_server', smtpCode };
  return hasBegun
    ? { state: 'unknown', reason: 'connection_lost_in_data', smtpCode: null }
    : { state: 'not_sent', reason: 'server_unavailable', smtpCode: null };
}

function replyCodeOf(error: unknown): number | null {
  const code = (error as { responseCode?: unknown }).responseCode;
  return typeof code === 'number' && code >= 400 && code <= 599 ? code : null;
}

function codeIn(response: string): number | null {
  const code = Number(/^\d{3}/.exec(response)?.[0]);
  return code >= 200 && code <= 599 ? code : null;
}

/** Whether a message has begun to leave. One that has is never given out a second time. */
class MessageReading {
  readonly #streams: Readable[] = [];

  get hasBegun(): boolean {
    return this.#streams.some((stream) => stream.readableDidRead);
  }

  watch(message: { createReadStream(...options: never[]): Readable }): void {
    const create = message.createReadStream.bind(message);
    message.createReadStream = (...given) => {
      const stream = create(...given);
      if (this.hasBegun) stream.destroy(new Error('this message has begun to leave before'));
      this.#streams.push(stream);
      return stream;
    };
  }
}
