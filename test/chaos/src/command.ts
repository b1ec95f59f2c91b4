import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ChaosOptions, runChaos, type Verdict } from './chaos-run.ts';

export class UsageError extends Error {}

export type Wanted = Pick<ChaosOptions, 'seed' | 'seconds' | 'tenants' | 'instances'> & {
  readonly json: boolean;
  readonly help: boolean;
};

const BOUNDS = {
  seed: [0, 2 ** 32 - 1],
  seconds: [1, 86_400],
  tenants: [1, 10_000],
  instances: [1, 16],
} as const;
const DEFAULTS = { seconds: 60, tenants: 8, instances: 2 };
const EXAMPLES_MAX = 10;

export const USAGE = `Usage: npm run chaos -- [--seed <n>] [--seconds <s>] [--tenants <n>] [--instances <n>] [--json]

Runs the platform on a fresh store under load, breaks it at random, and checks every stream afterwards: what was
lost, doubled or never sent, what had no effect or two, and where a chain is broken.

  --seed       draws the faults; the same seed plans the same ones (default: any, and it is printed)
  --seconds    how long faults are inflicted (default: ${DEFAULTS.seconds}); it ends when all is settled after that
  --tenants    how many tenants send (default: ${DEFAULTS.tenants})
  --instances  processes of each of the three services (default: ${DEFAULTS.instances})
  --json       the last line is one JSON object

Example: npm run chaos -- --seed 7 --seconds 30

The exit code is 0 where nothing is wrong, 1 where something is, 2 where the command cannot be understood. Where
something is wrong the store, the journal and the log are kept, and their folder is printed.
`;

export function parseCommand(args: readonly string[]): Wanted {
  const { json = false, help = false, ...given } = parse(args);
  const numberOf = (name: keyof typeof BOUNDS, otherwise: number): number => {
    const text = given[name];
    if (text === undefined) return otherwise;
    const [min, max] = BOUNDS[name];
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(`\`--${name} ${text}\`: it takes a whole number from ${min} to ${max}`);
  };
  return {
    seed: numberOf('seed', Math.floor(Math.random() * 2 ** 32)),
    seconds: numberOf('seconds', DEFAULTS.seconds),
    tenants: numberOf('tenants', DEFAULTS.tenants),
    instances: numberOf('instances', DEFAULTS.instances),
    json,
    help,
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        seconds: { type: 'string' },
        tenants: { type: 'string' },
        instances: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The verdict for people: what was done, what is there, what is wrong. */
export function tableOf({ seed, rounds, faults, sent, stored, violations }: Verdict): string {
  const row = (name: string, counts: Readonly<Record<string, number>>) =>
    `  ${name.padEnd(8)} ${Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ')}`;
  const wrong = Object.fromEntries(
    [...Map.groupBy(violations, ({ kind }) => kind)].map(([kind, ones]) => [kind, ones.length]),
  );
  const examples = violations
    .slice(0, EXAMPLES_MAX)
    .map(({ kind, where, told }) => `    ${kind}  ${where}: ${told}`);
  return `${[
    `chaos, seed ${seed}, ${rounds} rounds`,
    row('faults', faults),
    row('sent', sent),
    row('stored', stored),
    ...(violations.length > 0 ? [row('WRONG', wrong), ...examples] : []),
    violations.length === 0
      ? '  passed: nothing lost, nothing doubled, every chain unbroken'
      : `  FAILED: ${violations.length} violations; again: npm run chaos -- --seed ${seed}`,
  ].join('\n')}\n`;
}

export function jsonOf({ violations, ...verdict }: Verdict): string {
  const examples = violations.slice(0, EXAMPLES_MAX);
  return JSON.stringify({
    ...verdict,
    violations: violations.length,
    examples,
    pass: violations.length === 0,
  });
}

export async function runCommand(
  { json, help: _help, ...wanted }: Wanted,
  print: (text: string) => void,
): Promise<0 | 1> {
  const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-chaos-'));
  const begunMs = Date.now();
  const verdict = await runChaos({
    ...wanted,
    dataDir,
    onProgress(line) {
      const seconds = ((Date.now() - begunMs) / 1_000).toFixed(1);
      print(`[${seconds.padStart(6)} s] ${line}\n`);
    },
    onLine: (instance, line) => appendFileSync(join(dataDir, 'services.log'), `${instance} ${line}\n`),
  });
  print(tableOf(verdict));
  const isWrong = verdict.violations.length > 0;
  if (isWrong) print(`  kept in ${dataDir}\n`);
  else rmSync(dataDir, { recursive: true, force: true });
  if (json) print(`${jsonOf(verdict)}\n`);
  return isWrong ? 1 : 0;
}
