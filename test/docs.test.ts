import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { readPolicyFile, tenantFileSchema } from '@orchestrate/client';
import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';

const ROOT = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const SETTINGS = read('docs/reference/settings.md');
const FILES = read('docs/reference/files.md');

const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name!);
const sorted = (names: Iterable<string>) => [...new Set(names)].toSorted();

describe('settings.md', () => {
  const schemas = [
    ...globSync('services/*/src/config.ts', { cwd: ROOT }),
    'libs/service-kit/src/environment.ts',
  ];
  const sources = globSync(['libs/*/src/**/*.{ts,mjs}', 'services/*/src/**/*.ts', 'scripts/**/*.{ts,mjs}'], {
    cwd: ROOT,
  }).filter((path) => !/\.test(-support)?\.ts$/.test(path));
  const variablesOf = (path: string) => [
    ...found(read(path), /\benv\.([A-Z][A-Z0-9_]+)\b/g),
    ...found(read(path), /\.env\(\s*'([A-Z][A-Z0-9_]+)'\s*\)/g),
  ];
  const ofServices = schemas.flatMap((path) => found(read(path), /^ {2}([A-Z][A-Z0-9_]+):/gm));
  const named = found(SETTINGS, /^\| `([A-Z][A-Z0-9_]+)` \|/gm);

  it('names every variable that a service or the command line reads', () => {
    const ofCommandLine = sources.filter((path) => path.startsWith('libs/cli/')).flatMap(variablesOf);
    expect(ofServices).toContain('DNS_SERVERS');
    expect(ofCommandLine).toContain('ORCHESTRATE_ACTOR');
    expect(sorted(named)).toEqual(expect.arrayContaining(sorted([...ofServices, ...ofCommandLine])));
  });

  it('names none that nobody reads', () => {
    const readSomewhere = new Set([...ofServices, ...sources.flatMap(variablesOf)]);
    expect(sorted(named).filter((name) => !readSomewhere.has(name))).toEqual([]);
  });

  it('gives the defaults that stand in the schemas', () => {
    for (const path of schemas) {
      const entries = read(path).split(/^ {2}(?=[A-Z][A-Z0-9_]+:)/m);
      for (const entry of entries.slice(1)) {
        const name = /^[A-Z0-9_]+/.exec(entry)![0];
        const value = /\.default\(([^)[\]]+)\)/.exec(entry)?.[1]?.replaceAll(/['_]/g, '');
        if (value === undefined) continue;
        const row = SETTINGS.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
        expect(row, `${name} of ${path}`).toMatch(new RegExp(`\\| \`${value}\` \\|$`));
      }
    }
  });
});

/** Keys of a schema, `[]` for each entry of a list, with the default where there is one. */
function schemaKeys(schema: z.ZodType, path = ''): { path: string; value: unknown; required: boolean }[] {
  let value: unknown;
  let required = true;
  let at: unknown = schema;
  while (at instanceof z.ZodDefault || at instanceof z.ZodNullable || at instanceof z.ZodOptional) {
    if (at instanceof z.ZodDefault) value = at.def.defaultValue;
    if (at instanceof z.ZodDefault || at instanceof z.ZodOptional) required = false;
    at = at.unwrap();
  }
  const own = path === '' || path.endsWith('[]') ? [] : [{ path, value, required }];
  if (at instanceof z.ZodArray) return [...own, ...schemaKeys(at.element as z.ZodType, `${path}[]`)];
  if (!(at instanceof z.ZodObject)) return own;
  const under = Object.entries(at.shape as Record<string, z.ZodType>);
  return [...own, ...under.flatMap(([key, one]) => schemaKeys(one, path === '' ? key : `${path}.${key}`))];
}

function section(heading: string): string {
  const from = FILES.indexOf(`\n## ${heading}\n`);
  const to = FILES.indexOf('\n## ', from + 1);
  return FILES.slice(from, to < 0 ? undefined : to);
}

/** The cells of the row that begins with a key. */
const cellsOf = (text: string, key: string) =>
  text
    .split('\n')
    .find((line) => line.startsWith(`| \`${key}\` |`))
    ?.slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());

