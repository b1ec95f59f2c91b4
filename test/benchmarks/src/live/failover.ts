import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PARTITIONS, partitionOf } from '@orchestrate/canon';
import { ownerOf } from '@orchestrate/messaging';
import type { Bench } from '../bench.ts';
import { type Result, withinLimit } from '../result.ts';
import { type Spread, spreadOf } from '../spread.ts';
import { DecisionWatch } from './decision-watch.ts';
import { Flips } from './flips.ts';
import { machineLine } from './machine.ts';
import { runOpenLoop, schedule } from './open-loop.ts';
import { Pipeline } from './pipeline.ts';
import { answerTimesMs, decisionProber, type Prober, sendProbes, truthProber } from './probes.ts';
import { Requests } from './requests.ts';
import { Rig, SERVICES, type ServiceName } from './rig.ts';
import type { ServiceProcess } from './service-process.ts';
import type { Prepared } from './tenant-facts.ts';
import { readyTenants, storeOptions, tenantStore } from './tenant-store.ts';
import { waitFor } from './wait.ts';

const KILL_SEC_MAX = 5;
const TERM_MS_MAX = 100;
const TENANTS = 1000;
const PROBED_PARTITIONS = 16;
const PROBES = { everyMs: 50, forMs: 1_500 };
/** Of what was measured just before: what is to be read beside the probes, and more than that would only be a backlog. */
const SATURATED = 0.8;
const WARM_UP_MS = 2_000;

const SIGNALS = ['SIGKILL', 'SIGTERM'] as const;
type Signal = (typeof SIGNALS)[number] | null;
type Load = 'idle' | 'saturated';

interface Case {
  readonly service: ServiceName;
  /** Null: nothing is done to it, to see what the probes themselves take. */
  readonly signal: Signal;
  readonly load: Load;
}

const FULL: readonly Case[] = SERVICES.flatMap((service) =>
  (['idle', 'saturated'] as const).flatMap((load) =>
    [null, ...SIGNALS].map((signal) => ({ service, signal, load })),
  ),
);
const QUICK: readonly Case[] = FULL.filter(
  ({ service, signal, load }) => service !== 'truth-aggregator' && signal !== null && load === 'idle',
);

export const failoverBench: Bench = {
  name: 'failover',
  about:
    'how long the partitions of an instance that is killed or stopped wait for their next truth or decision',
  async run({ quick, print }) {
    print(await machineLine());
    const rounds = quick ? 1 : 3;
    await using house = await House.open(print);
    print(
      `failover: ${TENANTS} tenants, two instances of each service, ${rounds} rounds; how long the slowest of the victim's partitions waited\n`,
    );
    const measured: (Case & { readonly waitedMs: Spread })[] = [];
    for (const one of quick ? QUICK : FULL) {
      const waited: number[] = [];
      for (let round = 0; round < rounds; round++) waited.push(await house.longestWaitMs(one));
      const waitedMs = spreadOf(waited);
      measured.push({ ...one, waitedMs });
      const what = `${one.service} ${one.signal ?? 'left alone'}, ${one.load}`.padEnd(44);
      print(`  ${what} ${ms(waitedMs.median)}, at most ${ms(waitedMs.max)}\n`);
    }
    const worst = (signal: Signal, loads: readonly Load[]) => {
      const cases = measured.filter((one) => one.signal === signal && loads.includes(one.load));
      if (cases.length === 0) throw new RangeError(`no case with ${signal}`);
      return Math.max(...cases.map((one) => one.waitedMs.median));
    };
    const results: readonly Result[] = [
      withinLimit('failover_sigkill', worst('SIGKILL', ['idle', 'saturated']) / 1000, KILL_SEC_MAX, 's'),
      withinLimit('failover_sigterm', worst('SIGTERM', ['idle']), TERM_MS_MAX, 'ms'),
    ];
    for (const { bench, ours, reference, unit, pass } of results) {
      print(
        `  ${pass ? 'passed' : 'MISSED'}: ${bench} ${ours.toFixed(2)} ${unit}, less than ${reference} wanted\n`,
      );
    }
    return results;
  },
};

const ms = (value: number) => `${value.toFixed(0).padStart(6)} ms`;

/** Two of each service on a store of its own, whole again before each round. */
class House implements AsyncDisposable {
  readonly #rig: Rig;
  readonly #running = new Map<string, ServiceProcess>();
  readonly #stack: AsyncDisposableStack;
  readonly #truths = truthProber();
  readonly #requests: Requests;
  readonly #decisions: Prober;
  readonly #flips: Flips;
  readonly #probed: { readonly truth: readonly string[]; readonly decision: readonly string[] };
  /** Who was killed or told to stop. */
  readonly #ended = new Set<string>();
  #perSecond = { evidence: 0, requests: 0 };

  private constructor(rig: Rig, stack: AsyncDisposableStack) {
    this.#rig = rig;
    this.#stack = stack;
    // Who is asked for decisions is told nothing new meanwhile: a truth that moves could hold what it is asked for.
    const ready = readyTenants(TENANTS);
    const part = (n: number) => ready.filter((_, index) => index % 4 === n);
    this.#probed = { truth: part(0), decision: part(1) };
    this.#flips = new Flips(part(2));
    this.#requests = new Requests(part(3));
    this.#decisions = decisionProber(this.#requests);
  }

