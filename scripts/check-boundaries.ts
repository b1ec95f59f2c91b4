/**
 * Holds the direction of dependencies: what a package declares and what its sources import must follow the arrows
 * between types, and the pure packages must not touch anything that waits or varies.
 * Undeclared packages from outside are Biome's business.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const ALL = ['canon', 'machines', 'contracts', 'messaging', 'kit', 'service', 'app', 'test-kit', 'test'];
const allBut = (...types: string[]) => ALL.filter((type) => !types.includes(type));
const ARROWS: Record<string, readonly string[]> = {
  canon: [],
  machines: ['canon'],
  contracts: ['canon'],
  messaging: ['canon', 'contracts'],
  kit: ['canon', 'contracts', 'messaging', 'kit'],
  service: ['canon', 'machines', 'contracts', 'messaging', 'kit'],
  app: allBut('service', 'test', 'test-kit'),
  'test-kit': allBut('service', 'app', 'test'),
  // What a service is made of may be put together otherwise, to see in a second what it does in two months.
  test: ALL,
};

const PURE = ['canon', 'machines'];
const IMPURE_IMPORT = /^(node:(fs|net|http|https|child_process|timers|dns)(\/.*)?|pino|nats)$/;
const IMPURE_CODE = /\b(Date\.now|new Date\(\s*\)|Math\.random|process\.env|setTimeout|fetch\()/g;
const IMPORT =
  /^[ \t]*(?:import|export)\s(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

interface Package {
  manifest: string;
  directory: string;
  name: string;
  type: string;
  declared: readonly string[];
}

export function findViolations(root: string): string[] {
  const patterns: string[] = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).workspaces;
  const packages = new Map(
    patterns
      .flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }))
      .map((path) => readPackage(join(root, path)))
      .map((found) => [found.name, found]),
  );
  const violations: string[] = [];

  for (const from of packages.values()) {
    const report = (file: string, text: string, index: number, sentence: string) =>
      violations.push(`${relative(root, file)}:${text.slice(0, index).split('\n').length}: ${sentence}`);
    const allowed = ARROWS[from.type];
    const manifestText = readFileSync(from.manifest, 'utf8');
    if (!allowed) {
      report(from.manifest, manifestText, 0, `${from.name} has no known nx tag \`type:...\`: give it one`);
      continue;
    }
    for (const name of from.declared) {
      const to = packages.get(name);
      if (!to || allowed.includes(to.type)) continue;
      const sentence = `${from.name} (${from.type}) declares ${name} (${to.type}): ${arrowsOf(from.type)}`;
      report(from.manifest, manifestText, manifestText.indexOf(`"${name}"`), sentence);
    }

    const inner = [...packages.values()].filter((one) => isWithin(one.directory, from.directory));
    for (const file of sourcesIn(from.directory)) {
      // a file belongs to the innermost package that it lies in
      if (inner.some((one) => isWithin(file, one.directory))) continue;
      const text = withoutComments(readFileSync(file, 'utf8'));
      const isTest = /\.test(-support)?\.ts$/.test(file);
      const isPure = PURE.includes(from.type) && !isTest;
      for (const match of text.matchAll(IMPORT)) {
        const problem = problemWith(match[1] ?? match[2] ?? '', { from, file, isTest, isPure, packages });
        if (problem) report(file, text, match.index, problem);
      }
      if (!isPure) continue;
      for (const match of text.matchAll(IMPURE_CODE)) {
        report(
          file,
          text,
          match.index,
          `${from.name} is pure: take what \`${match[0]}\` gives as a parameter`,
        );
      }
    }
  }
  return violations;
}

interface ImportSite {
  from: Package;
  file: string;
  isTest: boolean;
  isPure: boolean;
  packages: ReadonlyMap<string, Package>;
}

function problemWith(specifier: string, { from, file, isTest, isPure, packages }: ImportSite): string | null {
  if (specifier.startsWith('.')) {
    const leaves = !isWithin(resolve(dirname(file), specifier), from.directory);
    return leaves ? `\`${specifier}\` leaves the package: import the other package by its name` : null;
  }
  if (isPure && IMPURE_IMPORT.test(specifier)) {
    return `${from.name} is pure: it may not import \`${specifier}\``;
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const to = packages.get(name);
  if (!to || to === from || (isTest && to.type === 'test-kit')) return null;
  if (!ARROWS[from.type]?.includes(to.type)) {
    return `${from.name} (${from.type}) imports ${name} (${to.type}): ${arrowsOf(from.type)}`;
  }
  return from.declared.includes(name)
    ? null
    : `${name} is not declared: add it to the dependencies of ${from.name}`;
}

function arrowsOf(type: string): string {
  return `${type} may depend on ${ARROWS[type]?.join(', ') || 'no other package here'}`;
}

function readPackage(manifest: string): Package {
  const content = JSON.parse(readFileSync(manifest, 'utf8'));
  const tag = content.nx?.tags?.find((candidate: string) => candidate.startsWith('type:'));
  const declared = Object.keys({ ...content.dependencies, ...content.devDependencies });
  return { manifest, directory: dirname(manifest), name: content.name, type: tag?.slice(5) ?? '', declared };
}

const isWithin = (path: string, directory: string): boolean => path.startsWith(directory + sep);

function sourcesIn(directory: string): string[] {
  return globSync('**/*.{ts,tsx,mts,mjs,js}', { cwd: directory, exclude: ['**/node_modules'] })
    .filter((path) => !path.split(sep).includes('generated'))
    .sort()
    .map((path) => join(directory, path));
}

/** Blanks comments and keeps the lines, so that a sentence about a clock is not taken for one. */
function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, ' ');
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(?<=^|\s)\/\/.*$/gm, blank);
}

if (import.meta.main) {
  const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
  const violations = findViolations(root);
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) process.exitCode = 1;
}
