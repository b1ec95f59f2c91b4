import type { Result } from './result.ts';

/** One way of doing the work: `pass` does all of it once and gives a number that shows that it was done. */
export interface Contender {
  readonly name: string;
  readonly pass: () => number | Promise<number>;
}

export interface Row {
  readonly name: string;
  readonly usPerOp: number;
}

export interface Plan {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}
export const FULL: Plan = { rounds: 101, roundMs: 25, warmUpMs: 1000 };
export const QUICK: Plan = { rounds: 31, roundMs: 10, warmUpMs: 250 };

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('nothing has no median');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The first row is ours, the others are references; only the ratio is bound, for it travels between machines. */
export function judge(bench: string, [ours, ...references]: readonly Row[], ratioMin: number): Result {
  if (!ours || references.length === 0) throw new RangeError(`${bench} compares nothing`);
  const reference = Math.min(...references.map((row) => row.usPerOp));
  const ratio = reference / ours.usPerOp;
  return {
    bench,
    ours: ours.usPerOp,
    reference,
    ratio,
    unit: 'us/op',
    pass: ratio >= ratioMin,
  };
}

/**
 * Many short rounds, in each of them every contender once and in turn, so that noise hits all alike; of each
 * contender the median counts. It is processor time, the collector's included: a clock on the wall would also count
 * what else this machine has to do. What a pass gives must be what its first one gave: nothing of it can be left out.
 */
export async function measure(
  contenders: readonly Contender[],
  opsPerPass: number,
  { rounds, roundMs, warmUpMs }: Plan,
): Promise<readonly Row[]> {
  const prepared = [];
  for (const contender of contenders) {
    const expected = await contender.pass();
    const warm = await timed(contender, expected, (_passes, ms) => ms < warmUpMs);
    const passes = Math.max(1, Math.round(roundMs / warm.msPerPass));
    prepared.push({ contender, expected, passes, msPerPass: [] as number[] });
  }
  for (let round = 0; round < rounds; round++) {
    // Each begins as often as the others: who comes first meets another state of heap and caches.
    const turn = round % prepared.length;
    for (const one of [...prepared.slice(turn), ...prepared.slice(0, turn)]) {
      const { msPerPass } = await timed(one.contender, one.expected, (passes) => passes < one.passes);
      one.msPerPass.push(msPerPass);
    }
  }
  return prepared.map(({ contender, msPerPass }) => ({
    name: contender.name,
    usPerOp: (median(msPerPass) * 1000) / opsPerPass,
  }));
}

async function timed(
  { name, pass }: Contender,
  expected: number,
  more: (passes: number, spentMs: number) => boolean,
): Promise<{ readonly msPerPass: number }> {
  const begun = process.cpuUsage();
  let passes = 0;
  let spentMs = 0;
  while (passes === 0 || more(passes, spentMs)) {
    const given = pass();
    const sum = typeof given === 'number' ? given : await given;
    if (sum !== expected) throw new Error(`${name} gave ${sum} where it gave ${expected} before`);
    passes++;
    const { user, system } = process.cpuUsage(begun);
    spentMs = (user + system) / 1000;
  }
  return { msPerPass: spentMs / passes };
}
