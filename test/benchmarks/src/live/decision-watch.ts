import { StreamFollower } from '@orchestrate/messaging';
import { eachInFlight, IN_FLIGHT } from './in-flight.ts';
import { runOpenLoop, schedule } from './open-loop.ts';
import type { RequestMessage } from './requests.ts';
import type { Rig } from './rig.ts';
import { waitFor } from './wait.ts';

/** Reads the decisions as a sender would, and knows of each request when the first one on it came. */
export class DecisionWatch implements AsyncDisposable {
  readonly #rig: Rig;
  readonly #waiting = new Map<string, (storedAtMs: number) => void>();
  #follower!: StreamFollower;

  private constructor(rig: Rig) {
    this.#rig = rig;
  }

  static async start(rig: Rig): Promise<DecisionWatch> {
    const watch = new DecisionWatch(rig);
    const { state } = await rig.broker.jsm.streams.info('DECISIONS');
    const fromSeq = state.last_seq + 1;
    const range = { stream: 'DECISIONS', filters: ['decision.*.*.*'], fromSeq } as const;
    watch.#follower = await StreamFollower.start(rig.broker, range, ({ subject, data, storedAtMs }) => {
      if (!subject.endsWith('.APPROVE')) throw new Error(`not released: ${subject}`);
      watch.#decided(dispatchIdIn(data), storedAtMs);
    });
    return watch;
  }

  #decided(dispatchId: string, storedAtMs: number): void {
    const waiting = this.#waiting.get(dispatchId);
    if (!waiting) throw new Error(`${dispatchId} was decided twice, or never asked for`);
    this.#waiting.delete(dispatchId);
    waiting(storedAtMs);
  }

  /** Decisions a second, from the first publish of a request to the store time of the last decision. */
  async perSecond(messages: readonly RequestMessage[]): Promise<number> {
    const { publisher } = this.#rig.broker;
    let endedAtMs = 0;
    for (const { dispatchId } of messages) {
      this.#waiting.set(dispatchId, (storedAtMs) => {
        endedAtMs = Math.max(endedAtMs, storedAtMs);
      });
    }
    const begunAtMs = Date.now();
    await eachInFlight(messages, IN_FLIGHT, ({ subject, data }) => publisher.publish(subject, data));
    await this.#allDecided();
    return (messages.length * 1000) / (endedAtMs - begunAtMs);
  }

  /** From when each request was due to the arrival of its decision, ms. */
  async latenciesMs(messages: readonly RequestMessage[], perSecond: number): Promise<Float64Array> {
    const { publisher } = this.#rig.broker;
    const latenciesMs = new Float64Array(messages.length);
    const published: Promise<unknown>[] = [];
    await runOpenLoop(schedule(messages.length, perSecond), (n, dueAtMs) => {
      const { dispatchId, subject, data } = messages[n]!;
      this.#waiting.set(dispatchId, () => {
        latenciesMs[n] = performance.now() - dueAtMs;
      });
      published.push(publisher.publish(subject, data));
    });
    await Promise.all(published);
    await this.#allDecided();
    return latenciesMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#follower.close();
  }

  #allDecided(): Promise<void> {
    const all = waitFor('decisions on all requests', () => this.#waiting.size === 0, { everyMs: 20 });
    return Promise.race([all, this.#follower.done]);
  }
}

const DISPATCH_ID = /"dispatchId":"([^"]+)"/;

/** Without parsing all of the record: this process shares the machine with what it measures. */
function dispatchIdIn(data: Uint8Array): string {
  const found = DISPATCH_ID.exec(Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1'));
  if (!found) throw new Error('a decision names no dispatch');
  return found[1]!;
}
