import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { REJECTION_REASONS, type RejectionReason } from '@orchestrate/contracts';
import { connect, type NatsConnection } from 'nats';
import { AckPublisher } from './ack-publisher.ts';
import { StreamShards } from './stream-shards.ts';

/** A connection with all that a service needs of JetStream. */
export interface Broker {
  readonly nc: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly kvm: Kvm;
  readonly publisher: AckPublisher;
  /** Where the messages of a stream stand on the server. */
  readonly shards: StreamShards;
  /** How often the connection broke: who compares two answers knows whether it stood in between. */
  readonly breaks: () => number;
  /** Inputs that were put into REJECTED over this connection. */
  readonly rejected: Record<RejectionReason, number>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Connects to nats-server and keeps the connection: it reconnects for ever, because a broker that restarts is
 * ordinary. Throws when the first connection fails.
 */
export async function connectBroker(options: { url: string; name: string }): Promise<Broker> {
  const nc = await connect({
    servers: options.url,
    name: options.name,
    inboxPrefix: `_INBOX_${options.name.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    pingInterval: 10_000,
    timeout: 5_000,
    // Or each request would take down where it was made, which costs more than the rest of it.
    noAsyncTraces: true,
  });
  const js = jetstream(nc);
  // A least-privilege user may not ask for account info, so the client must not either.
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const publisher = new AckPublisher(nc);
  let breaks = 0;
  void (async () => {
    for await (const { type } of nc.status()) if (type === 'disconnect') breaks++;
  })();
  const close = async () => {
    publisher.close();
    await nc.close();
  };
  return {
    nc,
    js,
    jsm,
    kvm: new Kvm(js),
    publisher,
    shards: new StreamShards(jsm),
    breaks: () => breaks,
    rejected: Object.fromEntries(REJECTION_REASONS.map((reason) => [reason, 0])) as Record<
      RejectionReason,
      number
    >,
    close,
    [Symbol.asyncDispose]: close,
  };
}
