import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import type { Result } from './result.ts';

export interface Wanted {
  readonly benches: readonly Bench[];
  readonly quick: boolean;
  readonly profileDir: string | undefined;
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
  const { quick = false, json = false, help = false, profile } = values;
  return { benches, quick, json, help, profileDir: profile };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        json: { type: 'boolean' },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export function usageOf(known: readonly Bench[]): string {
  const width = Math.max(...known.map((bench) => bench.name.length));
  return `Usage: npm run bench -- [name...] [--quick] [--json] [--profile <folder>]

Measures this machine, ours and others in turn. Without a name all are run:

${known.map((bench) => `  ${bench.name.padEnd(width)}  ${bench.about}`).join('\n')}

  --quick  fewer and shorter rounds
  --json   the last line is one JSON object, an array where there are several results
  --profile <folder>
           services run under the profiler, and what takes their time is printed

The exit code is 1 where a bound is missed, 2 where the command cannot be understood.
`;
}

export function exitCodeOf(results: readonly Result[]): 0 | 1 {
  return results.every((result) => result.pass) ? 0 : 1;
}

export function jsonOf(results: readonly Result[]): string {
  return JSON.stringify(results.length === 1 ? results[0] : results);
}

export async function runCommand(
  { benches, quick, profileDir, json }: Wanted,
  print: (text: string) => void,
): Promise<0 | 1> {
  const results: Result[] = [];
  for (const bench of benches) results.push(...(await bench.run({ quick, profileDir, print })));
  if (json) print(`${jsonOf(results)}\n`);
  return exitCodeOf(results);
}