describe('files.md', () => {
  it('has every key of a tenant file with its default, and no other', () => {
    const text = section('Tenant file');
    const keys = schemaKeys(tenantFileSchema);
    expect(keys.length).toBeGreaterThan(40);
    for (const { path, value, required } of keys) {
      const cell = cellsOf(text, path)?.[2];
      expect(cell, path).toBe(required ? '' : `\`${JSON.stringify(value)}\``);
    }
    expect(sorted(found(text, /^\| `([^`]+)` \|/gm))).toEqual(sorted(keys.map(({ path }) => path)));
  });

  it('has every key of the policy with the default that is shipped, and no other', () => {
    const text = section('Policy');
    const { degradations, ...rest } = readPolicyFile() as unknown as Record<string, object>;
    const keys = ['degradations', ...Object.keys(degradations!).map((key) => `degradations.${key}`)];
    const walk = (value: unknown, path: string) => {
      keys.push(path);
      const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
      const cell = cellsOf(text, path)?.[1];
      const shown = typeof value === 'string' ? value : JSON.stringify(value)?.replaceAll(',', ', ');
      expect(cell, path).toBe(isMap ? '' : `\`${shown}\``);
      if (isMap) for (const [key, one] of Object.entries(value)) walk(one, `${path}.${key}`);
    };
    for (const [key, value] of Object.entries(rest)) walk(value, key);
    for (const [key, constraints] of Object.entries(degradations!)) {
      const told = Object.entries(constraints as object).map(([field, value]) => `\`${field}\` ${value}`);
      expect(cellsOf(text, `degradations.${key}`)?.[2]?.split(', ').toSorted(), key).toEqual(told.toSorted());
    }
    const [before] = text.split('A field that is not set demands nothing');
    expect(sorted(found(before!, /^\| `([^`]+)` \|/gm))).toEqual(sorted(keys));
  });
});

const PAGES = globSync(['*.md', '{docs,examples,libs,services,contracts,test,deploy}/**/*.md'], {
  cwd: ROOT,
  exclude: (path) => /(^|\/)node_modules$/.test(String(path)),
}).filter((path) => !path.includes('node_modules'));

const withoutCode = (markdown: string) =>
  markdown
    .replaceAll(/^(```+)[^\n]*\n[\s\S]*?^\1$/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()<>]/g, ' '));

/** As the heading is turned into an anchor: lower case, no punctuation, hyphens for spaces. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const heading of found(markdown.replaceAll(/^(```+)[^\n]*\n[\s\S]*?^\1$/gm, ''), /^#{1,6} +(.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '');
    const slug = plain
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

describe('links', () => {
  test.each(PAGES)('of %s lead somewhere', (page) => {
    const text = withoutCode(read(page));
    const targets = [
      ...found(text, /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g),
      ...found(text, /<(?:img|a)\b[^>]*?\b(?:src|href)="([^"]+)"/g),
      ...found(text, /^\[[^\]]+\]:\s*(\S+)/gm),
    ];
    const broken = targets.filter((target) => {
      if (/^[a-z][a-z+.-]*:/i.test(target)) return false;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURI(path));
      if (relative(ROOT, file).startsWith('..') || !existsSync(file)) return true;
      return (
        anchor !== undefined &&
        !(statSync(file).isFile() && anchorsOf(readFileSync(file, 'utf8')).has(anchor))
      );
    });
    expect(broken).toEqual([]);
  });

  it('are looked for in every page there is', () => {
    expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'docs/README.md', 'libs/client/README.md']));
  });
});

test('a file that a page shows is that file', () => {
  const shown = PAGES.flatMap((page) =>
    [...read(page).matchAll(/^<!-- file: (\S+) -->\n+```\w*\n([\s\S]*?)^```$/gm)].map(([, path, text]) => ({
      page,
      path: path!,
      text: text!,
    })),
  );
  expect(sorted(shown.map(({ path }) => path))).toEqual([
    'examples/extend/probe.ts',
    'examples/extend/sender.ts',
    'services/evidence-probes/src/dns/domain-probe.ts',
  ]);
  for (const { page, path, text } of shown) expect(text, `${path} in ${page}`).toBe(read(path));
});
