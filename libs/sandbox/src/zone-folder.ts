import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DnsBehaviour, Served } from './dns-answer.ts';
import { canonicalName, readZone, type Zone, ZoneError } from './dns-zone.ts';
import type { ZoneProblem } from './master-file.ts';

/** What is wrong with a file of the sandbox. */
export interface SandboxProblem extends ZoneProblem {
  /** Path of the file, or of the folder when it is about all of it. */
  readonly file: string;
}

/** As compilers write it and editors read it: `path:line: message`. */
export function problemLine({ file, line, message }: SandboxProblem): string {
  return line === undefined ? `${file}: ${message}` : `${file}:${line}: ${message}`;
}

const ZONE_SUFFIX = '.zone';
/** `cedar.example.zone.silent` is what one types who completes a file name. */
const SILENT_SUFFIX = /(\.zone)?\.silent$/;

interface ZoneFile {
  /** Null when it could not be read. */
  readonly text: string | null;
  /** The last good one; null when there was none. */
  readonly zone: Zone | null;
  readonly problems: readonly SandboxProblem[];
}

/**
 * A folder in which `<zone>.zone` holds that zone, and `<name>.silent` makes a name and all below it keep silent.
 * A file that cannot be served keeps its last good zone in service. One that never could answers SERVFAIL, as name
 * servers do for a zone that they could not load: the zone above it must not say that it does not exist.
 * Hidden files are those of editors and are passed over.
 */
export class ZoneFolder {
  readonly #path: string;
  #files: ReadonlyMap<string, ZoneFile> = new Map();
  #silent: readonly string[] = [];
  #problem: SandboxProblem | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads everything anew. A folder that is gone stays served as it was. */
  read(): void {
    let names: string[];
    try {
      names = visibleNames(this.#path);
    } catch (error) {
      this.#problem = { file: this.#path, message: unreadable(error, 'folder') };
      return;
    }
    this.#problem = null;
    this.#silent = names
      .filter((name) => SILENT_SUFFIX.test(name))
      .map((name) => canonicalName(name.replace(SILENT_SUFFIX, '')));
    this.#files = new Map(
      zoneFileNames(names).map((name) => [
        name,
        readZoneFile(join(this.#path, name), name, this.#files.get(name)),
      ]),
    );
  }

  served(): Served {
    const files = [...this.#files];
    const zones = files.flatMap(([, { zone }]) => (zone ? [zone] : []));
    const behaviours = new Map<string, DnsBehaviour>([
      ...files.flatMap(([name, { zone }]) => (zone ? [] : [[originOf(name), 'servfail'] as const])),
      ...this.#silent.map((name) => [name, 'silent'] as const),
    ]);
    return { zones: new Map(zones.map((zone) => [zone.origin, zone])), behaviours };
  }

  problems(): SandboxProblem[] {
    const ofFiles = [...this.#files.values()].flatMap((file) => file.problems);
    return this.#problem ? [this.#problem, ...ofFiles] : ofFiles;
  }
}

export function zoneFileNames(names: readonly string[]): string[] {
  return names.filter((name) => name.endsWith(ZONE_SUFFIX) && name !== ZONE_SUFFIX);
}

export function visibleNames(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort();
}

function originOf(fileName: string): string {
  return canonicalName(fileName.slice(0, -ZONE_SUFFIX.length));
}

/** Reads `<zone>.zone`; `before` is what was known of it. Never throws. */
export function readZoneFile(path: string, name: string, before?: ZoneFile): ZoneFile {
  const zone = before?.zone ?? null;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return { text: null, zone, problems: [{ file: path, message: unreadable(error, 'file') }] };
  }
  if (before?.text === text) return before;
  try {
    return { text, zone: readZone(text, { origin: originOf(name), needsSoa: true }), problems: [] };
  } catch (error) {
    if (!(error instanceof ZoneError)) throw error;
    return { text, zone, problems: error.problems.map((problem) => ({ file: path, ...problem })) };
  }
}

/** What a person would call the reason why a file or a folder could not be read. */
export function unreadable(error: unknown, what: 'file' | 'folder'): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return `there is no such ${what}`;
    case 'ENOTDIR':
      return 'is not a folder';
    case 'EISDIR':
      return 'is a folder, not a file';
    case 'EACCES':
      return 'may not be read by this user';
    default:
      return `cannot be read: ${(error as Error).message}`;
  }
}
