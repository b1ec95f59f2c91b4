import { readStreamsFile, shardsOf, wantedStreamConfig } from '@orchestrate/messaging';
import { eachInFlight, IN_FLIGHT } from './in-flight.ts';
import { runOpenLoop, schedule } from './open-loop.ts';
import type { Rig } from './rig.ts';
import type { Prepared } from './tenant-facts.ts';

const NAME = 'RAW';
/** The server sets aside what a stream may hold; a round is far below this. */
const BYTES_MAX = 2 ** 30;

/**
 * The reference: a stream of the same kind as the one that takes our input, on the same server, into which
 * `js.publish` of the official client puts the same payloads.
 */
export class RawStream {
  readonly #rig: Rig;
  readonly #onePerSubject: boolean;
  #count = 0;

  private constructor(rig: Rig, onePerSubject: boolean) {
    this.#rig = rig;
    this.#onePerSubject = onePerSubject;
  }

  static async create(rig: Rig, like: 'EVIDENCE' | 'REQUESTS'): Promise<RawStream> {
    const [declared] = shardsOf(readStreamsFile().streams.find((stream) => stream.name === like)!);
    const { src, dest } = declared!.subject_transform!;
    await rig.broker.jsm.streams.add({
      ...wantedStreamConfig(declared!),
      name: NAME,
      max_bytes: BYTES_MAX,
      subjects: declared!.subjects.map(renamed),
      subject_transform: { src: renamed(src), dest: renamed(dest) },
    });
    return new RawStream(rig, declared!.max_msgs_per_subject === 1);
  }

  /** Messages a second, from the first publish to the last acknowledgement. */
  async perSecond(messages: readonly Prepared[], count: number): Promise<number> {
    const { js } = this.#rig.broker;
    const raw = this.#take(messages, count);
    const begunMs = performance.now();
    await eachInFlight(raw, IN_FLIGHT, ({ subject, data }) => js.publish(subject, data));
    const perSecond = (count * 1000) / (performance.now() - begunMs);
    await this.#empty(count);
    return perSecond;
  }

  /** From when each was due to its acknowledgement, ms. */
  async latenciesMs(messages: readonly Prepared[], count: number, perSecond: number): Promise<Float64Array> {
    const { js } = this.#rig.broker;
    const raw = this.#take(messages, count);
    const latenciesMs = new Float64Array(count);
    const acknowledged: Promise<void>[] = [];
    await runOpenLoop(schedule(count, perSecond), (n, dueAtMs) => {
      const { subject, data } = raw[n]!;
      const published = js.publish(subject, data).then(() => {
        latenciesMs[n] = performance.now() - dueAtMs;
      });
      acknowledged.push(published);
    });
    await Promise.all(acknowledged);
    await this.#empty(count);
    return latenciesMs;
  }

  #take(messages: readonly Prepared[], count: number): readonly Prepared[] {
    return Array.from({ length: count }, (_, index) => {
      const { subject, data } = messages[index % messages.length]!;
      const own = renamed(subject);
      return { subject: this.#onePerSubject ? `${own}-${this.#count++}` : own, data };
    });
  }

  async #empty(count: number): Promise<void> {
    const { jsm } = this.#rig.broker;
    const { state } = await jsm.streams.info(NAME);
    if (state.messages !== count) throw new Error(`the reference stored ${state.messages} of ${count}`);
    await jsm.streams.purge(NAME);
  }
}

const renamed = (subject: string) => subject.replace(/^\w+/, 'raw');
