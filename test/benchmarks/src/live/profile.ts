import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ProfileNode {
  readonly id: number;
  readonly children?: readonly number[];
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
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
  /** Of ours, with everything that they called. */
  readonly calls: readonly Share[];
}

const TOP = 30;

/** Time that each function had for itself, the same by package, and of our own functions with what they called. */
export function summarize({ nodes, samples, timeDeltas }: CpuProfile): ProfileSummary {
  const msById = new Map<number, number>();
  samples.forEach((id, index) => {
    msById.set(id, (msById.get(id) ?? 0) + Math.max(0, timeDeltas[index] ?? 0) / 1000);
  });
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const packages = new Map<string, number>();
  const functions = new Map<string, number>();
  const calls = new Map<string, number>();
  let idleMs = 0;
  const add = (to: Map<string, number>, name: string, ms: number) => to.set(name, (to.get(name) ?? 0) + ms);

  /** Whoever calls itself has its time once. */
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const { functionName, url, lineNumber } = node.callFrame;
    const home = packageOf(functionName, url);
    const place = url ? ` ${home} ${url.split('/').at(-1)}:${lineNumber + 1}` : '';
    const name = `${functionName || '(anonymous)'}${place}`;
    const ownMs = msById.get(node.id) ?? 0;
    if (functionName === '(idle)') {
      idleMs += ownMs;
      return ownMs;
    }
    add(packages, home, ownMs);
    add(functions, name, ownMs);
    const isOwn = OWN.test(home);
    const inside = isOwn ? new Set([...above, name]) : above;
    let ms = ownMs;
    for (const child of node.children ?? []) ms += visit(byId.get(child)!, inside);
    if (isOwn && !above.has(name)) add(calls, name, ms);
    return ms;
  };
  const isChild = new Set(nodes.flatMap((node) => node.children ?? []));
  let totalMs = 0;
  for (const node of nodes) if (!isChild.has(node.id)) totalMs += visit(node, new Set());
  return {
    busyMs: totalMs - idleMs,
    totalMs,
    packages: ranked(packages),
    functions: ranked(functions),
    calls: ranked(calls),
  };
}

const OWN = /^(libs|services)\/|^contracts$/;

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

function profileTable(name: string, { busyMs, totalMs, packages, functions, calls }: ProfileSummary): string {
  const line = ({ name, ms }: Share) => {
    const share = ((ms * 100) / busyMs).toFixed(1).padStart(5);
    return `    ${share} %  ${ms.toFixed(0).padStart(6)} ms  ${name}`;
  };
  const heading = `${name}: busy ${(busyMs / 1000).toFixed(1)} s of ${(totalMs / 1000).toFixed(1)} s`;
  const byPackage = packages.filter(({ ms }) => ms * 200 > busyMs).map(line);
  const tables = [
    ['by package', byPackage],
    ['by function, itself', functions.slice(0, TOP).map(line)],
    ['ours, with what they call', calls.slice(0, TOP).map(line)],
  ] as const;
  return `${[heading, ...tables.flatMap(([title, lines]) => [`  ${title}`, ...lines])].join('\n')}\n`;
}
