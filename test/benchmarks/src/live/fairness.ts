import { connectBroker } from '@orchestrate/messaging';
import { neighbours } from '@orchestrate/test-kit';
import type { Bench } from '../bench.ts';
import { type Result, withinLimit } from '../result.ts';
import { percentile, type Spread, spreadOf } from '../spread.ts';
import { startReady } from './decisions.ts';
import { Flips } from './flips.ts';
import { eachInFlight, IN_FLIGHT } from './in-flight.ts';
import { machineLine } from './machine.ts';
import { answerTimesMs, decisionProber, type Prober, sendProbes, truthProber } from './probes.ts';
import { Requests } from './requests.ts';
import { Rig, SYNC_INTERVAL } from './rig.ts';
import type { Prepared } from './tenant-facts.ts';

const DELAY_MS_MAX = 200;
const PROBES = { everyMs: 100 } as const;

interface Plan {
  readonly rounds: number;
  readonly forMs: number;
  /** What the noisy one sends at once, before the quiet one is asked and while it is. */
  readonly burst: number;
}
const FULL: Plan = { rounds: 5, forMs: 6_000, burst: 20_000 };
const QUICK: Plan = { rounds: 1, forMs: 2_500, burst: 8_000 };

/** How much longer a quiet tenant waits because another one of its partition sends as much as it can. */
export const fairnessBench: Bench = {
  name: 'fairness',
  about: 'how long a tenant waits because another one of its partition sends as much as it can',
  async run({ quick, print }) {
    print(await machineLine());
    const plan = quick ? QUICK : FULL;
    print(
      `fairness: two tenants of one partition, the noisy one sends ${plan.burst} messages at once, ${plan.rounds} rounds, sync_interval ${SYNC_INTERVAL}\n`,
    );
    await using rig = await Rig.start();
    // On a connection of its own: else the quiet one would wait in our own queue.
    await using loud = await connectBroker({ url: rig.nats.url, name: 'noisy' });
    const [noisy, quiet] = neighbours(2) as [string, string];
    await startReady(rig, [noisy, quiet]);
    const requests = new Requests([noisy]);
    const flips = new Flips([noisy]);
    const results: Result[] = [];
    const measure = async (name: string, prober: Prober, noise: () => readonly Prepared[]) => {
      const waits = async (noise: () => Promise<unknown>) => {
        const fromSeq = (await rig.broker.jsm.streams.info(prober.stream)).state.last_seq + 1;
        const made = noise();
        const probes = await sendProbes(rig.broker, prober, [quiet], { ...PROBES, forMs: plan.forMs });
        await made;
        return answerTimesMs(rig.broker, prober, probes, fromSeq);
      };
      const delaysMs: number[] = [];
      for (let round = 1; round <= plan.rounds; round++) {
        const alone = await waits(async () => {});
        const messages = noise();
        const beside = await waits(() =>
          eachInFlight(messages, IN_FLIGHT, ({ subject, data }) => loud.publisher.publish(subject, data)),
        );
        delaysMs.push(Math.max(0, percentile(beside, 0.99) - percentile(alone, 0.5)));
        print(`  ${lineOf(name, alone, beside)}\n`);
      }
      const spread = spreadOf(delaysMs);
      const result = withinLimit(`fairness_${name}`, spread.median, DELAY_MS_MAX, 'ms');
      results.push(result);
      print(`  ${verdictOf(result, spread)}\n`);
    };
    await measure('truth', truthProber(), () => flips.round(plan.burst));
    await measure('decision', decisionProber(requests), () => requests.take(plan.burst));
    return results;
  },
};

const ms = (value: number) => `${value.toFixed(0)} ms`;

const shares = (times: readonly number[]) =>
  `p50 ${ms(percentile(times, 0.5))}, p99 ${ms(percentile(times, 0.99))}`;

const lineOf = (name: string, alone: readonly number[], beside: readonly number[]) =>
  `${name.padEnd(9)} alone ${shares(alone)}; beside the noisy one ${shares(beside)}`;

const verdictOf = ({ pass, bench, ours }: Result, { min, max }: Spread) =>
  `${pass ? 'passed' : 'MISSED'}: ${bench} ${ms(ours)} (${ms(min)} to ${ms(max)}) longer at p99 than at p50 alone, at most ${DELAY_MS_MAX} ms wanted`;
