import { mkdirSync } from 'node:fs';
import type { Bench, RunOptions } from '../bench.ts';
import { atLeast, atMost, type Result } from '../result.ts';
import { percentile, spreadOf } from '../spread.ts';
import { DecisionWatch } from './decision-watch.ts';
import { machineLine } from './machine.ts';
import { MarkWatch } from './mark-watch.ts';
import { profileTables } from './profile.ts';
import { RawStream } from './raw-stream.ts';
import { Requests } from './requests.ts';
import { Rig, SERVICES, SYNC_INTERVAL } from './rig.ts';
import { declareTenants, tenantNames } from './tenant-facts.ts';
import { waitFor } from './wait.ts';

const RATIO_MIN = 0.35;
const RATIO_AIM = 0.6;
const P50_MAX = 8;
const P99_MAX = 10;
const PER_SECOND = 1000;
const MARK_EVERY_SEC = 2;

interface Plan {
  readonly tenants: number;
  readonly rounds: number;
  readonly requests: number;
  readonly rawMessages: number;
  readonly latencyRounds: number;
  readonly latencySec: number;
}
const FULL: Plan = {
  tenants: 1000,
  rounds: 5,
  requests: 20_000,
  rawMessages: 60_000,
  latencyRounds: 3,
  latencySec: 10,
};
const QUICK: Plan = {
  tenants: 300,
  rounds: 3,
  requests: 2_000,
  rawMessages: 20_000,
  latencyRounds: 2,
  latencySec: 2,
};

interface Round {
  readonly ours: number;
  readonly raw: number;
}

interface LatencyRound {
  readonly ours: Float64Array;
  readonly raw: Float64Array;
}

export const decisionsBench: Bench = {
  name: 'decisions',
  about: 'a durable request to its durable decision, throughput and latency, against js.publish alone',
  async run(options) {
    const { print, profileDir, quick } = options;
    print(await machineLine());
    const plan = quick ? QUICK : FULL;
    const results = await measureDecisions(plan, options);
    await measureBareLoop(plan, options);
    if (profileDir) print(`\n${profileTables(profileDir)}`);
    return results;
  },
};

async function measureDecisions(plan: Plan, { print, profileDir }: RunOptions): Promise<readonly Result[]> {
  if (profileDir) mkdirSync(profileDir, { recursive: true });
  await using rig = await Rig.start({ markEverySec: MARK_EVERY_SEC, profileDir });
  print(
    `decisions: ${plan.tenants} tenants, ${plan.requests} requests a round, sync_interval ${SYNC_INTERVAL}\n`,
  );
  const tenants = tenantNames(plan.tenants);
  await startReady(rig, tenants);
  const raw = await RawStream.create(rig, 'REQUESTS');
  const requests = new Requests(tenants);
  await using desk = await DecisionWatch.start(rig);

  const rounds: Round[] = [];
  for (let round = 0; round <= plan.rounds; round++) {
    const messages = requests.take(plan.requests);
    const measureRaw = () => raw.perSecond(messages, plan.rawMessages);
    const rawFirst = round % 2 === 0 ? await measureRaw() : null;
    const ours = await desk.perSecond(messages);
    const measured = { ours, raw: rawFirst ?? (await measureRaw()) };
    if (round > 0) rounds.push(measured);
  }
  const ratio = spreadOf(rounds.map((round) => round.ours / round.raw));
  const ours = spreadOf(rounds.map((round) => round.ours)).median;
  const reference = spreadOf(rounds.map((round) => round.raw)).median;
  const throughput = atLeast('decisions', { ours, reference, unit: 'decisions/s' }, RATIO_MIN, ratio.median);
  print(throughputTable(rounds, throughput));

  const latencyAt = async (perSecond: number) => {
    const measured: LatencyRound[] = [];
    const count = Math.round(perSecond * plan.latencySec);
    for (let round = 0; round < plan.latencyRounds; round++) {
      const messages = requests.take(count);
      measured.push({
        raw: await raw.latenciesMs(messages, count, perSecond),
        ours: await desk.latenciesMs(messages, perSecond),
      });
    }
    print(latencyTable(perSecond, measured));
    return measured;
  };
  const bound = await latencyAt(PER_SECOND);
  await latencyAt(Math.max(100, Math.round(ours / 2)));

  const [p50, p99] = [
    latencyResult('decisions_p50_at_1000', bound, 0.5, P50_MAX),
    latencyResult('decisions_p99_at_1000', bound, 0.99, P99_MAX),
  ];
  print(
    `  ${p50.pass ? 'passed' : 'MISSED'}: p50 ${p50.ratio.toFixed(1)} times that of raw, at most ${P50_MAX} wanted\n` +
      `  ${p99.pass ? 'passed' : 'MISSED'}: p99 ${p99.ratio.toFixed(1)} times that of raw, at most ${P99_MAX} wanted\n`,
  );
  return [throughput, p50, p99];
}

