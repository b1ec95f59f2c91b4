import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { citingElsewhere, filesByNumber, numbersIn, ROOT, type TitledTest, testsOf } from './cited-tests.ts';

/** The packages of which every test cites a number. */
const CITING = {
  '@orchestrate/canon': 'libs/canon',
  '@orchestrate/layer-machines': 'libs/layer-machines',
  '@orchestrate/contracts': 'contracts',
} as const;

const GROUPS = ['T', 'L', 'G', 'M', 'A'];
const SPEC = 'libs/canon/SPEC.md';
const MAP = 'docs/canon-map.md';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Link {
  readonly text: string;
  readonly file: string;
  readonly after: string;
}

/** Links of a cell in Markdown, each with what stands between it and the next one. */
function linksIn(cell: string, page: string): readonly Link[] {
  return [...cell.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)([^[]*)/g)].map(([, text, target, after]) => ({
    text: text!,
    file: relative(ROOT, join(ROOT, page, '..', target!)),
    after: after!,
  }));
}

/** The cells of every table row of a page, but for headings and rules. */
function rowsOf(page: string): readonly { readonly cells: readonly string[]; readonly at: string }[] {
  return read(page)
    .split('\n')
    .flatMap((line, index) => {
      if (!line.startsWith('| ') || /^\| (\||claim )/.test(line)) return [];
      const cells = line.slice(1, -1).split('|');
      return [{ cells: cells.map((cell) => cell.trim()), at: `${page}:${index + 1}` }];
    });
}

const promises = rowsOf(SPEC).map(({ cells: [number, sentence, heldBy], at }) => ({
  number: number!,
  sentence: sentence!,
  files: linksIn(heldBy ?? '', SPEC).map(({ file }) => file),
  at: `${at} ${number}`,
}));
const numbers = new Set(promises.map(({ number }) => number));

let own: readonly TitledTest[];
let citing: readonly TitledTest[];
let citedIn: ReadonlyMap<string, ReadonlySet<string>>;
beforeAll(() => {
  own = testsOf(Object.keys(CITING));
  citing = [...own, ...citingElsewhere(Object.values(CITING))];
  citedIn = filesByNumber(citing);
});

describe('SPEC.md', () => {
  test('numbers its promises from one on in each group, each once and in order', () => {
    const expected = GROUPS.flatMap((group) =>
      promises.filter(({ number }) => number.startsWith(group)).map((_, index) => `${group}${index + 1}`),
    );
    expect(promises.map(({ number }) => number)).toEqual(expected);
    expect(new Set(expected.map((number) => number[0])).size).toBe(GROUPS.length);
  });

  test('says each promise in one sentence, and no two alike', () => {
    for (const { sentence, at } of promises) expect(sentence, at).toMatch(/^[A-Z`].*[^.]\.$/);
    expect(new Set(promises.map(({ sentence }) => sentence)).size).toBe(promises.length);
  });

  test('names files that are there, and no promise without one', () => {
    const wrong = promises.flatMap(({ files, at }) =>
      files.length === 0
        ? [`${at}: no file`]
        : files.filter((file) => !existsSync(join(ROOT, file))).map((file) => `${at}: no ${file}`),
    );
    expect(wrong).toEqual([]);
  });

  test('names only files in which a test cites the number', () => {
    const wrong = promises.flatMap(({ number, files, at }) =>
      files.filter((file) => !citedIn.get(number)?.has(file)).map((file) => `${at}: not cited in ${file}`),
    );
    expect(wrong).toEqual([]);
  });

  test('names every file in which a test cites the number', () => {
    const wrong = promises.flatMap(({ number, files, at }) =>
      [...(citedIn.get(number) ?? [])]
        .filter((file) => !files.includes(file))
        .map((file) => `${at}: ${file}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('a test', () => {
  test('of the canon, the machines and the contracts cites what it holds', () => {
    for (const folder of Object.values(CITING)) {
      expect(own.filter(({ file }) => file.startsWith(`${folder}/`)).length, folder).toBeGreaterThan(0);
    }
    const silent = own.filter(({ title }) => numbersIn(title).length === 0);
    expect(silent.map(({ file, title }) => `${file}: ${title}`)).toEqual([]);
  });

  test('cites only what is promised', () => {
    const wrong = citing.flatMap(({ file, title }) =>
      numbersIn(title)
        .filter((number) => !numbers.has(number))
        .map((number) => `${file}: ${title}: no ${number}`),
    );
    expect(wrong).toEqual([]);
  });
});

/** Whether a file declares this name: a value, a type, a method, or a key that stands at most one level deep. */
function declares(file: string, name: string): boolean {
  const escaped = name.replaceAll(/[.$]/g, String.raw`\$&`);
  const declaration = String.raw`^(?:export )?(?:async )?(?:const|function|class|interface|type) ${escaped}\b`;
  const method = `^ {2}(?:static |async |get |readonly )*#?${escaped}[(<]`;
  const key = String.raw`^(?: {2}){1,2}(?:readonly )?['"]?${escaped}['"]?\??:`;
  return new RegExp(`${declaration}|${method}|${key}`, 'm').test(read(file));
}

describe('canon-map.md', () => {
  const claims = rowsOf(MAP);

  test('has a place in the code and a test for each claim', () => {
    expect(claims.length).toBeGreaterThan(25);
    for (const { cells, at } of claims) {
      expect(cells.length, at).toBe(3);
      expect(linksIn(cells[1]!, MAP).length, at).toBeGreaterThan(0);
      expect(linksIn(cells[2]!, MAP).length, at).toBeGreaterThan(0);
    }
  });

  test('names what the file that it leads to declares', () => {
    const wrong = claims.flatMap(({ cells, at }) =>
      linksIn(cells[1]!, MAP).flatMap(({ text, file, after }) => {
        if (!existsSync(join(ROOT, file))) return [`${at}: no ${file}`];
        const names = [...after.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
        if (names.length === 0) return [`${at}: nothing named of ${text}`];
        return names.filter((name) => !declares(file, name)).map((name) => `${at}: no ${name} in ${file}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('leads to tests that cite the number', () => {
    const wrong = claims.flatMap(({ cells, at }) =>
      linksIn(cells[2]!, MAP).flatMap(({ text, file }) =>
        /^[A-Z]\d+( [A-Z]\d+)*$/.test(text)
          ? text
              .split(' ')
              .filter((number) => !citedIn.get(number)?.has(file))
              .map((number) => `${at}: ${number} is not cited in ${file}`)
          : [`${at}: ${text} is no number`],
      ),
    );
    expect(wrong).toEqual([]);
  });
});