  static async open(print: (text: string) => void): Promise<House> {
    await using stack = new AsyncDisposableStack();
    const kept = await tenantStore(TENANTS, print);
    const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-bench-'));
    const remove = () => rmSync(dataDir, { recursive: true, force: true });
    process.once('exit', remove);
    stack.defer(remove);
    cpSync(kept, dataDir, { recursive: true });
    const rig = stack.use(await Rig.start({ ...storeOptions(dataDir), markEverySec: 2 }));
    const house = new House(rig, stack.move());
    await house.#makeWhole();
    return house;
  }

  async longestWaitMs({ service, signal, load }: Case): Promise<number> {
    await this.#makeWhole();
    const isTruth = service !== 'dispatch-governance';
    const prober = isTruth ? this.#truths : this.#decisions;
    const victim = this.#running.get(`${service}-1`)!;
    const probedOf = (instance: string) =>
      this.#oneEachPartition(service, instance, isTruth ? 'truth' : 'decision');
    const tenants = probedOf(victim.instance);
    // Who just started is slow by itself: both have done this work before one of them ends.
    const everywhere = membersOf(service).flatMap(probedOf);
    await this.#probe(prober, everywhere, WARM_UP_MS);

    const ending = new AbortController();
    let background: Promise<void> | undefined;
    if (load === 'saturated') {
      const perSecond = SATURATED * (await (isTruth ? this.#evidencePerSecond() : this.#requestsPerSecond()));
      background = this.#publish(perSecond, isTruth, ending.signal);
      await sleep(WARM_UP_MS);
    }
    if (signal) {
      victim.kill(signal);
      this.#ended.add(victim.instance);
    }
    const waitedMs = await this.#probe(prober, tenants, PROBES.forMs, async () => {
      ending.abort();
      await background;
    });
    return Math.max(...waitedMs);
  }

  /** How long each of the probes that are sent for so long waited for its answer, ms. */
  async #probe(
    prober: Prober,
    tenants: readonly string[],
    forMs: number,
    sent: () => Promise<void> = async () => {},
  ): Promise<readonly number[]> {
    const { broker } = this.#rig;
    const fromSeq = (await broker.jsm.streams.info(prober.stream)).state.last_seq + 1;
    const probes = await sendProbes(broker, prober, tenants, { ...PROBES, forMs });
    await sent();
    return answerTimesMs(broker, prober, probes, fromSeq);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** A tenant in each of some partitions that this instance owns. */
  #oneEachPartition(service: ServiceName, instance: string, kind: 'truth' | 'decision'): readonly string[] {
    const mine = this.#probed[kind].filter(
      (tenantId) => ownerOf(partitionOf(tenantId), membersOf(service)) === instance,
    );
    const one = new Map(mine.map((tenantId) => [partitionOf(tenantId), tenantId]));
    return [...one.values()].slice(0, PROBED_PARTITIONS);
  }

  /** Sends what the service works on at this rate, until told to end. */
  async #publish(perSecond: number, isTruth: boolean, ending: AbortSignal): Promise<void> {
    const { publisher } = this.#rig.broker;
    while (!ending.aborted) {
      const count = Math.ceil(perSecond / 2);
      const messages: readonly Prepared[] = isTruth ? this.#flips.round(count) : this.#requests.take(count);
      const published: Promise<unknown>[] = [];
      await runOpenLoop(schedule(messages.length, perSecond), (n) => {
        published.push(publisher.publish(messages[n]!.subject, messages[n]!.data));
      });
      await Promise.all(published);
    }
  }

  async #evidencePerSecond(): Promise<number> {
    if (this.#perSecond.evidence === 0) {
      await using pipeline = await Pipeline.start(this.#rig);
      await pipeline.through(this.#flips.round(2_000));
      this.#perSecond.evidence = (await pipeline.through(this.#flips.round(4_000))).ours;
    }
    return this.#perSecond.evidence;
  }

  async #requestsPerSecond(): Promise<number> {
    if (this.#perSecond.requests === 0) {
      await using desk = await DecisionWatch.start(this.#rig);
      await desk.perSecond(this.#requests.take(1_000));
      this.#perSecond.requests = await desk.perSecond(this.#requests.take(3_000));
    }
    return this.#perSecond.requests;
  }

  /** Starts who is missing, and waits until each owns what it should and nothing is left to read. */
  async #makeWhole(): Promise<void> {
    const wanted = SERVICES.flatMap((service) =>
      membersOf(service).map((instance) => ({ service, instance })),
    );
    await Promise.all(
      wanted.map(async ({ service, instance }) => {
        const known = this.#running.get(instance);
        if (known) {
          // What was told to stop may still be stopping.
          if (this.#ended.has(instance)) await known.ended();
          if (known.isRunning) return;
        }
        this.#running.set(instance, await this.#rig.startService(service, instance));
        this.#ended.delete(instance);
      }),
    );
    const isWhole = async ({ service, instance }: (typeof wanted)[number]) => {
      const { owned, caughtUp } = await this.#running.get(instance)!.owned();
      return owned === partitionsOf(service, instance) && caughtUp === owned;
    };
    await waitFor('partitions shared by two instances', async () =>
      (await Promise.all(wanted.map(isWhole))).every((whole) => whole),
    );
  }
}

const membersOf = (service: ServiceName): readonly string[] => [`${service}-1`, `${service}-2`];

function partitionsOf(service: ServiceName, instance: string): number {
  const all = Array.from({ length: PARTITIONS }, (_, p) => p);
  return all.filter((p) => ownerOf(p, membersOf(service)) === instance).length;
}
