import { setTimeout as sleep } from 'node:timers/promises';
import { type ReadRange, readStored } from '@orchestrate/messaging';
import type { Bench } from '../bench.ts';
import { atMost, type Result, withinLimit } from '../result.ts';
import { machineLine } from './machine.ts';
import { cpuMsOf, memoryOf } from './process-usage.ts';
import { Rig, SERVICES, type ServiceName } from './rig.ts';
import type { ServiceProcess } from './service-process.ts';
import { storeOptions, tenantStore } from './tenant-store.ts';

const KIB_PER_TENANT_MAX = 24;
const HYDRATION_SEC_MAX = 15;
const IDLE_PERCENT_MAX = 3;
const IDLE_GROWTH_MAX = 2;
const IN_MEMORY: readonly ServiceName[] = ['layer-runtime', 'truth-aggregator'];

interface Plan {
  readonly counts: readonly number[];
  readonly cadenceSec: number;
  readonly cadences: number;
  /** Whether the bounds, which are about a hundred thousand tenants and a cadence of 30 s, can be judged. */
  readonly isBound: boolean;
}
const FULL: Plan = { counts: [1_000, 10_000, 100_000], cadenceSec: 30, cadences: 2, isBound: true };
const QUICK: Plan = { counts: [1_000, 10_000], cadenceSec: 2, cadences: 1, isBound: false };

interface ServiceUsage {
  readonly hydrationSec: number;
  readonly rssKiB: number;
  readonly peakKiB: number;
  /** Of one core, while nothing happens. */
  readonly idlePercent: number;
}
type Usage = Readonly<Record<ServiceName, ServiceUsage>>;

interface Measured {
  readonly count: number;
  readonly usage: Usage;
  readonly kibPerTenant: number;
  /** Conditions and truths that the services wrote although nothing happened. */
  readonly written: number;
}

export const tenantsBench: Bench = {
  name: 'tenants',
  about: 'memory, hydration and an idle cadence with a thousand to a hundred thousand tenants of nine layers',
  async run({ quick, print }) {
    if (process.platform !== 'linux') {
      print('tenants: skipped, for it reads memory and processor time from /proc, which is not here\n');
      return [];
    }
    print(await machineLine());
    const plan = quick ? QUICK : FULL;
    print(`tenants: nine layers each, a cadence of ${plan.cadenceSec} s, ${plan.cadences} of them watched\n`);
    const { usage: empty } = await measureWith(0, plan, print);
    const measured: Measured[] = [];
    for (const count of plan.counts) {
      const { usage, written } = await measureWith(count, plan, print);
      const rssKiB = (of: Usage) => IN_MEMORY.reduce((sum, name) => sum + of[name].rssKiB, 0);
      const kibPerTenant = (rssKiB(usage) - rssKiB(empty)) / count;
      measured.push({ count, usage, kibPerTenant, written });
      print(tableOf(measured.at(-1)!));
    }
    const results = resultsOf(measured, plan.isBound);
    for (const one of results) {
      const told = `${one.ours.toFixed(2)} ${one.unit}, at most ${one.reference.toFixed(2)} wanted`;
      print(`  ${one.pass ? 'passed' : 'MISSED'}: ${one.bench} ${told}\n`);
    }
    return results;
  },
};