/** What is left when nothing is judged: what this server and this client can carry, whatever stands between them. */
async function measureBareLoop(plan: Plan, { print }: RunOptions): Promise<void> {
  await using rig = await Rig.start();
  const raw = await RawStream.create(rig, 'REQUESTS');
  await rig.startInPlace('bare-loop');
  const requests = new Requests(tenantNames(plan.tenants));
  await using desk = await DecisionWatch.start(rig);
  const ratios: number[] = [];
  for (let round = 0; round < 3; round++) {
    const messages = requests.take(plan.requests);
    const ours = await desk.perSecond(messages);
    if (round > 0) ratios.push(ours / (await raw.perSecond(messages, plan.rawMessages)));
  }
  const count = Math.round(PER_SECOND * plan.latencySec);
  const ours = await desk.latenciesMs(requests.take(count), PER_SECOND);
  const theirs = await raw.latenciesMs(requests.take(count), count, PER_SECOND);
  print(
    `a loop that judges nothing and writes as many bytes: ${spreadOf(ratios).median.toFixed(3)} of raw (no bound)\n${latencyTable(PER_SECOND, [{ ours, raw: theirs }])}`,
  );
}

/** All three services, and tenants whose truths let them send. */
export async function startReady(rig: Rig, tenants: readonly string[], instances = 1): Promise<void> {
  await rig.startServices(SERVICES, instances);
  await using marks = await MarkWatch.start(rig.broker);
  const lastSeqs = await declareTenants(rig.broker, tenants);
  await waitFor('truths of all tenants', () =>
    [...lastSeqs.byPartition].every(([p, seq]) => marks.reflects(p, seq)),
  );
}

/** The median over the rounds of how many times as long ours took at this percentile. */
function latencyResult(
  name: string,
  rounds: readonly LatencyRound[],
  share: number,
  ratioMax: number,
): Result {
  const at = (side: keyof LatencyRound) => rounds.map((round) => percentile([...round[side]], share));
  const ours = at('ours');
  const raw = at('raw');
  const ratio = spreadOf(ours.map((ms, round) => ms / raw[round]!)).median;
  return atMost(
    name,
    { ours: spreadOf(ours).median, reference: spreadOf(raw).median, unit: 'ms' },
    ratioMax,
    ratio,
  );
}

function throughputTable(rounds: readonly Round[], result: Result): string {
  const lines = rounds.map(
    ({ ours, raw }, index) =>
      `  round ${index + 1} ${ours.toFixed(0).padStart(8)} decisions/s  raw ${raw.toFixed(0).padStart(8)} msg/s  ${(ours / raw).toFixed(3)} of raw`,
  );
  const ratio = spreadOf(rounds.map((round) => round.ours / round.raw));
  const verdict = `${result.pass ? 'passed' : 'MISSED'}: ${ratio.median.toFixed(3)} of raw (${ratio.min.toFixed(3)} to ${ratio.max.toFixed(3)}), at least ${RATIO_MIN} wanted, ${RATIO_AIM} aimed at`;
  return `${[...lines, `  ${verdict}`].join('\n')}\n`;
}

function latencyTable(perSecond: number, rounds: readonly LatencyRound[]): string {
  const lineOf = (side: keyof LatencyRound, name: string) => {
    const all = rounds.flatMap((round) => [...round[side]]);
    const told = [0.5, 0.99, 0.999].map((share) => percentile(all, share).toFixed(2).padStart(8));
    return `    ${name}  p50 ${told[0]} ms  p99 ${told[1]} ms  p99.9 ${told[2]} ms`;
  };
  return `  latency at ${perSecond} a second, from when it was due\n${lineOf('ours', 'ours')}\n${lineOf('raw', 'raw ')}\n`;
}
