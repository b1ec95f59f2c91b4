import { setTimeout as sleep } from 'node:timers/promises';
import { partitionOf } from '@orchestrate/canon';
import { type Broker, readStored } from '@orchestrate/messaging';
import { FlipWheel } from './flips.ts';
import type { Requests } from './requests.ts';
import { evidenceOf, type Prepared } from './tenant-facts.ts';

const ANSWERED_MS_MAX = 60_000;
const LOOK_EVERY_MS = 250;

export interface Probe {
  readonly tenantId: string;
  readonly sentAtMs: number;
  /** What answers it, of all that is written about the tenant. */
  readonly isAnswer: (data: Uint8Array) => boolean;
}

/** Asks a tenant something and knows where the answer will stand. */
export interface Prober {
  readonly stream: 'TRUTH' | 'DECISIONS';
  readonly subjectOf: (tenantId: string) => string;
  readonly ask: (tenantId: string) => Prepared & Pick<Probe, 'isAnswer'>;
}

/** Evidence that changes the truth: the next truth answers. */
export function truthProber(): Prober {
  const wheels = new Map<string, FlipWheel>();
  return {
    stream: 'TRUTH',
    subjectOf: (tenantId) => `truth.${partitionOf(tenantId)}.${tenantId}`,
    ask(tenantId) {
      const wheel = wheels.getOrInsertComputed(tenantId, () => new FlipWheel());
      return { ...evidenceOf(tenantId, wheel.next(), Date.now()), isAnswer: () => true };
    },
  };
}

/** A request: its own decision answers. */
export function decisionProber(requests: Requests): Prober {
  return {
    stream: 'DECISIONS',
    subjectOf: (tenantId) => `decision.${partitionOf(tenantId)}.${tenantId}.*`,
    ask(tenantId) {
      const { subject, data, dispatchId } = requests.one(tenantId);
      const named = `"dispatchId":"${dispatchId}"`;
      return { subject, data, isAnswer: (found) => Buffer.from(found).includes(named) };
    },
  };
}

/** Asks each of these tenants again and again for a while, evenly spread. Nobody waits for an answer. */
export async function sendProbes(
  broker: Broker,
  prober: Prober,
  tenants: readonly string[],
  { everyMs, forMs }: { everyMs: number; forMs: number },
): Promise<readonly Probe[]> {
  const probes: Probe[] = [];
  const published: Promise<unknown>[] = [];
  const begunMs = performance.now();
  for (let turn = 0; turn * everyMs < forMs; turn++) {
    const aheadMs = turn * everyMs - (performance.now() - begunMs);
    if (aheadMs > 0) await sleep(aheadMs);
    for (const tenantId of tenants) {
      const { subject, data, isAnswer } = prober.ask(tenantId);
      probes.push({ tenantId, sentAtMs: Date.now(), isAnswer });
      published.push(broker.publisher.publish(subject, data));
    }
  }
  await Promise.all(published);
  return probes;
}

/** How long each probe waited for its answer, ms, by the times at which answers were stored. */
export async function answerTimesMs(
  broker: Broker,
  prober: Prober,
  probes: readonly Probe[],
  fromSeq: number,
): Promise<readonly number[]> {
  const filters = [...new Set(probes.map(({ tenantId }) => prober.subjectOf(tenantId)))];
  const deadline = performance.now() + ANSWERED_MS_MAX;
  for (;;) {
    const written = new Map<string, { storedAtMs: number; data: Uint8Array }[]>();
    for await (const { subject, storedAtMs, data } of readStored(broker, {
      stream: prober.stream,
      filters,
      fromSeq,
    })) {
      written.getOrInsertComputed(subject.split('.')[2]!, () => []).push({ storedAtMs, data });
    }
    const times = probes.map(({ tenantId, sentAtMs, isAnswer }) => {
      const answer = written
        .get(tenantId)
        ?.find(({ storedAtMs, data }) => storedAtMs >= sentAtMs && isAnswer(data));
      return answer ? answer.storedAtMs - sentAtMs : null;
    });
    const answered = times.filter((time) => time !== null);
    if (answered.length === times.length) return answered;
    if (performance.now() > deadline) {
      throw new Error(`${times.length - answered.length} of ${times.length} were not answered`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}
