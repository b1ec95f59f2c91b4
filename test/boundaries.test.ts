import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const checkout = join(import.meta.dirname, '..');

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'boundaries-'));
  write('package.json', JSON.stringify({ workspaces: ['libs/*', 'services/*'] }));
  definePackage('libs/canon', 'canon');
  definePackage('libs/test-kit', 'test-kit');
  definePackage('services/aggregator', 'service', ['@orchestrate/canon']);
  definePackage('services/governance', 'service');
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function definePackage(path: string, type: string, dependencies: string[] = []): void {
  write(
    `${path}/package.json`,
    JSON.stringify({
      name: `@orchestrate/${path.split('/')[1]}`,
      dependencies: Object.fromEntries(dependencies.map((name) => [name, '*'])),
      nx: { tags: [`type:${type}`] },
    }),
  );
}

function check(directory: string): { code: number | null; lines: string[] } {
  const script = join(checkout, 'scripts/check-boundaries.ts');
  const { status, stderr } = spawnSync(process.execPath, [script, directory], { encoding: 'utf8' });
  return { code: status, lines: stderr.trim().split('\n').filter(Boolean) };
}

test('this repository keeps its boundaries [G17 L35]', () => {
  expect(check(checkout)).toEqual({ code: 0, lines: [] });
});

test('allowed imports pass, and tests may use the test kit without declaring it', () => {
  write('services/aggregator/src/app.ts', `import { fold } from '@orchestrate/canon';\nimport './fold.ts';`);
  write(
    'services/aggregator/src/app.test.ts',
    `import { test } from 'vitest';\nimport '@orchestrate/test-kit';`,
  );
  write('libs/canon/src/truth.ts', `// never Date.now(), see SPEC\nexport const at = new Date(0);`);
  write('services/aggregator/src/zones.test-support.ts', `import '@orchestrate/test-kit';`);
  write('libs/canon/src/truth.test.ts', `import 'node:fs';\nconst now = Date.now();`);
  expect(check(root)).toEqual({ code: 0, lines: [] });
});

test('a test may put together what a service is made of, and no service may do the same', () => {
  definePackage('test', 'test', ['@orchestrate/governance']);
  write('package.json', JSON.stringify({ workspaces: ['libs/*', 'services/*', 'test'] }));
  write('test/simulation.ts', `import { Ledger } from '@orchestrate/governance/src/ledger.ts';`);
  expect(check(root)).toEqual({ code: 0, lines: [] });
  definePackage('services/aggregator', 'service', ['@orchestrate/governance']);
  expect(check(root).code).toBe(1);
});

test.each([
  [
    'a service that imports a service',
    'services/governance/src/app.ts',
    `\nimport { a } from '@orchestrate/aggregator';`,
    /^services\/governance\/src\/app\.ts:2: @orchestrate\/governance \(service\) imports @orchestrate\/aggregator \(service\): service may depend on canon, /,
  ],
  [
    'an import that nobody declared',
    'services/governance/src/app.ts',
    `export {\n  a,\n} from '@orchestrate/canon';`,
    /:1: @orchestrate\/canon is not declared/,
  ],
  [
    'a dynamic import',
    'services/governance/src/app.ts',
    `await import('@orchestrate/test-kit');`,
    /:1: .*imports @orchestrate\/test-kit/,
  ],
  [
    'a relative import into another package',
    'services/governance/src/app.ts',
    `import { a } from '../../aggregator/src/app.ts';`,
    /leaves the package/,
  ],
  [
    'a clock in the canon',
    'libs/canon/src/a.ts',
    `\n\nconst now = Date.now();`,
    /a\.ts:3: .*is pure.*Date\.now/,
  ],
  ['a date of now in the canon', 'libs/canon/src/a.ts', `const now = new Date();`, /is pure.*new Date\(\)/],
  [
    'a timer module in the canon',
    'libs/canon/src/a.ts',
    `import { setTimeout as sleep } from 'node:timers/promises';`,
    /may not import `node:timers\/promises`/,
  ],
])('%s is refused with its line', (_, path, source, sentence) => {
  write(path, source);
  const { code, lines } = check(root);
  expect(code).toBe(1);
  expect(lines.join('\n')).toMatch(sentence);
});

test('a declared dependency against the arrows is refused even when nothing imports it', () => {
  definePackage('libs/canon', 'canon', ['@orchestrate/governance']);
  expect(check(root)).toEqual({
    code: 1,
    lines: [
      'libs/canon/package.json:1: @orchestrate/canon (canon) declares @orchestrate/governance (service): canon may depend on no other package here',
    ],
  });
});

test('a package without a type is refused', () => {
  definePackage('libs/stray', 'unheard-of');
  expect(check(root).lines).toEqual([expect.stringMatching(/stray has no known nx tag `type:\.\.\.`/)]);
});

test('a package inside another one answers for its own files', () => {
  write('package.json', JSON.stringify({ workspaces: ['libs/*', 'services', 'services/*'] }));
  write(
    'services/package.json',
    JSON.stringify({ name: '@orchestrate/outer', nx: { tags: ['type:service'] } }),
  );
  write('services/aggregator/src/app.ts', `import '@orchestrate/canon';`);
  expect(check(root)).toEqual({ code: 0, lines: [] });
  write('services/app.ts', `import '@orchestrate/canon';`);
  expect(check(root).lines).toEqual([expect.stringMatching(/^services\/app\.ts:1: .*is not declared/)]);
});
