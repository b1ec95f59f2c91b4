import { setTimeout as sleep } from 'node:timers/promises';
import {
  AckPolicy,
  type Consumer,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
} from '@nats-io/jetstream';
import { DISPATCHING_DECISIONS, partitionOf } from '@orchestrate/canon';
import { type DecisionRecorded, decisionRecorded } from '@orchestrate/contracts';
import {
  type Broker,
  ContractViolation,
  decodeLenient,
  rejectInput,
  type StoredMessage,
  UnsupportedVersion,
} from '@orchestrate/messaging';
import { earliestSendMs } from './honour.ts';

export type Handled = 'done' | { readonly retryAtMs: number };

export interface DecisionMeta {
  /** Stream sequence of the decision. */
  readonly seq: number;
  /** 1 at the first delivery. */
  readonly deliveries: number;
}

export interface DecisionsOptions {
  /** Senders of one name share the work. */
  readonly durable?: string;
  /** Only these tenants; absent: all. */
  readonly tenants?: readonly string[];
  /** Decisions handled at a time. */
  readonly concurrency?: number;
  /** Who rejects a record that breaks its contract. */
  readonly service?: string;
  readonly handle: (decision: DecisionRecorded, meta: DecisionMeta) => Promise<Handled>;
  /** A decision was put off, or the stream could not be read; both are tried again. */
  readonly onTrouble?: (error: Error, meta: DecisionMeta | null) => void;
}

export interface DecisionSubscription {
  status(): { readonly inProgress: number; readonly handled: number; readonly trouble: string | null };
  /** Decisions that nobody took up yet, and those that somebody did and is not done with; null when nobody can say. */
  backlog(): Promise<{ readonly untaken: number; readonly open: number } | null>;
  /** Takes nothing more, and resolves when what is in progress is handled. */
  close(): Promise<void>;
}

const STREAM = 'DECISIONS';
const ACK_WAIT_MS = 10_000;
const WORKING_MS = 3_000;
const PULL_MS = 30_000;
const AGAIN_MS = 500;
const TROUBLE_MS_MIN = 1_000;
const TROUBLE_MS_MAX = 30_000;

/**
 * The decisions that dispatch, each handled until it is done: at least once, so a handler claims before it sends.
 * A decision is not handed over before its time.
 */
export async function subscribeDecisions(
  broker: Broker,
  options: DecisionsOptions,
): Promise<DecisionSubscription> {
  const consumer = await openConsumer(broker, options.durable ?? 'senders', options.tenants);
  const subscription = new Workers(broker, consumer, options);
  subscription.start(options.concurrency ?? 8);
  return subscription;
}

async function openConsumer(
  broker: Broker,
  durable: string,
  tenants: readonly string[] | undefined,
): Promise<Consumer> {
  const filters = filtersFor(tenants);
  const known = await broker.jsm.consumers.info(STREAM, durable).catch(() => null);
  if (!known) {
    await broker.jsm.consumers.add(STREAM, {
      durable_name: durable,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ACK_WAIT_MS * 1_000_000,
      max_ack_pending: 500,
      deliver_policy: DeliverPolicy.All,
      filter_subjects: filters,
    });
  } else if (known.config.filter_subjects?.toSorted().join() !== filters.join()) {
    throw new Error(`consumer \`${durable}\` is there for other decisions: choose another durable name`);
  }
  return broker.js.consumers.get(STREAM, durable);
}

function filtersFor(tenants: readonly string[] | undefined): string[] {
  const prefixes = tenants?.map((tenantId) => `decision.${partitionOf(tenantId)}.${tenantId}`);
  return (prefixes ?? ['decision.*.*'])
    .flatMap((prefix) => DISPATCHING_DECISIONS.map((kind) => `${prefix}.${kind}`))
    .sort();
}

/** Each worker pulls one decision at a time, so that none waits here, unheard of, until it is delivered again. */
class Workers implements DecisionSubscription {
  readonly #broker: Broker;
  readonly #consumer: Consumer;
  readonly #options: DecisionsOptions;
  readonly #pulls = new Set<ConsumerMessages>();
  readonly #inProgress = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #handled = 0;
  #trouble: string | null = null;

