/** Writes the pages of the reference that are made from the code, and the tables of the README: `npm run docs`. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { between } from './reference/between.ts';
import { cliPage, outputSchema } from './reference/cli-page.ts';
import { streamsPage } from './reference/streams-page.ts';
import { decisionTable, gateTable, layerTable, stateTable, wordsPage } from './reference/words-page.ts';

/** Path in the repository -> what must stand there. */
export function referenceFiles(root: string): ReadonlyMap<string, string> {
  const readme = join(root, 'README.md');
  const tables = {
    layers: layerTable(),
    states: stateTable(),
    decisions: decisionTable(),
    gates: gateTable(),
  };
  return new Map([
    ['docs/reference/cli.md', cliPage()],
    ['docs/reference/cli-output.schema.json', outputSchema()],
    ['docs/reference/words.md', wordsPage()],
    ['docs/reference/streams.md', streamsPage()],
    [
      'README.md',
      Object.entries(tables).reduce(
        (text, [name, made]) => between(text, name, made, readme),
        readFileSync(readme, 'utf8'),
      ),
    ],
  ]);
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..');
  for (const [path, text] of referenceFiles(root)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}
