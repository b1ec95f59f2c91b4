import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: {
      readonly functionName: string;
      readonly url: string;
      readonly lineNumber: number;
    };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Share {
  readonly name: string;
  readonly ms: number;
}

export interface ProfileSummary {
  /** Not idle. */
  readonly busyMs: number;
  readonly totalMs: number;
  readonly packages: readonly Share[];
  readonly functions: readonly Share[];
}

const TOP = 30;

/** Time that each function had for itself, and the same by package. */
export function summarize({ nodes, samples, timeDeltas }: CpuProfile): ProfileSummary {
  const usById = new Map<number, number>();
  samples.forEach((id, index) => {
    usById.set(id, (usById.get(id) ?? 0) + Math.max(0, timeDeltas[index] ?? 0));
  });
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  let totalMs = 0;
  let idleMs = 0;
  for (const { id, callFrame } of nodes) {
    const ms = (usById.get(id) ?? 0) / 1000;
    totalMs += ms;
    if (callFrame.functionName === '(idle)') {
      idleMs += ms;
      continue;
    }
    const home = packageOf(callFrame.functionName, callFrame.url);
    packages.set(home, (packages.get(home) ?? 0) + ms);
    const file = callFrame.url.split('/').at(-1) ?? '';
    const place = callFrame.url ? ` ${home} ${file}:${callFrame.lineNumber + 1}` : '';
    const name = `${callFrame.functionName || '(anonymous)'}${place}`;
    functions.set(name, (functions.get(name) ?? 0) + ms);
  }
  return { busyMs: totalMs - idleMs, totalMs, packages: ranked(packages), functions: ranked(functions) };
}

const ranked = (shares: ReadonlyMap<string, number>): readonly Share[] =>
  [...shares].map(([name, ms]) => ({ name, ms })).sort((a, b) => b.ms - a.ms);

/** `(garbage collector)` and `(program)` are packages of their own; the latter is native code, sockets included. */
function packageOf(functionName: string, url: string): string {
  if (!url) return functionName.startsWith('(') ? functionName : '(native)';
  if (url.startsWith('node:')) return url.split('/')[0] === 'node:internal' ? 'node:internal' : url;
  const inModules = /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url);
  if (inModules) return inModules[1]!;
  return /\/((?:libs|services)\/[^/]+|contracts)\//.exec(url)?.[1] ?? url;
}

/** A table for each profile in a folder. */
export function profileTables(directory: string): string {
  const files = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'));
  return files
    .sort()
    .map((file) => {
      const profile = JSON.parse(readFileSync(join(directory, file), 'utf8')) as CpuProfile;
      return profileTable(file.replace(/\.cpuprofile$/, ''), summarize(profile));
    })
    .join('\n');
}

function profileTable(name: string, { busyMs, totalMs, packages, functions }: ProfileSummary): string {
  const line = ({ name, ms }: Share) => {
    const share = ((ms * 100) / busyMs).toFixed(1).padStart(5);
    return `    ${share} %  ${ms.toFixed(0).padStart(6)} ms  ${name}`;
  };
  const heading = `${name}: busy ${(busyMs / 1000).toFixed(1)} s of ${(totalMs / 1000).toFixed(1)} s`;
  const byPackage = packages.filter(({ ms }) => ms * 200 > busyMs).map(line);
  return `${[heading, '  by package', ...byPackage, '  by function', ...functions.slice(0, TOP).map(line)].join('\n')}\n`;
}
