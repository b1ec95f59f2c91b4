import { mkdirSync } from 'node:fs';
import { partitionOf } from '@orchestrate/canon';
import { readStored } from '@orchestrate/messaging';
import type { Bench, RunOptions } from '../bench.ts';
import { atLeast, type Result } from '../result.ts';
import { spreadOf } from '../spread.ts';
import { assertEachChanges, type FlipMessage, Flips } from './flips.ts';
import { eachInFlight, IN_FLIGHT } from './in-flight.ts';
import { machineLine } from './machine.ts';
import { LastSeqs, MarkWatch } from './mark-watch.ts';
import { profileTables } from './profile.ts';
import { RawStream } from './raw-stream.ts';
import { GAPLESS_POLICY, Rig, SYNC_INTERVAL } from './rig.ts';
import { declareTenants, tenantNames } from './tenant-facts.ts';
import { waitFor } from './wait.ts';

const RATIO_MIN = 0.18;
const RATIO_AIM = 0.25;
const TENANTS = 300;
/** The proof that a round is through comes with the next marks; it takes no part in the time. */
const MARK_EVERY_SEC = 2;

interface Plan {
  readonly rounds: number;
  readonly messages: number;
  readonly rawMessages: number;
  readonly instances: readonly number[];
}
const FULL: Plan = { rounds: 5, messages: 24_000, rawMessages: 60_000, instances: [2, 4] };
const QUICK: Plan = { rounds: 3, messages: 6_000, rawMessages: 30_000, instances: [] };

interface Round {
  readonly ours: number;
  readonly raw: number;
  /** Written for each message of evidence: folding leaves out what was overtaken. */
  readonly conditions: number;
  readonly truths: number;
}

export const pipelineBench: Bench = {
  name: 'pipeline',
  about: 'evidence to the durable truth, every message changing it, against js.publish alone',
  async run(options) {
    assertEachChanges(GAPLESS_POLICY);
    options.print(await machineLine());
    const plan = options.quick ? QUICK : FULL;
    const rounds = await measureWith(1, plan, options);
    const ours = spreadOf(rounds.map((round) => round.ours));
    const raw = spreadOf(rounds.map((round) => round.raw));
    const ratio = spreadOf(rounds.map((round) => round.ours / round.raw));
    const result = atLeast(
      'pipeline',
      { ours: ours.median, reference: raw.median, unit: 'msg/s' },
      RATIO_MIN,
      ratio.median,
    );
    options.print(tableOf(rounds, result));
    for (const instances of plan.instances) {
      const more = await measureWith(
        instances,
        { ...plan, rounds: 3 },
        { ...options, profileDir: undefined },
      );
      const told = spreadOf(more.map((round) => round.ours));
      const share = spreadOf(more.map((round) => round.ours / round.raw));
      options.print(
        `  with ${instances} instances of each service: ${rate(told.median)} msg/s, ${share.median.toFixed(3)} of raw (no bound)\n`,
      );
    }
    if (options.profileDir) options.print(`\n${profileTables(options.profileDir)}`);
    return [result];
  },
};

/** The first round warms up and is not counted; raw and ours take turns. */
async function measureWith(
  instances: number,
  plan: Plan,
  { print, profileDir }: RunOptions,
): Promise<readonly Round[]> {
  if (profileDir) mkdirSync(profileDir, { recursive: true });
  await using rig = await Rig.start({ markEverySec: MARK_EVERY_SEC, profileDir });
  print(
    `pipeline: ${TENANTS} tenants, ${plan.messages} messages a round, ${instances} of each service, sync_interval ${SYNC_INTERVAL}\n`,
  );
  await rig.startServices(['layer-runtime', 'truth-aggregator'], instances);
  const tenants = tenantNames(TENANTS);
  const raw = await RawStream.create(rig, 'EVIDENCE');
  await using pipeline = await Pipeline.start(rig);
  await declareTenants(rig.broker, tenants);
  const flips = new Flips(tenants);
  const rounds: Round[] = [];
  for (let round = 0; round <= plan.rounds; round++) {
    const messages = flips.round(plan.messages);
    const measureRaw = () => raw.perSecond(messages, plan.rawMessages);
    const rawFirst = round % 2 === 0 ? await measureRaw() : null;
    const through = await pipeline.through(messages);
    const measured = { ...through, raw: rawFirst ?? (await measureRaw()) };
    if (round > 0) rounds.push(measured);
  }
  return rounds;
}

