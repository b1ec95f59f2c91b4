/**
 * Plays the quickstart and writes what came of it into its README, the README of the repository and the picture:
 * `npm run docs`. A test plays it again and compares.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { COLUMNS, type Played, play, SESSION } from '@orchestrate/example-quickstart';
import { terminalPicture } from './pictures/terminal-picture.ts';
import { between } from './reference/between.ts';

const ROOT = resolve(import.meta.dirname, '..');
const README = join(ROOT, 'examples/quickstart/README.md');
const PICTURE = join(ROOT, 'docs/pictures/quickstart.svg');
const NOWHERE = /(?!)/;
/** What the picture shows, and up to which line: as much as fits a screen. */
const PICTURED: readonly { readonly command: RegExp; readonly until: RegExp }[] = [
  { command: /readiness juno$/, until: /^risks/m },
  { command: /^echo/, until: NOWHERE },
  { command: /readiness juno --until/, until: NOWHERE },
  { command: /explain juno/, until: /^eight answers/m },
];

const dataDir = mkdtempSync(join(tmpdir(), 'orchestrate-quickstart-'));
try {
  const played = await play(SESSION, dataDir, ({ command, code }) => {
    process.stderr.write(`${code === 0 ? 'ok    ' : `exit ${code}`}  ${command}\n`);
  });
  const failed = played.filter(({ code }) => code !== 0);
  if (failed.length > 0)
    throw new Error(failed.map(({ command, output }) => `${command}\n${output}`).join('\n'));
  const session = played.map(asMarkdown).join('\n\n');
  writeFileSync(README, between(readFileSync(README, 'utf8'), 'session', session, README));
  const commands = PICTURED.flatMap(({ command, until }) => {
    const found = played.find((one) => command.test(one.command));
    return found ? [{ command: found.command, output: linesBefore(found.output, until) }] : [];
  });
  const title = 'orchestrate: may this message go out now?';
  mkdirSync(dirname(PICTURE), { recursive: true });
  writeFileSync(PICTURE, await terminalPicture({ title, columns: COLUMNS, commands }));
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

function asMarkdown(played: Played): string {
  const { say, after } = played.step;
  return [say, asConsole(played), ...(after ? [after] : [])].join('\n\n');
}

/** Without the spaces that a terminal does not show. */
function asConsole({ command, output }: Played): string {
  const plain = stripVTControlCharacters(output)
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .join('\n');
  return `\`\`\`console\n$ ${command}\n${plain}\n\`\`\``.replace('\n\n```', '\n```');
}

/** The lines of an output before the one that is named, colours kept. */
function linesBefore(output: string, until: RegExp): string {
  const lines = output.split('\n');
  const end = lines.findIndex((line) => until.test(stripVTControlCharacters(line)));
  return (end < 1 ? lines : lines.slice(0, end)).join('\n').trimEnd();
}
