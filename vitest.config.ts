import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { defineConfig } from 'vitest/config';

if (Number(process.versions.node.split('.')[0]) < 26) {
  throw new Error(`these tests need Node 26, this is ${process.version}: run them with \`npm test\``);
}

/** One vitest project per workspace package, named as the package is, so that `nx test` can pick it. */
const manifests = globSync([
  'libs/*/package.json',
  'services/*/package.json',
  'examples/*/package.json',
  'contracts/package.json',
  'test/package.json',
]);

export default defineConfig({
  test: {
    projects: manifests.sort().map((manifest) => ({
      extends: true,
      test: {
        name: JSON.parse(readFileSync(manifest, 'utf8')).name,
        root: dirname(manifest),
        include: ['**/*.test.ts'],
        globalSetup: [],
      },
    })),
    reporters: process.env.CI ? ['default'] : ['default'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
