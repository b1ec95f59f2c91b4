import { setTimeout as sleep } from 'node:timers/promises';
import { dispatches, partitionOf } from '@orchestrate/canon';
import type { DecisionRecorded } from '@orchestrate/contracts';
import { type Broker, StreamFollower } from '@orchestrate/messaging';
import { isDecision } from './checks/chains.ts';
import type { Journal } from './journal.ts';
import type { Random } from './random.ts';
import { send } from './sending.ts';
import {
  commandMessage,
  configMessage,
  evidenceMessage,
  heartbeatMessage,
  type Outgoing,
  readyMessages,
  recordIn,
  requestMessage,
  sentMessage,
} from './tenant.ts';

const TURN_MS = 50;
/** Messages per turn: sixty a second. */
const PER_TURN = 3;
const HEARTBEAT_MS = 2_000;
const IN_FLIGHT_MAX = 256;
/** One of three tenants spends its cap soon; more of them would only make holds pile up. */
const CAPS = [10, 5_000, 5_000];
const HELD = { layer: 'sending_domain', source: 'main', cause: 'chaos' } as const;

/**
 * What a platform has to do with, sent without pause: evidence of which each piece changes the truth, requests, a
 * person's commands, and a sender that reports every release once.
 */
export class Load {
  readonly #broker: Broker;
  readonly #journal: Journal;
  readonly #random: Random;
  readonly #tenants: readonly string[];
  readonly #perTurn: number;
  readonly #flying = new Set<Promise<unknown>>();
  readonly #held = new Set<string>();
  readonly #frozen = new Set<string>();
  #sender: StreamFollower | null = null;
  #turns: Promise<void> | null = null;
  #running = false;
  #n = 0;
  #beatAtMs = 0;

  constructor(
    broker: Broker,
    journal: Journal,
    random: Random,
    tenants: readonly string[],
    perTurn: number = PER_TURN,
  ) {
    this.#perTurn = perTurn;
    this.#broker = broker;
    this.#journal = journal;
    this.#random = random;
    this.#tenants = tenants;
  }

  /** Tenants that may send, and a sender for them. */
  async prepare(): Promise<void> {
    for (const [at, tenantId] of this.#tenants.entries()) {
      await this.#certainly(configMessage(tenantId, CAPS[at % CAPS.length]!));
      for (const message of readyMessages(tenantId)) await this.#certainly(message);
    }
    const range = { stream: 'DECISIONS', filters: ['decision.*.*.*'], fromSeq: 1 } as const;
    this.#sender = await StreamFollower.start(this.#broker, range, ({ seq, data }) => {
      const record = recordIn(data);
      if (isDecision(record)) this.#answer(record, seq);
    });
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#turns = this.#run();
  }

  /** Resolves when nothing is sent any more and every answer is noted. */
  async pause(): Promise<void> {
    this.#running = false;
    await this.#turns;
    while (this.#flying.size > 0) await Promise.all(this.#flying);
  }

  async close(): Promise<void> {
    await this.pause();
    await this.#sender?.close();
    while (this.#flying.size > 0) await Promise.all(this.#flying);
  }

  /** So much at once of every tenant that it is still being worked off when the next mark is due. */
  async burst(size: number): Promise<void> {
    for (const tenantId of this.#tenants) {
      for (let sent = 0; sent < size; sent++) {
        void this.send(this.#report(tenantId));
        void this.send(requestMessage(tenantId, ++this.#n));
      }
    }
    while (this.#flying.size > IN_FLIGHT_MAX) await Promise.race(this.#flying);
  }

  /** One message of any kind, noted like all others. */
  send(message: Outgoing): Promise<unknown> {
    // Not every client asks again: of some messages nobody ever knows whether they were stored.
    const triesMax = this.#random.chance(0.5) ? 1 : 3;
    return this.#fly(send(this.#broker, this.#journal, message, { triesMax }));
  }

  async #certainly(message: Outgoing): Promise<void> {
    const ending = await send(this.#broker, this.#journal, message, { triesMax: 50 });
    if (ending.state !== 'ok') throw new Error(`${message.subject} was not stored: ${ending.problem}`);
  }

  async #run(): Promise<void> {
    while (this.#running) {
      const begunMs = Date.now();
      if (this.#flying.size < IN_FLIGHT_MAX) this.#turn(begunMs);
      await sleep(Math.max(5, TURN_MS - (Date.now() - begunMs)));
    }
  }

  #turn(nowMs: number): void {
    if (nowMs - this.#beatAtMs >= HEARTBEAT_MS) {
      this.#beatAtMs = nowMs;
      for (const p of new Set(this.#tenants.map(partitionOf))) void this.send(heartbeatMessage(p));
    }
    for (let sent = 0; sent < this.#perTurn; sent++)
      void this.send(this.#any(this.#random.pick(this.#tenants)));
  }

  #any(tenantId: string): Outgoing {
    const drawn = this.#random.next();
    if (drawn < 0.45) return this.#report(tenantId);
    if (drawn < 0.55) {
      const paymentMethod = this.#random.chance(0.5) ? 'valid' : 'expiring_30d';
      return evidenceMessage(tenantId, 'billing', 'main', { paymentMethod });
    }
    if (drawn < 0.97) return requestMessage(tenantId, ++this.#n);
    if (drawn < 0.985) {
      const isHeld = toggle(this.#held, tenantId);
      return commandMessage(tenantId, isHeld ? 'hold_layer' : 'release_layer', { target: HELD });
    }
    return commandMessage(tenantId, toggle(this.#frozen, tenantId) ? 'freeze' : 'unfreeze');
  }

  /** The bits of a key count exactly, so that every report is another substance. */
  #report(tenantId: string): Outgoing {
    return evidenceMessage(tenantId, 'sending_domain', 'main', { dkimKeyBits: 2048 + ++this.#n });
  }

  /** A release is reported as sent; of what is held a person looks at a little. */
  #answer(decision: DecisionRecorded, seq: number): void {
    const { tenantId, dispatchId, actionDigest, kind } = decision;
    if (dispatches(kind)) {
      const report = send(this.#broker, this.#journal, sentMessage(decision, seq), {
        isFirst: true,
        triesMax: 50,
      });
      void this.#fly(report);
      return;
    }
    if (kind === 'BLOCK' || !this.#running || !this.#random.chance(0.03)) return;
    const command = this.#random.chance(0.5) ? 'approve' : 'reject';
    const about = { dispatchId, actionDigest: command === 'approve' ? actionDigest : null };
    void this.send(commandMessage(tenantId, command, about));
  }

  #fly<T>(sending: Promise<T>): Promise<T> {
    const flight = sending.finally(() => this.#flying.delete(flight));
    this.#flying.add(flight);
    return flight;
  }
}

/** Whether it is in the set now. */
function toggle(set: Set<string>, key: string): boolean {
  if (set.delete(key)) return false;
  set.add(key);
  return true;
}
