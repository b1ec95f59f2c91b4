/** Writes the pages of the reference that are made from the code, and the tables of the README: `npm run docs`. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { between } from './reference/between.ts';
import { cliPage, outputSchema } from './reference/cli-page.ts';
import { machinesPage } from './reference/machines-page.ts';
import { metricsPage } from './reference/metrics-page.ts';
import { streamsPage } from './reference/streams-page.ts';
import { decisionTable, gateTable, layerTable, stateTable, wordsPage } from './reference/words-page.ts';

/** Path in the repository -> what must stand there. */
function referenceFiles(root: string): ReadonlyMap<string, string> {
  const readme = join(root, 'README.md');
  const listing = (path: string) => `\`\`\`ts\n${readFileSync(join(root, path), 'utf8').trim()}\n\`\`\``;
  const made = {
    layers: layerTable(),
    states: stateTable(),
    decisions: decisionTable(),
    gates: gateTable(),
    probe: listing('examples/extend/probe.ts'),
    sender: listing('examples/extend/sender.ts'),
  };
  return new Map([
    ['docs/reference/cli.md', cliPage()],
    ['docs/reference/cli-output.schema.json', outputSchema()],
    ['docs/reference/words.md', wordsPage()],
    ['docs/reference/machines.md', machinesPage()],
    ['docs/reference/metrics.md', metricsPage()],
    ['docs/reference/streams.md', streamsPage()],
    [
      'README.md',
      Object.entries(made).reduce(
        (text, [name, one]) => between(text, name, one, readme),
        readFileSync(readme, 'utf8'),
      ),
    ],
  ]);
}

/** With `--check` nothing is written: whatever is not as the code says is named, and the exit code is 1. */
const root = resolve(import.meta.dirname, '..');
for (const [path, text] of referenceFiles(root)) {
  const file = join(root, path);
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    process.stderr.write(`${path} is not as the code says: run \`npm run docs\`\n`);
    process.exitCode = 1;
  }
}
