import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Violation } from './checks/violation.ts';
import { startFleet } from './fleet.ts';
import { Journal, type Operation } from './journal.ts';
import { Load } from './load.ts';
import { type Fault, NEMESES, NEMESIS_NAMES, type NemesisName, type Stage } from './nemeses.ts';
import { Random } from './random.ts';
import { settleAndCheck } from './settle.ts';
import type { StoreContents } from './store-contents.ts';

const FAULTS_AT_ONCE_MAX = 3;
const BURST_MAX = 15;
const QUIET_MS = 1_000;

export interface ChaosOptions {
  readonly seed: number;
  /** How long faults are inflicted, with the checks between them. */
  readonly seconds: number;
  readonly tenants: number;
  /** Of each service. */
  readonly instances: number;
  /** Where the store, the journal and the log of the run are kept. */
  readonly dataDir: string;
  readonly onProgress?: (line: string) => void;
  readonly onLine?: (instance: string, line: string) => void;
}

export interface Verdict {
  readonly seed: number;
  readonly rounds: number;
  readonly faults: Readonly<Record<NemesisName, number>>;
  readonly sent: Readonly<Record<Operation['ending']['state'], number>>;
  readonly stored: Readonly<Record<keyof StoreContents, number>>;
  readonly violations: readonly Violation[];
}

interface Planned {
  readonly name: NemesisName;
  readonly afterMs: number;
  readonly fault: Fault;
}

/** One to three faults at once, each a moment after the round begins; the server dies at most once in it. */
export function planRound(instances: readonly string[], random: Random): readonly Planned[] {
  const planned: Planned[] = [];
  for (let wanted = random.between(1, FAULTS_AT_ONCE_MAX); wanted > 0; wanted--) {
    const name = random.pick(NEMESIS_NAMES);
    const afterMs = random.between(0, 1_500);
    const fault = NEMESES[name](instances, random);
    if (name !== 'server' || planned.every((one) => one.name !== 'server'))
      planned.push({ name, afterMs, fault });
  }
  return planned;
}

/**
 * Faults under load, round by round: after each the load pauses, everything comes to rest, and the store is judged.
 * The seed draws the plan; what the machine makes of it differs from run to run.
 */
export async function runChaos(options: ChaosOptions): Promise<Verdict> {
  const { seed, seconds, dataDir, onProgress = () => {}, onLine } = options;
  const planning = new Random(seed);
  const journal = new Journal(join(dataDir, 'journal.jsonl'));
  const tenants = Array.from({ length: options.tenants }, (_, n) => `tenant-${n + 1}`);
  await using fleet = await startFleet({
    dataDir,
    instances: options.instances,
    ...(onLine ? { onLine } : {}),
  });
  const load = new Load(await fleet.connect('load'), journal, new Random(seed + 1), tenants);
  await load.prepare();
  const stage: Stage = { fleet, load, tenants };
  const faults = Object.fromEntries(NEMESIS_NAMES.map((name) => [name, 0])) as Record<NemesisName, number>;
  const violations = new Map<string, Violation>();
  let stored: StoreContents | null = null;
  let rounds = 0;
  for (const deadline = Date.now() + seconds * 1_000; rounds === 0 || Date.now() < deadline; ) {
    rounds++;
    const planned = planRound(fleet.instances, planning);
    onProgress(`round ${rounds}: ${planned.map(({ fault }) => fault.told).join(', ')}`);
    load.start();
    const burst = load.burst(planning.between(0, BURST_MAX));
    await Promise.all([burst, ...planned.map((one) => inflict(one, stage, faults, onProgress))]);
    await sleep(QUIET_MS);
    await load.pause();
    const judged = await settleAndCheck(fleet, journal);
    stored = judged.contents;
    for (const one of judged.violations) violations.set(`${one.kind} ${one.where} ${one.told}`, one);
    onProgress(`round ${rounds}: ${journal.operations().length} sent, ${judged.violations.length} wrong`);
  }
  await load.close();
  return {
    seed,
    rounds,
    faults,
    sent: countBy(journal.operations().map(({ ending }) => ending.state)),
    stored: countStored(stored!),
    violations: [...violations.values()],
  };
}

async function inflict(
  { name, afterMs, fault }: Planned,
  stage: Stage,
  counts: Record<NemesisName, number>,
  onProgress: (line: string) => void,
): Promise<void> {
  await sleep(afterMs);
  try {
    await fault.inflict(stage);
    counts[name]++;
  } catch (error) {
    // Another fault of the same round was in its way, such as a server that is away.
    onProgress(`not inflicted: ${fault.told}: ${(error as Error).message.split('\n')[0]}`);
  }
}

function countBy(states: readonly Operation['ending']['state'][]): Verdict['sent'] {
  const counts = { ok: 0, refused: 0, unknown: 0 };
  for (const state of states) counts[state]++;
  return counts;
}

function countStored(contents: StoreContents): Verdict['stored'] {
  const counts = Object.entries(contents).map(([stream, kept]) => [stream, kept.length]);
  return Object.fromEntries(counts) as Verdict['stored'];
}
