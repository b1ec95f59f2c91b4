import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { FULL, judge, measure, QUICK, type Result, type Row } from './measure.ts';

export interface Wanted {
  readonly benches: readonly Bench[];
  readonly quick: boolean;
  readonly json: boolean;
  readonly help: boolean;
}

export class UsageError extends Error {}

export function parseCommand(args: readonly string[], known: readonly Bench[]): Wanted {
  const { values, positionals } = parse(args);
  for (const name of positionals) {
    if (!known.some((bench) => bench.name === name)) {
      throw new UsageError(
        `no benchmark \`${name}\`: use one of ${known.map((bench) => bench.name).join(', ')}`,
      );
    }
  }
  const benches = known.filter((bench) => positionals.length === 0 || positionals.includes(bench.name));
  const { quick = false, json = false, help = false } = values;
  return { benches, quick, json, help };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function usageOf(known: readonly Bench[]): string {
  const width = Math.max(...known.map((bench) => bench.name.length));
  return `Usage: npm run bench -- [name...] [--quick] [--json]

Measures this machine, ours and others in turn. Without a name all are run:

${known.map((bench) => `  ${bench.name.padEnd(width)}  ${bench.about}`).join('\n')}

  --quick  fewer and shorter rounds
  --json   the last line is one JSON object, an array where several were run

The exit code is 1 where a bound is missed, 2 where the command cannot be understood.
`;
}

/** Times are of this machine today; the ratio of two of them is what is bound. */
export function tableOf(
  { name, ratioMin }: Bench,
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

export function exitCodeOf(results: readonly Result[]): 0 | 1 {
  return results.every((result) => result.pass) ? 0 : 1;
}

export function jsonOf(results: readonly Result[]): string {
  return JSON.stringify(results.length === 1 ? results[0] : results);
}

export async function runCommand(
  { benches, quick, json }: Wanted,
  print: (text: string) => void,
): Promise<0 | 1> {
  const results: Result[] = [];
  for (const bench of benches) {
    const { contenders, besides = [], opsPerPass } = await bench.prepare();
    const measured = await measure([...contenders, ...besides], opsPerPass, quick ? QUICK : FULL);
    const rows = measured.slice(0, contenders.length);
    const result = judge(bench.name, rows, bench.ratioMin);
    results.push(result);
    print(tableOf(bench, rows, result, measured.slice(contenders.length)));
  }
  if (json) print(`${jsonOf(results)}\n`);
  return exitCodeOf(results);
}