/** One service after the other, so that each hydrates with the machine for itself. */
async function measureWith(
  count: number,
  plan: Plan,
  print: (text: string) => void,
): Promise<{ readonly usage: Usage; readonly written: number }> {
  const dataDir = count > 0 ? await tenantStore(count, print) : undefined;
  await using rig = await Rig.start({
    ...(dataDir ? storeOptions(dataDir) : {}),
    cadenceSec: plan.cadenceSec,
  });
  const before = await lastSeqs(rig);
  const running = new Map<ServiceName, ServiceProcess>();
  for (const name of SERVICES) running.set(name, await rig.startService(name));
  const memoryAtReady = new Map([...running].map(([name, { pid }]) => [name, memoryOf(pid)]));
  // What is owed from the start is done with the first marks; then nothing happens any more.
  await sleep(plan.cadenceSec * 1000);
  const cpuBefore = new Map([...running].map(([name, { pid }]) => [name, cpuMsOf(pid)]));
  const begunMs = performance.now();
  await sleep(plan.cadences * plan.cadenceSec * 1000);
  const windowMs = performance.now() - begunMs;
  const usageOf = (name: ServiceName): ServiceUsage => {
    const { pid, readyMs } = running.get(name)!;
    const now = memoryOf(pid);
    return {
      hydrationSec: readyMs / 1000,
      rssKiB: Math.max(now.rssKiB, memoryAtReady.get(name)!.rssKiB),
      peakKiB: now.peakKiB,
      idlePercent: ((cpuMsOf(pid) - cpuBefore.get(name)!) * 100) / windowMs,
    };
  };
  const usage = Object.fromEntries(SERVICES.map((name) => [name, usageOf(name)])) as Record<
    ServiceName,
    ServiceUsage
  >;
  return { usage, written: await countNew(rig, before) };
}

async function lastSeqs(rig: Rig): Promise<{ readonly LAYERS: number; readonly TRUTH: number }> {
  const lastSeq = async (stream: string) => (await rig.broker.jsm.streams.info(stream)).state.last_seq;
  return { LAYERS: await lastSeq('LAYERS'), TRUTH: await lastSeq('TRUTH') };
}

/** What was written of tenants since then: nothing, when the services agree with the store. */
async function countNew(rig: Rig, before: { LAYERS: number; TRUTH: number }): Promise<number> {
  const ranges: readonly ReadRange[] = [
    { stream: 'LAYERS', filters: ['layer.*.*.*.*'], fromSeq: before.LAYERS + 1 },
    { stream: 'TRUTH', filters: ['truth.*.*'], fromSeq: before.TRUTH + 1 },
  ];
  let count = 0;
  for (const range of ranges) for await (const _stored of readStored(rig.broker, range)) count++;
  return count;
}

function resultsOf(measured: readonly Measured[], isBound: boolean): readonly Result[] {
  const most = measured.at(-1)!;
  const hydrationSec = Math.max(...SERVICES.map((name) => most.usage[name].hydrationSec));
  const results = [
    withinLimit('tenants_memory', most.kibPerTenant, KIB_PER_TENANT_MAX, 'KiB/tenant'),
    withinLimit('tenants_hydration', hydrationSec, HYDRATION_SEC_MAX, 's'),
    nothingNew(Math.max(...measured.map((one) => one.written))),
  ];
  if (!isBound) return results;
  const least = measured[0]!;
  return [
    ...results,
    ...SERVICES.flatMap((name) => {
      const [many, few] = [most.usage[name].idlePercent, least.usage[name].idlePercent];
      return [
        withinLimit(`tenants_idle_${name}`, many, IDLE_PERCENT_MAX, '% of a core'),
        atMost(
          `tenants_idle_growth_${name}`,
          { ours: many, reference: IDLE_GROWTH_MAX * few, unit: '% of a core' },
          1,
        ),
      ];
    }),
  ];
}

/** Services that write something of a tenant to whom nothing happened do not agree with what they wrote before. */
const nothingNew = (written: number): Result => ({
  bench: 'tenants_written_unasked',
  ours: written,
  reference: 0,
  ratio: written,
  unit: 'messages',
  pass: written === 0,
});

function tableOf({ count, usage, kibPerTenant, written }: Measured): string {
  const mib = (kib: number) => `${(kib / 1024).toFixed(0).padStart(6)} MiB`;
  const lines = SERVICES.map((name) => {
    const { hydrationSec, rssKiB, peakKiB, idlePercent } = usage[name];
    return `    ${name.padEnd(20)} ready after ${hydrationSec.toFixed(2).padStart(7)} s  resident ${mib(rssKiB)}, at most ${mib(peakKiB)}  idle ${idlePercent.toFixed(2).padStart(6)} % of a core`;
  });
  const memory = `    ${kibPerTenant.toFixed(1)} KiB a tenant in ${IN_MEMORY.join(' and ')}`;
  const unasked = `    ${written} conditions and truths written although nothing happened`;
  return `${[`  ${count} tenants`, ...lines, memory, unasked].join('\n')}\n`;
}
