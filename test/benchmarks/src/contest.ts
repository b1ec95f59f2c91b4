import type { Bench } from './bench.ts';
import { type Contender, FULL, judge, measure, QUICK, type Row } from './measure.ts';
import type { Result } from './result.ts';

export interface Prepared {
  /** Ours first, then the references. */
  readonly contenders: readonly Contender[];
  /** Measured and shown beside them, and outside the bound: they do more or less than the contenders. */
  readonly besides?: readonly Contender[];
  /** All of them do so many operations in a pass. */
  readonly opsPerPass: number;
}

/** Ways of doing the same work in this process, by the processor time that each takes. */
export interface Contest {
  readonly name: string;
  readonly about: string;
  /** How many times faster than the fastest reference it has to be. */
  readonly ratioMin: number;
  readonly prepare: () => Promise<Prepared>;
}

export function contestBench(contest: Contest): Bench {
  return {
    name: contest.name,
    about: contest.about,
    async run({ quick, print }) {
      const { contenders, besides = [], opsPerPass } = await contest.prepare();
      const measured = await measure([...contenders, ...besides], opsPerPass, quick ? QUICK : FULL);
      const rows = measured.slice(0, contenders.length);
      const result = judge(contest.name, rows, contest.ratioMin);
      print(tableOf(contest, rows, result, measured.slice(contenders.length)));
      return [result];
    },
  };
}

/** Times are of this machine today; the ratio of two of them is what is bound. */
export function tableOf(
  { name, ratioMin }: Contest,
  rows: readonly Row[],
  result: Result,
  besides: readonly Row[] = [],
): string {
  const width = Math.max(...[...rows, ...besides].map((row) => row.name.length));
  const lineOf = (row: Row) => {
    const perSecond = Math.round(1e6 / row.usPerOp);
    const times = (row.usPerOp / result.ours).toFixed(2);
    return `  ${row.name.padEnd(width)} ${row.usPerOp.toFixed(2).padStart(10)} us/op ${String(perSecond).padStart(9)} op/s ${times.padStart(8)} x`;
  };
  const verdict = `${result.pass ? 'passed' : 'MISSED'}: ${result.ratio.toFixed(2)} times as fast as the fastest other, at least ${ratioMin} wanted`;
  const outside = besides.length === 0 ? [] : ['  outside of the bound:', ...besides.map(lineOf)];
  return `${[name, ...rows.map(lineOf), ...outside, `  ${verdict}`].join('\n')}\n`;
}