export class Pipeline implements AsyncDisposable {
  readonly #rig: Rig;
  readonly #marks: MarkWatch;

  private constructor(rig: Rig, marks: MarkWatch) {
    this.#rig = rig;
    this.#marks = marks;
  }

  static async start(rig: Rig): Promise<Pipeline> {
    return new Pipeline(rig, await MarkWatch.start(rig.broker));
  }

  /**
   * Publishes evidence as fast as the server takes it, beside the services that work on it: its cost is in the time.
   * The time runs from the first publish until the store time of the last truth; that nothing was left to reflect
   * then is proved by the marks, which come later.
   */
  async through(messages: readonly FlipMessage[]): Promise<Omit<Round, 'raw'>> {
    const { publisher } = this.#rig.broker;
    const before = await this.#written();
    const last = new LastSeqs();
    const begunAtMs = Date.now();
    await eachInFlight(messages, IN_FLIGHT, async ({ tenantId, subject, data }) => {
      last.stored(tenantId, (await publisher.publish(subject, data)).seq);
    });
    await waitFor('truths that reflect all evidence', () =>
      [...last.byPartition].every(([p, seq]) => this.#marks.reflects(p, seq)),
    );
    const endedAtMs = await this.#lastTruthAtMs(
      new Set(messages.map((message) => message.tenantId)),
      begunAtMs,
    );
    const after = await this.#written();
    return {
      ours: (messages.length * 1000) / (endedAtMs - begunAtMs),
      conditions: (after.conditions - before.conditions) / messages.length,
      truths: (after.truths - before.truths) / messages.length,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#marks[Symbol.asyncDispose]();
  }

  /** When the last of all truths was stored; each tenant has one of this round, because its last message is seen in it. */
  async #lastTruthAtMs(tenants: ReadonlySet<string>, begunAtMs: number): Promise<number> {
    const partitions = [...new Set([...tenants].map(partitionOf))];
    const filters = partitions.map((p) => `truth.${p}.*`);
    let lastMs = 0;
    let seen = 0;
    for await (const { subject, storedAtMs } of readStored(this.#rig.broker, { stream: 'TRUTH', filters })) {
      if (!tenants.has(subject.split('.')[2]!)) continue;
      if (storedAtMs < begunAtMs) throw new Error(`the truth of ${subject} is from before this round`);
      seen++;
      lastMs = Math.max(lastMs, storedAtMs);
    }
    if (seen !== tenants.size) throw new Error(`${seen} truths of ${tenants.size} tenants`);
    return lastMs;
  }

  async #written(): Promise<{ readonly conditions: number; readonly truths: number }> {
    const lastSeq = async (stream: string) =>
      (await this.#rig.broker.jsm.streams.info(stream)).state.last_seq;
    return { conditions: await lastSeq('LAYERS'), truths: await lastSeq('TRUTH') };
  }
}

const rate = (perSecond: number) => String(Math.round(perSecond));

function tableOf(rounds: readonly Round[], result: Result): string {
  const lines = rounds.map(
    ({ ours, raw, conditions, truths }, index) =>
      `  round ${index + 1} ${rate(ours).padStart(8)} msg/s  raw ${rate(raw).padStart(8)} msg/s  ${(ours / raw).toFixed(3)} of raw  ${conditions.toFixed(2)} conditions and ${truths.toFixed(2)} truths a message`,
  );
  const ratio = spreadOf(rounds.map((round) => round.ours / round.raw));
  const verdict = `${result.pass ? 'passed' : 'MISSED'}: ${ratio.median.toFixed(3)} of raw (${ratio.min.toFixed(3)} to ${ratio.max.toFixed(3)}), at least ${RATIO_MIN} wanted, ${RATIO_AIM} aimed at`;
  return `${[...lines, `  ${verdict}`].join('\n')}\n`;
}
