import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import type { Broker } from '@orchestrate/messaging';
import { milliseconds } from '../figures.ts';
import { fail, type Judgement, ok, skipped, warn } from '../finding.ts';
import type { Surroundings } from '../surroundings.ts';

const SKEW_MS_ADVISED = 500;
const SKEW_MS_MAX = 2_000;
const SAMPLES = 5;

/** One question to the broker, by this machine's clock, and the broker's time in its answer. */
export interface ClockSample {
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly brokerMs: number;
}

/**
 * The answer was written somewhere within the round trip, so half of that is uncertain either way: only the difference
 * that is certain counts. The quickest round trip knows best.
 */
export function judgeClock(samples: readonly ClockSample[], skewMaxMs = SKEW_MS_MAX): Judgement {
  const [best] = samples.toSorted((a, b) => roundTripOf(a) - roundTripOf(b));
  if (!best) throw new Error('the broker did not tell its time');
  const roundTripMs = roundTripOf(best);
  const offsetMs = best.brokerMs - (best.sentMs + best.receivedMs) / 2;
  const certainMs = Math.max(0, Math.abs(offsetMs) - roundTripMs / 2);
  const data = { offsetMs, roundTripMs, certainMs, skewMaxMs };
  const side = offsetMs > 0 ? 'behind' : 'ahead of';
  const found = `this clock is ${milliseconds(Math.abs(offsetMs))} ${side} the broker's (round trip ${milliseconds(roundTripMs)})`;
  const remedy = 'let NTP or chrony keep the time on this machine and on that of nats-server';
  if (certainMs > skewMaxMs) {
    return fail(
      `${found}; past ${milliseconds(skewMaxMs)} everything that depends on time is unknown`,
      remedy,
      data,
    );
  }
  return certainMs > SKEW_MS_ADVISED
    ? warn(`${found}; the policy allows ${milliseconds(skewMaxMs)}`, remedy, data)
    : ok(found, data);
}

const roundTripOf = ({ sentMs, receivedMs }: ClockSample): number => receivedMs - sentMs;

export async function checkClock(
  broker: Broker,
  { nowMs, policy }: Pick<Surroundings, 'nowMs' | 'policy'>,
): Promise<Judgement> {
  const samples: ClockSample[] = [];
  try {
    while (samples.length < SAMPLES) {
      const sentMs = nowMs();
      const { ts } = await broker.jsm.streams.info('POLICY');
      const receivedMs = nowMs();
      if (ts !== undefined) samples.push({ sentMs, receivedMs, brokerMs: Date.parse(ts) });
      else break;
    }
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
    return skipped(
      'the broker tells its time with a stream, and there is none',
      'run `orchestrate provision`',
    );
  }
  return judgeClock(samples, policy?.continuity.clockSkewMaxMs);
}