  constructor(broker: Broker, consumer: Consumer, options: DecisionsOptions) {
    this.#broker = broker;
    this.#consumer = consumer;
    this.#options = options;
  }

  start(workers: number): void {
    for (let worker = 0; worker < workers; worker++) void this.#work();
  }

  status() {
    return { inProgress: this.#inProgress.size, handled: this.#handled, trouble: this.#trouble };
  }

  async backlog() {
    const info = await this.#consumer.info().catch(() => null);
    return info && { untaken: info.num_pending, open: info.num_ack_pending };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const pull of this.#pulls) pull.stop();
    await Promise.all(this.#inProgress);
    // acknowledgements are not waited for one by one
    await this.#broker.nc.flush().catch(() => {});
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const message = await this.#pull();
        if (!message) continue;
        const progress = this.#process(message).finally(() => this.#inProgress.delete(progress));
        this.#inProgress.add(progress);
        await progress;
      } catch (error) {
        if (signal.aborted) return;
        this.#complain(error as Error, null);
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #pull(): Promise<JsMsg | null> {
    const pull = await this.#consumer.fetch({ max_messages: 1, expires: PULL_MS });
    this.#pulls.add(pull);
    if (this.#closing.signal.aborted) pull.stop();
    try {
      for await (const message of pull) {
        if (!this.#closing.signal.aborted) return message;
        message.nak();
      }
      return null;
    } finally {
      this.#pulls.delete(pull);
    }
  }

  async #process(message: JsMsg): Promise<void> {
    const working = setInterval(() => message.working(), WORKING_MS);
    const meta = { seq: message.seq, deliveries: message.info.deliveryCount };
    try {
      const handled = await this.#decodeAndHandle(message, meta);
      if (handled === 'rejected') message.term('it breaks its contract');
      else if (handled === 'done') message.ack();
      else message.nak(Math.max(1, handled.retryAtMs - Date.now()));
      if (handled === 'done') this.#handled++;
      this.#trouble = null;
    } catch (error) {
      this.#complain(error as Error, meta);
      message.nak(Math.min(TROUBLE_MS_MAX, TROUBLE_MS_MIN * 2 ** Math.min(meta.deliveries - 1, 10)));
    } finally {
      clearInterval(working);
    }
  }

  async #decodeAndHandle(message: JsMsg, meta: DecisionMeta): Promise<Handled | 'rejected'> {
    let decision: DecisionRecorded;
    try {
      decision = decode(message);
    } catch (error) {
      // a record of a newer major version is not garbage: it waits for a newer sender
      if (error instanceof UnsupportedVersion) throw error;
      const service = this.#options.service ?? 'sender-sdk';
      await rejectInput(this.#broker, service, storedMessage(message), 'contract_violation', error);
      return 'rejected';
    }
    const earliestMs = earliestSendMs(decision);
    if (earliestMs !== null && Date.now() < earliestMs) return { retryAtMs: earliestMs };
    return this.#options.handle(decision, meta);
  }

  #complain(error: Error, meta: DecisionMeta | null): void {
    this.#trouble = error.message;
    this.#options.onTrouble?.(error, meta);
  }
}

function decode(message: JsMsg): DecisionRecorded {
  const decision = decodeLenient(decisionRecorded, message.data);
  const { tenantId, kind } = decision;
  // what a subject says is what permissions are about: a record under another tenant's subject is not to be obeyed
  if (decisionRecorded.subject({ p: partitionOf(tenantId), tenantId, kind }) !== message.subject) {
    const issue = { path: 'tenantId', message: 'the subject names another tenant or kind' };
    throw new ContractViolation(decisionRecorded.name, [issue]);
  }
  return decision;
}

function storedMessage(message: JsMsg): StoredMessage {
  return {
    stream: STREAM,
    subject: message.subject,
    seq: message.seq,
    storedAtMs: Math.floor(message.info.timestampNanos / 1_000_000),
    data: message.data,
    pending: message.info.pending,
  };
}
