import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '..');

/** A test by its full title, the titles around it included, in a file of this repository. */
export interface TitledTest {
  readonly file: string;
  readonly title: string;
}

const CITATION = /\[([A-Z]\d+(?: [A-Z]\d+)*)\]/g;

/** A number that the rows of a table complete: it is known only once the file has been run. */
const UNFINISHED = /\[[A-Z]%/;

/** Numbers that a title cites, as in `a grace lasts 72 hours [L24 M7]`. */
export function numbersIn(title: string): readonly string[] {
  return [...title.matchAll(CITATION)].flatMap(([, numbers]) => numbers!.split(' '));
}

/**
 * Every test of these packages. Titles are read without running the files, which takes seconds instead of minutes;
 * a file in which a table completes a number is run for its titles.
 */
export function testsOf(projects: readonly string[]): readonly TitledTest[] {
  const all = list(['--static-parse'], projects);
  const unfinished = new Set(all.flatMap(({ file, title }) => (UNFINISHED.test(title) ? [file] : [])));
  if (unfinished.size === 0) return all;
  const completed = list(['--no-static-parse', ...unfinished], projects);
  return [...all.filter(({ file }) => !unfinished.has(file)), ...completed];
}

function list(options: readonly string[], projects: readonly string[]): readonly TitledTest[] {
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const chosen = projects.map((project) => `--project=${project}`);
  // What this very run tells its workers would be taken for theirs.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^VITEST|^TEST$/.test(name)),
  );
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [vitest, 'list', '--json', ...options, ...chosen],
    { cwd: ROOT, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  if (status !== 0) throw new Error(`the tests cannot be listed: ${stderr || stdout}`);
  const tests = JSON.parse(stdout) as readonly { readonly file: string; readonly name: string }[];
  return tests.map(({ file, name }) => ({ file: relative(ROOT, file), title: name }));
}

/** Titles of all other test files, journeys included, as far as they end in a citation. */
export function citingElsewhere(folders: readonly string[]): readonly TitledTest[] {
  const files = globSync('{libs,services,contracts,examples,test}/**/*.test.ts', {
    cwd: ROOT,
    exclude: (path) => /(^|\/)node_modules$/.test(String(path)),
  }).filter((file) => !folders.some((folder) => file.startsWith(`${folder}/`)));
  return files.flatMap((file) =>
    [
      ...readFileSync(join(ROOT, file), 'utf8').matchAll(/\(\s*(['"`])(.* \[[A-Z]\d+(?: [A-Z]\d+)*\])\1,/g),
    ].map(([, , title]) => ({ file, title: title! })),
  );
}

/** Which files cite each number. */
export function filesByNumber(tests: readonly TitledTest[]): ReadonlyMap<string, ReadonlySet<string>> {
  const files = new Map<string, Set<string>>();
  for (const { file, title } of tests) {
    for (const number of numbersIn(title)) files.set(number, (files.get(number) ?? new Set()).add(file));
  }
  return files;
}
